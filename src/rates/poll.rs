//! The job that fetches what is due. Its next time is that of the pair that is due first, and stands in
//! the database: neither a restart nor a second replica makes it come sooner.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use entity::rate_check;
use serde::{Deserialize, Serialize};

use super::{
    fetch::{Fetched, fetch, outcome},
    quota::{self, Caller},
    store,
};
use crate::{
    app::App,
    error::Result,
    jobs::{Claim, Job},
    money::Pair,
    providers::rates::{INVENTED, RateSource},
    ticker,
};

/// The database's clock, by which jobs begin, counts in milliseconds and not always as ours does.
const SLACK: TimeDelta = TimeDelta::seconds(1);

/// How far apart the clocks of two replicas may be.
const SKEW: Duration = Duration::from_mins(1);

/// How long a pair is left alone that was not told, unless the usual time is longer.
const LONGEST: Duration = Duration::from_hours(24);

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
        // What somebody refreshes during this round is not fetched twice.
        let asked = app.clock.now();
        for (pair, due_at) in due(app, source).await? {
            if due_at > app.clock.now() + SLACK {
                continue;
            }
            if let Fetched::NotBefore(until, fault) =
                fetch(app, source, &pair, (Caller::Poll, asked)).await?
            {
                let because = fault.map(outcome);
                tracing::info!(%pair, %until, because, "no call may be made for a rate");
                break;
            }
        }
        Ok(())
    }
}

/// When each pair is due. One that was never asked for is due at once; so is one that another key was
/// refused or that is invented so far, since this key may be told. But if another key was told it, that
/// does for this one: replicas with different keys do not ask in turns.
async fn due(app: &App, source: &dyn RateSource) -> Result<Vec<(Pair, DateTime<Utc>)>> {
    let pairs = &app.config.rates.pairs;
    let checks = store::checks(app.db.read(), pairs).await?;
    let now = app.clock.now();
    let mut due = Vec::new();
    for pair in pairs {
        let known =
            |check: &&rate_check::Model| check.base == pair.base && check.quote == pair.quote;
        let at = match checks.iter().find(known) {
            None => now,
            Some(check) if check.account == source.account() => due_at(app, check),
            Some(check) if check.fault.is_some() => now,
            Some(check) => match ticker::latest(app.db.read(), pair).await? {
                Some(rate) if rate.source == INVENTED && source.name() != INVENTED => now,
                _ => due_at(app, check),
            },
        };
        due.push((pair.clone(), at));
    }
    Ok(due)
}

/// When a pair is due that was asked for before.
fn due_at(app: &App, check: &rate_check::Model) -> DateTime<Utc> {
    let now = app.clock.now();
    let usual = app.config.rates.stretched();
    let Some(told) = check.checked_at.filter(|_| check.fault.is_none()) else {
        return believed(check.due_at, now, usual.max(LONGEST));
    };
    // A shorter interval counts from now on, not from the end of a longer one.
    believed(check.due_at.min(told + usual), now, usual)
}

/// A time no further ahead than it can be; what is was written by a clock that was wrong, and is past.
fn believed(at: DateTime<Utc>, now: DateTime<Utc>, longest: Duration) -> DateTime<Utc> {
    let ahead = (at - now).to_std().unwrap_or_default();
    if ahead > longest + SKEW { now } else { at }
}
