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
    providers::rates::{Quote, RateError, RateFault, RateSource},
};

/// The source.
#[derive(Debug, Default)]
pub(crate) struct SmallDesk {
    /// What it tells next; one that is known to everybody if nothing was given.
    pub(crate) next: Mutex<Vec<Result<Quote, RateFault>>>,
    /// How often it was asked.
    pub(crate) asked: AtomicUsize,
}

#[async_trait]
impl RateSource for SmallDesk {
    fn name(&self) -> &'static str {
        "a test"
    }

    fn account(&self) -> &'static str {
        "test"
    }

    fn spacing(&self) -> Duration {
        Duration::ZERO
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
