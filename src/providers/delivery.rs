//! What providers send by themselves.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

/// A webhook that is genuine.
#[derive(Debug)]
pub struct Delivery {
    /// Hash of what makes this delivery one of a kind: an exact replay has the same.
    pub delivery_key: String,
    /// `TYPE.CODE`, for the log and the inbox.
    pub code: String,
    /// What it is about.
    pub subject: Subject,
    /// Whose item it is about, by the provider's id of the person, if told.
    pub provider_user_id: Option<String>,
    /// What it means for us.
    pub notice: Notice,
}

/// What a webhook is about.
#[derive(Debug)]
pub enum Subject {
    /// An item, by the provider's id.
    Item(String),
    /// A link session, by its token.
    Link(SecretString),
    /// Nothing we keep.
    Nothing,
}

/// What a webhook means. It says where to look, and carries only what the provider tells nowhere else.
#[derive(Debug)]
pub enum Notice {
    /// There is news, or the login changed: read the item again.
    Look,
    /// The login works again.
    Repaired,
    /// The person must renew consent by then, if a date is told.
    ConsentExpires(Option<DateTime<Utc>>),
    /// The bank has accounts that are not shared yet.
    NewAccounts,
    /// One account is not shared any more, by the provider's id.
    AccountRevoked(String),
    /// A hosted link session ended with these public tokens.
    SessionFinished(Vec<SecretString>),
    /// Nothing to do.
    Ignore,
}

/// Why a webhook is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefusal {
    /// Not the provider's own; the word is for the log. HTTP 401.
    #[error("forged: {0}")]
    Forged(&'static str),
    /// Genuine, but not what a webhook looks like. HTTP 400.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// It cannot be checked now; the provider should send it again. HTTP 503.
    #[error("cannot be checked now")]
    Unverifiable,
}
