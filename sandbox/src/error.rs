//! Why the sandbox does not start. Refusals to callers are `plaid::error`.

/// A failure to start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The state file cannot be read or written.
    #[error("cannot use the state file {path}: {source}")]
    State {
        /// The file that was asked for.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No signing key could be made.
    #[error("cannot make a signing key for webhooks")]
    Key,
    /// The client that sends webhooks could not be built.
    #[error("cannot make a client for webhooks: {0}")]
    Client(#[from] reqwest::Error),
}

/// A result of starting.
pub type Result<T, E = Error> = std::result::Result<T, E>;
