//! One fetch of one rate: a call is taken from the day's, then the source is asked, then what it told
//! is kept. No transaction is open while the source is asked.

use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use entity::exchange_rate;

use super::{
    quota::{self, Caller, Turn},
    store,
};
use crate::{
    app::App,
    database::Txn,
    error::Result,
    metrics::Call,
    money::Pair,
    providers::rates::{Quote, RateError, RateFault, RateSource},
    ticker,
};

/// The first wait after a failure, where calls are not counted.
const FIRST_WAIT: Duration = Duration::from_secs(15);

/// The longest.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// How long what is refused for good is left alone. The same words have meant an outage before.
const REFUSED: TimeDelta = TimeDelta::days(1);

/// How long a day's calls are taken to be used up where the source has told nothing of the day yet.
const FIRST_REST: TimeDelta = TimeDelta::hours(1);

/// How far replicas' clocks may be apart.
const SKEW: TimeDelta = TimeDelta::minutes(1);

/// The age of a rate that is worth a word: longer than any market is closed.
pub const OLD: TimeDelta = TimeDelta::days(7);

/// What came of a fetch.
#[derive(Clone, Debug)]
pub(super) enum Fetched {
    /// The newest rate of the pair.
    Rate(exchange_rate::Model),
    /// No call may be made before this moment, because of what the source said if that is why.
    NotBefore(DateTime<Utc>, Option<RateFault>),
    /// The source has told nothing.
    Failed(RateError),
}

/// Fetches a rate. If somebody else fetched it after `asked`, that one is taken, and no call is made.
pub(super) async fn fetch(
    app: &App,
    source: &dyn RateSource,
    pair: &Pair,
    (caller, asked): (Caller, DateTime<Utc>),
) -> Result<Fetched> {
    match quota::take(app, source, caller).await? {
        Turn::NotBefore(until, fault) => return Ok(Fetched::NotBefore(until, fault)),
        Turn::At(at) => {
            let wait = (at - app.clock.now()).to_std().unwrap_or_default();
            app.clock.sleep(wait).await;
        }
    }
    if let Some(rate) = told_since(app, pair, asked).await? {
        quota::give_back(app, source, caller).await?;
        return Ok(Fetched::Rate(rate));
    }
    match ask(app, source, pair).await {
        Ok(quote) => {
            if app.clock.now() - quote.at > OLD {
                tracing::warn!(%pair, at = %quote.at, "the source tells a rate that is older than a week");
            }
            Ok(Fetched::Rate(store::keep(app, source, pair, quote).await?))
        }
        Err(error) => {
            let error = note(app, source, pair, (caller, error)).await?;
            Ok(Fetched::Failed(error))
        }
    }
}

/// One call, counted with what came of it.
async fn ask(app: &App, source: &dyn RateSource, pair: &Pair) -> Result<Quote, RateError> {
    let began = Instant::now();
    let told = source.quote(pair).await;
    let call = Call {
        provider: "alphavantage",
        endpoint: "/query",
        outcome: told
            .as_ref()
            .map_or_else(|error| outcome(error.fault), |_| "ok"),
    };
    app.metrics.called(&call, began.elapsed());
    told
}

pub(super) fn outcome(fault: RateFault) -> &'static str {
    match fault {
        RateFault::DailyLimit => "daily_limit",
        RateFault::TooFast => "too_fast",
        RateFault::Pair => "pair",
        RateFault::Key => "key",
        RateFault::Empty => "empty",
        RateFault::Unanswered => "unanswered",
        RateFault::Malformed => "malformed",
    }
}

/// The newest rate, if the source has told one after a moment.
pub(super) async fn told_since(
    app: &App,
    pair: &Pair,
    moment: DateTime<Utc>,
) -> Result<Option<exchange_rate::Model>> {
    let check = store::check(app.db.read(), pair).await?;
    // What will be told in an hour was written by a clock that was wrong.
    let until = app.clock.now() + SKEW;
    let told = check.is_some_and(|check| {
        let at = check.checked_at.filter(|at| *at > moment && *at < until);
        check.fault.is_none() && at.is_some()
    });
    if told {
        ticker::latest(app.db.read(), pair).await
    } else {
        Ok(None)
    }
}

/// Remembers a failure, and how long the source is left alone for it. Returns the failure with that time,
/// where it holds for all calls.
async fn note(
    app: &App,
    source: &dyn RateSource,
    pair: &Pair,
    (caller, mut error): (Caller, RateError),
) -> Result<RateError> {
    let now = app.clock.now();
    let txn = app.db.begin().await?;
    let failures = store::check(&*txn, pair)
        .await?
        .map_or(0, |check| check.failures);
    let wait = error.wait.unwrap_or_default().max(backoff(app, failures));
    let wait = TimeDelta::from_std(wait).unwrap_or(REFUSED);
    let due_at = match error.fault {
        RateFault::DailyLimit => used_up(&txn, app, failures).await?,
        RateFault::Pair | RateFault::Key => now + REFUSED,
        _ => now + wait,
    };
    // What the source says of all calls holds for all calls.
    let until = match error.fault {
        RateFault::DailyLimit | RateFault::Key => Some(due_at),
        RateFault::TooFast => {
            let asked = error.wait.unwrap_or_default();
            Some(now + TimeDelta::from_std(asked).unwrap_or(wait))
        }
        _ => None,
    };
    if let Some(until) = until {
        let until = quota::block(&txn, app, source, (until, error.fault)).await?;
        error.wait = (until - now).to_std().ok();
    }
    let for_all = matches!(error.fault, RateFault::Pair | RateFault::Key);
    let due_at = (caller == Caller::Poll || for_all).then_some(due_at);
    store::failed(&txn, app, source, (pair, error.fault, due_at)).await?;
    txn.commit().await?;
    told(pair, &error, due_at);
    Ok(error)
}

/// When a day that is used up is over: tomorrow. But if nothing was told on it yet, the source's day does
/// not begin when ours does; then an hour from now, and longer with every failure in a row.
async fn used_up(txn: &Txn, app: &App, failures: i32) -> Result<DateTime<Utc>> {
    let now = app.clock.now();
    let begun = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    let checks = store::checks(&**txn, &app.config.rates.pairs).await?;
    let mut told = checks.iter().filter_map(|check| check.checked_at);
    let tomorrow = quota::tomorrow(now);
    if told.any(|at| at >= begun) {
        return Ok(tomorrow);
    }
    let doublings = u32::try_from(failures).unwrap_or_default().min(5);
    Ok(tomorrow.min(now + FIRST_REST * 2_i32.pow(doublings)))
}

/// Longer with every failure in a row. Where calls are counted even the first wait is a quarter of the
/// usual one, so that a bad hour does not use up the day.
pub(super) fn backoff(app: &App, failures: i32) -> Duration {
    let rates = &app.config.rates;
    let first = match rates.daily_limit {
        Some(_) => (rates.stretched() / 4).max(FIRST_WAIT),
        None => FIRST_WAIT,
    };
    let doublings = u32::try_from(failures).unwrap_or_default().min(16);
    let wait = first.saturating_mul(2_u32.saturating_pow(doublings));
    wait.min(LONGEST_WAIT.max(rates.stretched()))
}

fn told(pair: &Pair, error: &RateError, due_at: Option<DateTime<Utc>>) {
    let (pair, due_at) = (pair.to_string(), due_at.map(|at| at.to_rfc3339()));
    match error.fault {
        RateFault::Pair => tracing::error!(
            pair, %error, due_at,
            "a rate is refused; check RATE_PAIRS, it is asked for again in a day or after a start with another key"
        ),
        RateFault::Key => tracing::error!(
            pair, %error, due_at,
            "exchange rates are refused; check ALPHAVANTAGE_API_KEY, they are asked for again in a day or after a \
             start with another key"
        ),
        _ => tracing::warn!(pair, %error, due_at, "a rate could not be fetched"),
    }
}
