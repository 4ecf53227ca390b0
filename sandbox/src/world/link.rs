//! Link tokens and the sessions people have with them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bank::accounts::Account;

/// A link token, what was asked for with it, and its sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) link_token: String,
    pub(crate) hosted_id: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) client_name: String,
    pub(crate) language: String,
    pub(crate) country_codes: Vec<String>,
    pub(crate) products: Vec<String>,
    pub(crate) webhook: Option<String>,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) completion_redirect_uri: Option<String>,
    pub(crate) days_requested: u64,
    pub(crate) account_filters: Option<Value>,
    pub(crate) institution_id: Option<String>,
    /// The item to repair; `None` links a new one.
    pub(crate) item_id: Option<String>,
    pub(crate) account_selection: bool,
    #[serde(default)]
    pub(crate) sessions: Vec<Session>,
}

/// One person's way through a link token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) link_session_id: String,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) events: Vec<LinkEvent>,
}

/// How a session ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// An item was linked, or repaired; a repair's public token is of no use.
    Success {
        public_token: String,
        item_id: String,
        institution_id: String,
        accounts: Vec<Account>,
    },
    /// The person left. The error is the last one he met.
    Exit {
        error: Option<String>,
        status: String,
        institution_id: Option<String>,
    },
}

/// A step somebody took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LinkEvent {
    pub(crate) event_id: String,
    pub(crate) timestamp: DateTime<Utc>,
    pub(crate) event_name: String,
    pub(crate) event_metadata: Value,
}

impl Link {
    pub(crate) fn is_update(&self) -> bool {
        self.item_id.is_some()
    }

    /// Whether a finished session closed this token.
    pub(crate) fn is_spent(&self) -> bool {
        self.sessions
            .iter()
            .any(|session| matches!(session.outcome, Some(Outcome::Success { .. })))
    }

    /// Adds a session or puts its newer state in the old one's place.
    pub(crate) fn record(&mut self, session: Session) {
        match self
            .sessions
            .iter_mut()
            .find(|known| known.link_session_id == session.link_session_id)
        {
            Some(known) => *known = session,
            None => self.sessions.push(session),
        }
    }

    /// Whether the filters let this account be shared. A type that is not named is not shared.
    pub(crate) fn admits(&self, account: &Account) -> bool {
        let Some(Value::Object(filters)) = &self.account_filters else {
            return true;
        };
        let Some(filter) = filters.get(&*account.r#type) else {
            return false;
        };
        let Some(subtypes) = filter.get("account_subtypes").and_then(Value::as_array) else {
            return true;
        };
        subtypes
            .iter()
            .filter_map(Value::as_str)
            .any(|subtype| subtype == "all" || account.subtype.as_deref() == Some(subtype))
    }
}
