//! The job that fetches what is due. Its next time is that of the pair that is due first, and stands in
//! the database: neither a restart nor a second replica makes it come sooner.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    fetch::{Fetched, fetch},
    quota::{self, Caller},
    store,
};
use crate::{
    app::App,
    error::Result,
    jobs::{Claim, Job},
    money::Pair,
    providers::rates::RateSource,
};

/// The database's clock, by which jobs begin, counts in milliseconds and not always as ours does.
const SLACK: TimeDelta = TimeDelta::seconds(1);

/// Fetches the rates that are due.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PollRates {}

#[async_trait]
impl Job for PollRates {
    const KIND: &'static str = "rates.poll";
    const MAX_ATTEMPTS: i32 = 5;

    fn key(&self) -> String {
        "all".to_owned()
    }

    async fn again(&self, app: &App) -> Result<Option<Duration>> {
        let Some(source) = app.rates.as_deref() else {
            return Ok(None);
        };
        let due = due(app, source).await?.into_iter().map(|(_, at)| at).min();
        let open_at = quota::open_at(app, source).await?;
        let next = due.map(|at| at.max(open_at));
        Ok(next.map(|at| (at - app.clock.now()).to_std().unwrap_or_default()))
    }

    async fn run(&self, app: &App, _claim: &Claim) -> Result<()> {
        let Some(source) = app.rates.as_deref() else {
            return Ok(());
        };
        for (pair, due_at) in due(app, source).await? {
            let now = app.clock.now();
            if due_at > now + SLACK {
                continue;
            }
            if let Fetched::NotBefore(until) =
                fetch(app, source, &pair, (Caller::Poll, now)).await?
            {
                tracing::info!(%pair, %until, "no call is left for a rate");
                break;
            }
        }
        Ok(())
    }
}

/// When each pair is due. One that was never asked for is due at once, and so is one that was asked of
/// somebody else: with another key what was refused may be told.
async fn due(app: &App, source: &dyn RateSource) -> Result<Vec<(Pair, DateTime<Utc>)>> {
    let pairs = &app.config.rates.pairs;
    let checks = store::checks(app.db.read(), pairs).await?;
    let now = app.clock.now();
    let of = |pair: &Pair| {
        let known = checks.iter().find(|check| {
            check.base == pair.base
                && check.quote == pair.quote
                && check.account == source.account()
        });
        // A shorter interval counts from now on, not from the end of a longer one.
        let soonest = |check: &entity::rate_check::Model| {
            let told = check.checked_at.filter(|_| check.fault.is_none());
            let usual = told.map(|at| at + app.config.rates.stretched());
            usual.map_or(check.due_at, |usual| check.due_at.min(usual))
        };
        known.map_or(now, soonest)
    };
    Ok(pairs.iter().map(|pair| (pair.clone(), of(pair))).collect())
}
