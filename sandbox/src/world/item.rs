//! An item: one login at one bank.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::op::Event;
use crate::bank::accounts::Account;
use crate::bank::history::History;
use crate::seed::Seed;

/// An item as it was linked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NewItem {
    pub(crate) item_id: String,
    pub(crate) seed: u64,
    pub(crate) institution_id: String,
    pub(crate) webhook: Option<String>,
    pub(crate) products: Vec<String>,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) accounts: Vec<Account>,
    pub(crate) chosen: Vec<String>,
    pub(crate) created_at: DateTime<Utc>,
    /// What a refresh does: brings new rows, or nothing.
    pub(crate) grows: bool,
}

/// How much of an item's history is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    NotReady,
    Initial,
    Complete,
}

/// The transactions product on an item.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    pub(crate) history: Arc<History>,
    pub(crate) initial_at: DateTime<Utc>,
    pub(crate) history_at: DateTime<Utc>,
    pub(crate) ledger: Ledger,
    pub(crate) changed_at: Option<DateTime<Utc>>,
}

/// An item now.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) linked: NewItem,
    pub(crate) webhook: Option<String>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) chosen: Vec<String>,
    pub(crate) error: Option<String>,
    pub(crate) removed: bool,
    pub(crate) armed: bool,
    pub(crate) epoch: u64,
    pub(crate) consent_expires_at: Option<DateTime<Utc>>,
    /// When the bank cuts the connection unless the user signs in before.
    pub(crate) disconnects_at: Option<DateTime<Utc>>,
    pub(crate) feed: Option<Feed>,
    /// Calls of `/transactions/sync` so far; a restart forgets them.
    pub(crate) sync_calls: u64,
    pub(crate) last_webhook: Option<(DateTime<Utc>, String)>,
}

impl Item {
    pub(crate) fn new(linked: NewItem) -> Self {
        Self {
            webhook: linked.webhook.clone(),
            accounts: linked.accounts.clone(),
            chosen: linked.chosen.clone(),
            linked,
            error: None,
            removed: false,
            armed: false,
            epoch: 0,
            consent_expires_at: None,
            disconnects_at: None,
            feed: None,
            sync_calls: 0,
            last_webhook: None,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.linked.item_id
    }

    pub(crate) fn seed(&self) -> Seed {
        Seed(self.linked.seed)
    }

    /// The accounts the person shares.
    pub(crate) fn shared(&self) -> impl Iterator<Item = &Account> {
        self.accounts
            .iter()
            .filter(|account| self.chosen.contains(&account.account_id))
    }

    /// The error that calls meet now.
    pub(crate) fn trouble(&self, now: DateTime<Utc>) -> Option<String> {
        let over = [self.consent_expires_at, self.disconnects_at]
            .into_iter()
            .flatten()
            .any(|end| end <= now);
        self.error
            .clone()
            .or_else(|| over.then(|| "ITEM_LOGIN_REQUIRED".to_owned()))
    }

    pub(crate) fn apply(&mut self, at: DateTime<Utc>, event: Event) {
        match event {
            Event::Removed => self.removed = true,
            Event::WebhookSet { webhook } => self.webhook = webhook,
            Event::ErrorSet { code } => self.error = code,
            Event::Armed => self.armed = true,
            Event::TransactionsStarted {
                history,
                initial_at,
                history_at,
            } => {
                self.feed = Some(Feed {
                    history: Arc::new(*history),
                    initial_at,
                    history_at,
                    ledger: Ledger::default(),
                    changed_at: None,
                });
            }
            Event::Changed { changes } => {
                if let Some(feed) = &mut self.feed {
                    // A change lies behind the whole history, so the history must be there first.
                    feed.initial_at = feed.initial_at.min(at);
                    feed.history_at = feed.history_at.min(at);
                    feed.changed_at = Some(at);
                    feed.ledger.append(&feed.history, changes);
                }
            }
            Event::AccountOffered { account } => self.accounts.push(*account),
            Event::AccountsChosen { account_ids } => self.chosen = account_ids,
            Event::AccountRevoked { account_id } => {
                self.accounts
                    .retain(|account| account.account_id != account_id);
                self.chosen.retain(|id| *id != account_id);
            }
            Event::ConsentExpires { at } => self.consent_expires_at = at,
            Event::Disconnects { at } => self.disconnects_at = at,
            Event::CursorsExpired => self.epoch += 1,
        }
    }
}

impl Feed {
    pub(crate) fn stage(&self, now: DateTime<Utc>) -> Stage {
        if now >= self.history_at {
            Stage::Complete
        } else if now >= self.initial_at {
            Stage::Initial
        } else {
            Stage::NotReady
        }
    }

    /// How many entries can be read at `now`: the end of the log.
    pub(crate) fn head(&self, now: DateTime<Utc>) -> u64 {
        match self.stage(now) {
            Stage::NotReady => 0,
            Stage::Initial => self.history.initial_len(),
            Stage::Complete => self.history.len() + self.ledger.len(),
        }
    }

    /// When the bank was last read with success.
    pub(crate) fn last_update(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.stage(now) {
            Stage::NotReady => None,
            Stage::Initial => Some(self.initial_at),
            Stage::Complete => Some(
                self.changed_at
                    .unwrap_or(self.history_at)
                    .max(self.history_at),
            ),
        }
    }
}
