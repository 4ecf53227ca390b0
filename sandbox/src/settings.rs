//! What a test may turn while the sandbox runs, through `POST /control/settings`. Nothing here survives a restart.

use serde::{Deserialize, Serialize};

/// Behaviour that Plaid leaves open, or that takes too long for a test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Milliseconds from linking until the last thirty days can be read. Until then a sync answers `NOT_READY`.
    pub initial_ready_ms: u64,
    /// Milliseconds from linking until all of the history can be read.
    pub history_ready_ms: u64,
    /// So many first calls of `/transactions/sync` answer `NOT_READY` whatever the time.
    pub not_ready_calls: u64,
    /// Whether a second exchange of a public token gives the same access token again. Plaid does not say; the default is that it fails.
    pub exchange_repeatable: bool,
    /// Whether the older `INITIAL_UPDATE`, `HISTORICAL_UPDATE`, `DEFAULT_UPDATE` and `TRANSACTIONS_REMOVED` are sent too.
    pub legacy_webhooks: bool,
    /// How webhooks travel.
    pub webhooks: WebhookSettings,
}

/// How webhooks travel, and how they go wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// Factor on the waits between attempts, which are 30 s, 2 min, 8 min and so on. 0 retries at once.
    pub retry_scale: f64,
    /// Attempts in all before a webhook is given up.
    pub attempts: u32,
    /// Each webhook is sent so many times more than needed.
    pub duplicates: u32,
    /// Each webhook waits this long first.
    pub delay_ms: u64,
    /// Each webhook waits up to this long more, so that they overtake one another.
    pub disorder_ms: u64,
    /// The share of webhooks that are never sent, 0 to 1.
    pub drop: f64,
    /// The exchange of a public token is answered only after a webhook about the new item was delivered.
    pub before_exchange: bool,
    /// What is wrong with the signature.
    pub signature: SignatureFault,
}

/// What is wrong with a webhook's signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureFault {
    /// Nothing.
    #[default]
    None,
    /// The header claims `HS256`.
    WrongAlgorithm,
    /// The key id is one that was never published.
    UnknownKey,
    /// The token was issued an hour ago.
    OldIssue,
    /// The body was changed after signing.
    ChangedBody,
    /// The header is missing.
    Missing,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            initial_ready_ms: 1_000,
            history_ready_ms: 3_000,
            not_ready_calls: 0,
            exchange_repeatable: false,
            legacy_webhooks: true,
            webhooks: WebhookSettings::default(),
        }
    }
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            retry_scale: 1.0,
            attempts: 7,
            duplicates: 0,
            delay_ms: 0,
            disorder_ms: 0,
            drop: 0.0,
            before_exchange: false,
            signature: SignatureFault::None,
        }
    }
}
