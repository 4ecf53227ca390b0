//! What can happen, as it is written to the state file. A line once written must stay readable: add variants, never change one.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::item::NewItem;
use super::link::{Link, Session};
use super::mx::MxOp;
use crate::bank::accounts::Account;
use crate::bank::history::History;
use crate::bank::transaction::Transaction;

/// A change, when it happened, and how far the draws had come.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) at: DateTime<Utc>,
    pub(crate) drawn: u64,
    pub(crate) op: Op,
}

/// A change to the world.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Op {
    ItemLinked(Box<NewItem>),
    PublicTokenIssued {
        public_token: String,
        item_id: String,
        expires_at: DateTime<Utc>,
    },
    Exchanged {
        public_token: String,
        access_token: String,
    },
    TokenRotated {
        old: String,
        new: String,
    },
    LinkTokenCreated(Box<Link>),
    SessionRecorded {
        link_token: String,
        session: Session,
    },
    Item {
        item_id: String,
        event: Event,
    },
    Mx(MxOp),
}

/// A change to one item.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Removed,
    WebhookSet {
        webhook: Option<String>,
    },
    /// The error every call meets until it is cleared with `None`.
    ErrorSet {
        code: Option<String>,
    },
    /// `/transactions/sync` was called once: from now on `SYNC_UPDATES_AVAILABLE` is sent.
    Armed,
    TransactionsStarted {
        history: Box<History>,
        initial_at: DateTime<Utc>,
        history_at: DateTime<Utc>,
    },
    /// Rows added, changed and taken away since linking, in order.
    Changed {
        changes: Vec<Change>,
    },
    AccountOffered {
        account: Box<Account>,
    },
    AccountsChosen {
        account_ids: Vec<String>,
    },
    AccountRevoked {
        account_id: String,
    },
    ConsentExpires {
        at: Option<DateTime<Utc>>,
    },
    Disconnects {
        at: Option<DateTime<Utc>>,
    },
    /// All cursors given out so far are worthless.
    CursorsExpired,
}

/// One entry of an item's log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    Put(Arc<Transaction>),
    Removed {
        transaction_id: String,
        account_id: String,
    },
}

impl Change {
    pub(crate) fn put(row: Transaction) -> Self {
        Self::Put(Arc::new(row))
    }

    pub(crate) fn removed(row: &Transaction) -> Self {
        Self::Removed {
            transaction_id: row.transaction_id.clone(),
            account_id: row.account_id.clone(),
        }
    }

    pub(crate) fn transaction_id(&self) -> &str {
        match self {
            Self::Put(row) => &row.transaction_id,
            Self::Removed { transaction_id, .. } => transaction_id,
        }
    }

    pub(crate) fn account_id(&self) -> &str {
        match self {
            Self::Put(row) => &row.account_id,
            Self::Removed { account_id, .. } => account_id,
        }
    }
}
