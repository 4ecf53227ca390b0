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
    /// What only MX's face knows.
    pub mx: MxSettings,
}

/// How members live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MxSettings {
    /// Milliseconds each step of a job takes: signing in, accounts, transactions, and the end.
    pub step_ms: u64,
    /// Steps are taken by control alone, whatever the time.
    pub by_control: bool,
    /// Seconds a challenge waits for its answer.
    pub challenge_seconds: i64,
    /// Seconds between two aggregations of a member, but at the test banks.
    pub throttle_seconds: i64,
    /// Rows that each further aggregation brings; what was pending posts then. With 0 nothing changes by itself.
    pub new_rows: u64,
}

/// Where MX's webhooks go. MX has one address for all, configured in its dashboard.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MxWebhooks {
    /// The address.
    pub url: String,
    /// The user name sent by HTTP Basic; empty for none.
    #[serde(default)]
    pub user: String,
    /// The password that goes with it.
    #[serde(default)]
    pub password: String,
}

impl std::fmt::Debug for MxWebhooks {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("MxWebhooks")
            .field("url", &self.url)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl MxSettings {
    /// Milliseconds until the next step, if it is taken by itself.
    pub(crate) fn pace(&self) -> Option<u64> {
        (!self.by_control).then_some(self.step_ms)
    }
}

impl Default for MxSettings {
    fn default() -> Self {
        Self {
            step_ms: 400,
            by_control: false,
            challenge_seconds: 600,
            throttle_seconds: 3 * 3_600,
            new_rows: 3,
        }
    }
}

/// How webhooks travel, and how they go wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// Factor on the waits between attempts, which are 30 s, 2 min, 8 min and so on. 0 retries at once.
    pub retry_scale: f64,
    /// Attempts in all before a webhook of Plaid's is given up.
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
            mx: MxSettings::default(),
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
