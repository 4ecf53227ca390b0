//! A source of rates in the test's own process: it tells what it was given, and counts.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::DateTime;

use crate::{
    money::Pair,
    providers::rates::{INVENTED, Quote, RateError, RateFault, RateSource},
};

/// The source.
#[derive(Debug, Default)]
pub(crate) struct SmallDesk {
    /// What it tells next, the last first; what everybody knows once nothing is left.
    pub(crate) next: Mutex<Vec<Result<Quote, RateFault>>>,
    /// How often it was asked.
    pub(crate) asked: AtomicUsize,
    /// Whether it invents what it tells.
    pub(crate) invents: bool,
    /// Whose calls it counts, if not the usual one's.
    pub(crate) account: Option<&'static str>,
    /// How far apart its calls have to be.
    pub(crate) spacing: Duration,
}

#[async_trait]
impl RateSource for SmallDesk {
    fn name(&self) -> &'static str {
        if self.invents { INVENTED } else { "a test" }
    }

    fn account(&self) -> &'static str {
        self.account.unwrap_or("test")
    }

    fn spacing(&self) -> Duration {
        self.spacing
    }

    async fn quote(&self, _: &Pair) -> Result<Quote, RateError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let usual = Quote {
            rate: 50_000.into(),
            bid: None,
            ask: None,
            at: DateTime::UNIX_EPOCH,
        };
        let next = self.next.lock().unwrap().pop().unwrap_or(Ok(usual));
        next.map_err(|fault| RateError::new(fault, "as the test wants it"))
    }
}
