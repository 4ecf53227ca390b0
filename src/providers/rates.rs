//! Exchange rates, behind neutral types. Promises of every implementation: one call is one HTTP
//! exchange with its own time-out; the key enters no error and no log; a rate is exact, above zero,
//! of the pair that was asked for, and not of the future.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
pub use entity::rate_check::RateFault;
use rust_decimal::Decimal;

use crate::money::Pair;

/// What rates say of themselves that nobody pays. They give way to the first real one of their pair.
pub const INVENTED: &str = "built-in sandbox (invented)";

/// Somebody who tells exchange rates.
#[async_trait]
pub trait RateSource: Send + Sync + std::fmt::Debug {
    /// What clients are told about where a rate comes from.
    fn name(&self) -> &str;

    /// Whose calls are counted: the same for the same address and key, and nothing of the key in it.
    fn account(&self) -> &str;

    /// How far apart two calls have to be.
    fn spacing(&self) -> Duration;

    /// What a pair costs now.
    async fn quote(&self, pair: &Pair) -> Result<Quote, RateError>;
}

/// What a pair costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The price of one unit of the base.
    pub rate: Decimal,
    /// What buyers offer, where the source says so.
    pub bid: Option<Decimal>,
    /// What sellers ask, where the source says so.
    pub ask: Option<Decimal>,
    /// The moment it holds for, as the source says.
    pub at: DateTime<Utc>,
}

/// Why a rate was not told.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct RateError {
    /// What sort of answer it was.
    pub fault: RateFault,
    /// How long to stay away at least, where that is known.
    pub wait: Option<Duration>,
    /// For the log: our own words, never the source's, which may hold the key.
    pub detail: String,
}

impl RateError {
    /// A fault in our own words.
    pub fn new(fault: RateFault, detail: impl Into<String>) -> Self {
        Self {
            fault,
            wait: None,
            detail: detail.into(),
        }
    }

    /// Says how long to stay away.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }
}
