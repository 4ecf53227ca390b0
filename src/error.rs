//! The one error type. What `Display` says may be shown to a client; what `source` says is for the
//! log only. A variant exists only where a caller or a client acts differently on it.

use std::{sync::Arc, time::Duration};

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
    /// A cursor that is older than the events we keep.
    #[error("This cursor is too old: start again without `after`.")]
    CursorExpired,
    /// Something a client is expected to meet: it travels in the payload's `userErrors`.
    #[error("{0}")]
    Refused(Refusal),
    /// The provider answered with an error, or not at all.
    #[error("The bank's provider could not do this.")]
    Provider(#[source] ProviderError),
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

/// A refusal a client can act on.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What sort of refusal it is.
    pub code: ErrorCode,
    /// A sentence for people: what is wrong, and what to do.
    pub message: String,
    /// The path of the input field that is to blame, from the root of `input`.
    pub field: Option<Vec<String>>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// How long to wait before that, in seconds.
    pub retry_after: Option<u32>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// What sort of refusal a `UserError` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, async_graphql::Enum)]
pub enum ErrorCode {
    /// A field of the input is not acceptable; `field` names it.
    InvalidInput,
    /// E-mail address or password is wrong. Which of the two is not told.
    InvalidCredentials,
    /// The address already has an account.
    EmailTaken,
    /// The password is too easy to guess.
    WeakPassword,
    /// The refresh token is unknown, expired or revoked: sign in again.
    SessionExpired,
    /// Nothing of yours has this id.
    NotFound,
    /// The public token is expired, was used before, or belongs to another environment: open Link again.
    PublicTokenInvalid,
    /// The same public token is being exchanged by another request right now.
    ExchangeInProgress,
    /// The key was used before with another input.
    IdempotencyKeyReused,
    /// The person must sign in at the bank again.
    ReauthenticationRequired,
    /// Access to the bank is gone for good: link it anew.
    ItemDisconnected,
    /// The bank or its provider does not answer at the moment.
    ProviderUnavailable,
    /// The provider does not offer this for the bank.
    NotSupported,
    /// The operator must look at the server's provider credentials.
    ProviderMisconfigured,
    /// Too many requests.
    RateLimited,
}

impl Refusal {
    /// A refusal that the same request would meet again.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: None,
            retryable: false,
            retry_after: None,
        }
    }

    /// Names the field of the input that is to blame.
    #[must_use]
    pub fn on(mut self, field: &str) -> Self {
        self.field = Some(field.split('.').map(str::to_owned).collect());
        self
    }

    /// Says that the request may succeed after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retryable = true;
        self.retry_after = Some(seconds);
        self
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
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
            Self::Provider(error) => error.class.is_transient(),
            Self::Refused(refusal) => refusal.retryable,
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

impl From<sea_orm::DbErr> for Error {
    fn from(error: sea_orm::DbErr) -> Self {
        use sea_orm::DbErr;
        let unreachable = match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
            DbErr::Exec(inner) | DbErr::Query(inner) => is_refusal_of_service(&inner.to_string()),
            _ => false,
        };
        if unreachable {
            Self::Unavailable(Arc::new(error))
        } else {
            Self::internal(error)
        }
    }
}

/// Whether the database said that it cannot work now, rather than that the statement is wrong.
fn is_refusal_of_service(message: &str) -> bool {
    [
        "disk is full",
        "disk I/O",
        "database is locked",
        "read-only",
        "terminating connection",
        "No space left",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

impl From<ProviderError> for Error {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

/// What the provider answered instead of a result.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code} (request {}): {detail}", request_id.as_deref().unwrap_or("-"))]
pub struct ProviderError {
    /// What to do about it.
    pub class: Class,
    /// The provider's code, or one of ours in lower case (`timeout`, `unreachable`, `malformed`).
    pub code: String,
    /// A sentence of the provider's that is meant for the person.
    pub display_message: Option<String>,
    /// The provider's name for the call, for its support.
    pub request_id: Option<String>,
    /// For the log. Never a secret, never shown.
    pub detail: String,
}

/// What to do about a provider's error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nobody's fault here: try again, not before the time given.
    Retry(Option<Duration>),
    /// The person must sign in at the bank again, or answer something there.
    Login,
    /// The item is gone for good.
    Gone,
    /// The public or link token is expired or used.
    Token,
    /// The data changed while it was read: begin the round again.
    RestartPages,
    /// The cursor is not of this item: begin from nothing.
    ResetCursor,
    /// The account is not there any more.
    AccountGone,
    /// Not offered for this bank.
    Unsupported,
    /// The operator's credentials or plan are at fault.
    Operator,
    /// We asked wrongly.
    Bug,
}

impl Class {
    /// Whether the same call may succeed later by itself.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Retry(_) | Self::RestartPages)
    }
}
