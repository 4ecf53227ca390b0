//! Fetching a rate now because a person asks. Those who ask at once share one call; how it ends is told
//! to all of them. Where calls are counted, a rate that is half a minute old costs none, and nobody takes
//! more than half of what people have left of the day. Who took what is counted in this process alone:
//! with several replicas, or after a restart, somebody may take half of the rest once more. Refused: a
//! row for each person and day, for what a lost count costs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::exchange_rate;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use uuid::Uuid;

use super::{
    fetch::{Fetched, fetch, told_since},
    quota::{self, Caller},
    store,
};
use crate::{
    app::App,
    error::{Error, ErrorCode, Refusal, Result},
    graphql::exchange_rate::followed,
    money::Pair,
    providers::rates::{RateFault, RateSource},
    viewer::Viewer,
};

/// Where calls are counted, a rate that the source has told so lately is not asked for again.
const LATELY: TimeDelta = TimeDelta::seconds(30);

type Flight = WeakShared<BoxFuture<'static, Result<Fetched>>>;

/// The refreshes that are under way in this process, and how many each person has begun on a day. One
/// that nobody waits for any more is over.
#[derive(Clone, Default)]
pub struct Flights {
    under_way: Arc<Mutex<HashMap<Pair, Flight>>>,
    begun: Arc<Mutex<HashMap<Uuid, (NaiveDate, u32)>>>,
}

impl std::fmt::Debug for Flights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flights").finish_non_exhaustive()
    }
}

impl Flights {
    /// The refresh of a pair that is under way, if one is.
    fn under_way(&self, pair: &Pair) -> Option<Shared<BoxFuture<'static, Result<Fetched>>>> {
        let flights = self.under_way.lock();
        let flights = flights.unwrap_or_else(PoisonError::into_inner);
        flights.get(pair).and_then(WeakShared::upgrade)
    }

    /// Joins the refresh of a pair that is under way, or begins one.
    async fn join(&self, app: &App, pair: &Pair) -> Result<Fetched> {
        let flight = {
            let flights = self.under_way.lock();
            let mut flights = flights.unwrap_or_else(PoisonError::into_inner);
            let under_way = flights.get(pair).and_then(WeakShared::upgrade);
            under_way.unwrap_or_else(|| {
                flights.retain(|_, flight| flight.upgrade().is_some());
                let flight = begin(app.clone(), pair.clone()).boxed().shared();
                flights.extend(flight.downgrade().map(|weak| (pair.clone(), weak)));
                flight
            })
        };
        flight.await
    }

    /// Counts a refresh that a person begins; whether it is within her half of what was left, rounded up.
    fn has_share(&self, viewer: Viewer, left: u32, today: NaiveDate) -> bool {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|_, (day, _)| *day == today);
        let (_, taken) = begun.entry(viewer.user_id).or_insert((today, 0));
        // What she has taken herself was left before.
        let has = *taken < left.saturating_add(*taken).div_ceil(2);
        *taken += u32::from(has);
        has
    }

    /// Gives a refresh back that came to no call.
    fn give_back(&self, viewer: Viewer) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, taken)) = begun.get_mut(&viewer.user_id) {
            *taken = taken.saturating_sub(1);
        }
    }
}

async fn begin(app: App, pair: Pair) -> Result<Fetched> {
    let source = app.rates.clone().ok_or_else(nobody)?;
    let asked = app.clock.now();
    fetch(&app, &*source, &pair, (Caller::Person, asked)).await
}

/// Fetches the rate of a pair now, within what is left of the day.
pub(super) async fn refresh_exchange_rate(
    app: &App,
    flights: &Flights,
    viewer: Viewer,
    (base, quote): (&str, &str),
) -> Result<exchange_rate::Model> {
    let pair = followed(app, base, quote).map_err(|text| Error::invalid("base", text))?;
    let source = app.rates.as_deref().ok_or_else(nobody)?;
    let known = store::check(app.db.read(), &pair).await?;
    let refused =
        known.filter(|check| check.account == source.account() && check.due_at > app.clock.now());
    if let Some(fault) = refused.and_then(|check| check.fault)
        && let Some(error) = for_good(fault)
    {
        return Err(error);
    }
    let counted = match cost(app, source, flights, (viewer, &pair)).await? {
        Cost::Known(rate) => return Ok(rate),
        Cost::Share => true,
        Cost::Nothing => false,
    };
    let now = app.clock.now();
    match flights.join(app, &pair).await? {
        Fetched::Rate(rate) => Ok(rate),
        Fetched::NotBefore(until, fault) => {
            if counted {
                flights.give_back(viewer);
            }
            Err(refusal(fault, Some(until), app.clock.now()))
        }
        Fetched::Failed(error) => {
            let until = error.wait.and_then(|wait| TimeDelta::from_std(wait).ok());
            Err(refusal(
                Some(error.fault),
                until.map(|wait| now + wait),
                now,
            ))
        }
    }
}

/// What a refresh costs the person who asks for it.
enum Cost {
    /// A call of her share.
    Share,
    /// No call: the rate was told just now.
    Known(exchange_rate::Model),
    /// None of hers: calls are not counted, or somebody else's is under way, or none is left.
    Nothing,
}

async fn cost(
    app: &App,
    source: &dyn RateSource,
    flights: &Flights,
    (viewer, pair): (Viewer, &Pair),
) -> Result<Cost> {
    if flights.under_way(pair).is_some() {
        return Ok(Cost::Nothing);
    }
    let Some(left) = quota::left(app, source).await? else {
        return Ok(Cost::Nothing);
    };
    let now = app.clock.now();
    if let Some(rate) = told_since(app, pair, now - LATELY).await? {
        return Ok(Cost::Known(rate));
    }
    if app.config.rates.reserve() == Some(0) {
        let text = "The daily limit of this server's key leaves no call to people.";
        return Err(misconfigured(text));
    }
    if left == 0 {
        return Ok(Cost::Nothing);
    }
    if flights.has_share(viewer, left, now.date_naive()) {
        return Ok(Cost::Share);
    }
    let text =
        "You have had your share of the rates of this day; `exchangeRate` has the newest there is.";
    Err(limited(text, quota::tomorrow(now) - now))
}

/// What it means for the person that the source said this, now or some time ago; nothing if it is the
/// day's calls that are used up, or their turn that is too far ahead.
fn refusal(fault: Option<RateFault>, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Error {
    if let Some(error) = fault.and_then(for_good) {
        return error;
    }
    let text = match fault {
        None => {
            "The server may not ask for more rates now; `exchangeRate` has the newest there is."
        }
        Some(RateFault::DailyLimit) => {
            "The rates of this day are used up; `exchangeRate` has the newest there is."
        }
        Some(RateFault::TooFast) => {
            "The source of rates wants to be asked less often. Try again later."
        }
        Some(_) => {
            let text = "The source of rates does not tell this one at the moment. Try again later; \
                        `exchangeRate` has the newest there is.";
            let refusal = Refusal::new(ErrorCode::ProviderUnavailable, text);
            return refusal.retry_after(60).into();
        }
    };
    limited(text, until.unwrap_or(now) - now)
}

/// What does not pass by itself.
fn for_good(fault: RateFault) -> Option<Error> {
    match fault {
        RateFault::Key => Some(misconfigured(
            "The source of rates does not take this server's key.",
        )),
        RateFault::Pair => Some(misconfigured(
            "The source of rates does not know this pair.",
        )),
        _ => None,
    }
}

fn limited(text: &str, wait: TimeDelta) -> Error {
    // Not a moment too early.
    let seconds = u32::try_from(wait.num_seconds().max(0) + 1).unwrap_or(u32::MAX);
    Refusal::new(ErrorCode::RateLimited, text)
        .retry_after(seconds)
        .into()
}

fn misconfigured(what: &str) -> Error {
    let text = format!("{what} Tell whoever runs the server.");
    Refusal::new(ErrorCode::ProviderMisconfigured, text).into()
}

fn nobody() -> Error {
    misconfigured("This server has no source of exchange rates.")
}
