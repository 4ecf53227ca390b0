//! Fetching a rate now because a person asks. Those who ask at once share one call; how it ends is told
//! to all of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::TimeDelta;
use entity::exchange_rate;
use futures_util::{
    FutureExt,
    future::{BoxFuture, WeakShared},
};

use super::{
    fetch::{Fetched, fetch},
    quota::{self, Caller},
    store,
};
use crate::{
    app::App,
    error::{Error, ErrorCode, Refusal, Result},
    graphql::exchange_rate::followed,
    money::Pair,
    providers::rates::{RateError, RateFault},
};

type Flight = WeakShared<BoxFuture<'static, Result<Fetched>>>;

/// The refreshes that are under way in this process. One that nobody waits for any more is over.
#[derive(Clone, Default)]
pub struct Flights(Arc<Mutex<HashMap<Pair, Flight>>>);

impl std::fmt::Debug for Flights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flights").finish_non_exhaustive()
    }
}

impl Flights {
    /// Joins the refresh of a pair that is under way, or begins one.
    async fn join(&self, app: &App, pair: &Pair) -> Result<Fetched> {
        let flight = {
            let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
    base: &str,
    quote: &str,
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
    match flights.join(app, &pair).await? {
        Fetched::Rate(rate) => Ok(rate),
        Fetched::NotBefore(until) => {
            let text = "The server may not ask for more rates now; `exchangeRate` has the newest there is.";
            Err(limited(text, until - app.clock.now()))
        }
        Fetched::Failed(error) => Err(refusal(app, &error)),
    }
}

/// What the source's failure means for the person.
fn refusal(app: &App, error: &RateError) -> Error {
    let now = app.clock.now();
    if let Some(error) = for_good(error.fault) {
        return error;
    }
    match error.fault {
        RateFault::DailyLimit => {
            let text = "The rates of this day are used up; `exchangeRate` has the newest there is.";
            limited(text, quota::tomorrow(now) - now)
        }
        RateFault::TooFast => {
            let wait = TimeDelta::from_std(error.wait.unwrap_or_default());
            let text = "The source of rates wants to be asked less often. Try again later.";
            limited(text, wait.unwrap_or_default())
        }
        _ => {
            let text = "The source of rates does not tell this one at the moment. Try again later; \
                        `exchangeRate` has the newest there is.";
            let refusal = Refusal::new(ErrorCode::ProviderUnavailable, text);
            refusal.retry_after(60).into()
        }
    }
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
