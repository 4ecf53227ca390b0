//! What a provider answers instead of a result, classed once.

use std::time::Duration;

/// What the provider answered instead of a result.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{code} (request {}): {detail}", request_id.as_deref().unwrap_or("-"))]
pub struct ProviderError {
    /// What to do about it.
    pub class: ErrorClass,
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
pub enum ErrorClass {
    /// Nobody's fault here: try again, not before the time given.
    Retry(Option<Duration>),
    /// The provider is still collecting: ask again in a moment.
    NotReady,
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

impl ErrorClass {
    /// Whether the same call may succeed later by itself.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Retry(_) | Self::RestartPages | Self::NotReady)
    }

    /// Its name where calls are counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::Retry(_) => "retry",
            Self::NotReady => "not_ready",
            Self::Login => "login",
            Self::Gone => "gone",
            Self::Token => "token",
            Self::RestartPages => "restart_pages",
            Self::ResetCursor => "reset_cursor",
            Self::AccountGone => "account_gone",
            Self::Unsupported => "unsupported",
            Self::Operator => "operator",
            Self::Bug => "bug",
        }
    }
}
