//! What the wire allows. One place for all figures, so that they can be read together.

use std::time::Duration;

/// The most a client may ask for, and the longest it may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// Bytes of a document.
    pub query: usize,
    /// Selections of a document with all its fragments spread out.
    pub fields: usize,
    /// How deep fields may nest; the introspection query of the reference implementation needs 15.
    pub depth: usize,
    /// Fields at the top of the operation that runs.
    pub root_fields: usize,
    /// Aliases in a document, and selections of one key in one place.
    pub aliases: usize,
    /// Directives on one field.
    pub directives_on_field: usize,
    /// Directives in a document.
    pub directives: usize,
    /// Errors in one answer; the rest is cut.
    pub errors: usize,
    /// How long a body may take to arrive.
    pub body_time: Duration,
    /// How long a query or mutation may run.
    pub execution_time: Duration,
    /// Bytes of a message on a socket.
    pub message: usize,
    /// Operations running at once on a socket.
    pub operations: usize,
    /// How long a socket may wait with `connection_init`.
    pub init_time: Duration,
    /// How often a socket is pinged.
    pub ping_every: Duration,
    /// How long a socket may say nothing at all, not even answer a ping.
    pub silence: Duration,
    /// How long an answer or a message may wait for a client that takes nothing of it.
    pub stall: Duration,
    /// Bytes a second of an answer that a client has to take: slower is no network in use.
    pub pace: u32,
    /// How long a closed socket is given to say goodbye.
    pub farewell: Duration,
    /// Connections at once.
    pub connections: usize,
    /// How long the head of a request may take to arrive.
    pub head_time: Duration,
    /// How long a connection may rest between two requests.
    pub rest_time: Duration,
    /// How long a server that stops waits for what it has begun: less than the process has to end, so
    /// that it can still say what was left.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 256 * 1024,
            query: 32 * 1024,
            fields: 2_000,
            depth: 15,
            root_fields: 20,
            aliases: 50,
            directives_on_field: 10,
            directives: 50,
            errors: 20,
            body_time: Duration::from_secs(30),
            execution_time: Duration::from_secs(30),
            message: 64 * 1024,
            operations: 20,
            init_time: Duration::from_secs(5),
            ping_every: Duration::from_secs(12),
            silence: Duration::from_secs(30),
            stall: Duration::from_secs(10),
            pace: 8 * 1024,
            farewell: Duration::from_secs(2),
            connections: 20_000,
            head_time: Duration::from_secs(10),
            rest_time: Duration::from_secs(75),
            drain: Duration::from_secs(8),
        }
    }
}

/// Mutations that take a password or a token that is one. An operation holds at most one of them, so
/// that guesses cost a request each.
pub(super) const CREDENTIAL_FIELDS: &[&str] = &["register", "login", "refreshSession"];

/// What works without an access token. Clients send the token they have with every request; if it
/// has run out, exactly these must still be possible, or nobody could refresh it.
pub(super) const OPEN_FIELDS: &[&str] = &[
    "register",
    "login",
    "refreshSession",
    "logout",
    "startSocialLogin",
    "completeSocialLogin",
    "__typename",
];
