//! The one error type. What `Display` says may be shown to a client; what `source` says is for the
//! log only. A variant exists only where a caller or a client acts differently on it.

use std::sync::Arc;

mod code;
mod database;
mod provider;
mod refusal;

pub use code::Code;
pub use provider::{ErrorClass, ProviderError};
pub use refusal::{ErrorCode, Refusal, UserAction};

/// The cause of an [`Error`], for the log.
pub type Source = Arc<dyn std::error::Error + Send + Sync>;

/// The result of nearly everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No session, or one that is over. HTTP 401 before execution, `UNAUTHENTICATED` on a field.
    #[error("Sign in first.")]
    Unauthenticated,
    /// Signed in, and still not allowed.
    #[error("You may not do this.")]
    Forbidden,
    /// The request itself is wrong; the text names the argument and the remedy.
    #[error("{0}")]
    BadInput(String),
    /// Nothing of the person's has this id. Foreign, unknown and malformed ids answer alike.
    #[error("No {0} of yours has this id.")]
    NotFound(&'static str),
    /// A cursor that is older than the events we keep.
    #[error("This cursor is too old: start again without `after`.")]
    CursorExpired,
    /// Something a client is expected to meet: it travels in the payload's `userErrors`.
    #[error("{}", refusal::sentence(.0))]
    Refused(Vec<Refusal>),
    /// The provider answered with an error, or not at all.
    #[error("The bank's provider could not do this.")]
    Provider(#[source] ProviderError),
    /// A mail did not leave. The cause names no address and no text of it.
    #[error("A mail could not be sent.")]
    Undelivered {
        /// Whether it may leave later.
        transient: bool,
        /// Why.
        source: Source,
    },
    /// A job whose lease another worker holds by now: nothing of it may commit.
    #[error("Another worker has taken this job over.")]
    LeaseLost,
    /// The database cannot be reached or refuses writes.
    #[error("The server cannot reach its database. Try again in a moment.")]
    Unavailable(#[source] Source),
    /// Our bug. Shown: this sentence. Logged: the chain, once.
    #[error("Something went wrong on the server.")]
    Internal(#[source] Source),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(vec![refusal])
    }
}

impl Error {
    /// Wraps a failure that no client can do anything about.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(source.into()))
    }

    /// An input field that is not acceptable.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Refusal::new(ErrorCode::InvalidInput, message)
            .on(field)
            .into()
    }

    /// The answer for an id that is malformed, unknown or another person's.
    pub fn not_found(field: &str, what: &str) -> Self {
        let message = format!("No {what} of yours has this id.");
        Refusal::new(ErrorCode::NotFound, message).on(field).into()
    }

    /// Whether the same work may succeed if it is tried again later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Undelivered { transient, .. } => *transient,
            Self::Provider(error) => error.class.is_transient(),
            Self::Refused(refusals) => refusals.iter().all(|refusal| refusal.retryable),
            _ => false,
        }
    }

    /// Everything we know, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl From<ProviderError> for Error {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}
