//! What an answer means. A rate is there exactly if its outer key is; everything else is told by one
//! other key, and by words that have changed more than once. When in doubt a notice means that we
//! asked too often.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::{
    money::Pair,
    providers::rates::{Quote, RateError, RateFault},
};

/// How far the source's clock may be ahead of ours.
const AHEAD: TimeDelta = TimeDelta::minutes(10);

/// The largest rate that is believed; more would leave no digits for amounts.
const RATE_MAX: Decimal = Decimal::from_parts(2_808_348_672, 232_830_643, 0, false, 0);

/// A free key's burst limit is a call a second.
const BURST: Duration = Duration::from_secs(2);

/// The limit of years past was five calls a minute, and that of plans is so many still.
const MINUTE: Duration = Duration::from_mins(1);

/// A notice in words nobody knows.
const UNKNOWN: Duration = Duration::from_hours(1);

/// Reads an answer to a question for a pair.
pub(super) fn read(text: &str, pair: &Pair, now: DateTime<Utc>) -> Result<Quote, RateError> {
    let Ok(Value::Object(answer)) = serde_json::from_str(text) else {
        return Err(malformed(format!(
            "{} bytes that are no JSON object",
            text.len()
        )));
    };
    if let Some(Value::Object(rate)) = answer.get("Realtime Currency Exchange Rate") {
        return quote(rate, pair, now);
    }
    let said = |key: &str| answer.get(key).map(|text| text.to_string().to_lowercase());
    if let Some(text) = said("Error Message") {
        return Err(error_message(&text));
    }
    if let Some(text) = said("Information") {
        return Err(information(&text));
    }
    if said("Note").is_some() {
        return Err(
            RateError::new(RateFault::TooFast, "a note that the calls come too fast").wait(MINUTE),
        );
    }
    Err(if answer.is_empty() {
        RateError::new(RateFault::Empty, "an empty answer")
    } else {
        malformed("an answer of no known sort")
    })
}

fn error_message(text: &str) -> RateError {
    if text.contains("apikey") {
        return RateError::new(RateFault::Key, "an error message: the key is not taken");
    }
    RateError::new(RateFault::Pair, "an error message: the pair is not known")
}

/// The notice about calls that come too fast names the daily limit too, so it is looked for first.
fn information(text: &str) -> RateError {
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let too_fast = RateError::new(RateFault::TooFast, "a notice that the calls come too fast");
    if says(&["per minute"]) {
        return too_fast.wait(MINUTE);
    }
    if says(&["sparingly", "per second"]) {
        return too_fast.wait(BURST);
    }
    if says(&["per day", "daily"]) {
        return RateError::new(
            RateFault::DailyLimit,
            "a notice that the day's calls are used up",
        );
    }
    if says(&[
        "demo purposes",
        "demo api key",
        "demo** api key",
        "premium endpoint",
    ]) {
        return RateError::new(RateFault::Key, "a notice that the key is not good for this");
    }
    RateError::new(RateFault::TooFast, "a notice in words we do not know").wait(UNKNOWN)
}

fn quote(fields: &Map<String, Value>, pair: &Pair, now: DateTime<Utc>) -> Result<Quote, RateError> {
    let text = |key: &str| match fields.get(key) {
        Some(Value::String(text)) => Some(text.trim().to_owned()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let price = |key: &str| {
        let number = Decimal::from_str_exact(&text(key)?).ok()?;
        (number > Decimal::ZERO && number <= RATE_MAX).then(|| number.normalize())
    };
    let told = (text("1. From_Currency Code"), text("3. To_Currency Code"));
    let asked = (Some(pair.base.as_str()), Some(pair.quote.as_str()));
    if (told.0.as_deref(), told.1.as_deref()) != asked {
        return Err(malformed("a rate of another pair"));
    }
    let rate = price("5. Exchange Rate");
    let rate = rate.ok_or_else(|| malformed("a rate that is no price"))?;
    let zone = text("7. Time Zone").unwrap_or_default();
    if !["UTC", "GMT", "Etc/UTC", "Z"].contains(&zone.as_str()) {
        return Err(malformed("a rate whose time has no zone we know"));
    }
    let at = text("6. Last Refreshed").unwrap_or_default();
    let at = NaiveDateTime::parse_from_str(&at, "%Y-%m-%d %H:%M:%S");
    let at = at
        .map_err(|_| malformed("a rate without a time"))?
        .and_utc();
    if at > now + AHEAD {
        return Err(malformed("a rate of the future"));
    }
    Ok(Quote {
        rate,
        bid: price("8. Bid Price"),
        ask: price("9. Ask Price"),
        at,
    })
}

fn malformed(detail: impl Into<String>) -> RateError {
    RateError::new(RateFault::Malformed, detail)
}
