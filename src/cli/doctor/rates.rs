//! Exchange rates: what came of the last calls, as the server has written it down. Nothing is asked,
//! since a call costs one of the day's.

use entity::{
    exchange_rate,
    rate_check::{self, RateFault},
};

use super::Finding;
use crate::{
    cli::source,
    clock::Clock,
    config::Config,
    database::Database,
    money::Pair,
    providers::rates::RateSource,
    rates::{OLD, checks},
    ticker,
};

const SUBJECT: &str = "rates";

pub(super) async fn look(config: &Config, db: Option<&Database>, findings: &mut Vec<Finding>) {
    let pairs = &config.rates.pairs;
    if pairs.is_empty() {
        let text = "none are wanted: RATE_PAIRS is none";
        return findings.push(Finding::fine(SUBJECT, text));
    }
    // Where a server's own sandbox would be, which is as good as any for knowing that there is one.
    let local = format!("http://{}", config.sandbox_listen);
    let clock = Clock::default();
    let source = match source::rates(config, Some(&local), clock.clone()) {
        Ok(source) => source,
        Err(error) => return findings.push(Finding::problem(SUBJECT, error.chain())),
    };
    if let Some(remark) = source::remark(config, source.as_deref()) {
        findings.push(Finding::warning(SUBJECT, remark));
    }
    let Some(source) = source else { return };
    // Before its last step a database has no table to ask.
    let known = match db {
        Some(db) => checks(db.read(), pairs).await.unwrap_or_default(),
        None => Vec::new(),
    };
    for pair in pairs {
        let check = known.iter().find(|check| {
            (check.base == pair.base && check.quote == pair.quote)
                // The sandbox has another address with every start, and no key to be refused.
                && (config.rates.api_key.is_none() || check.account == source.account())
        });
        let told = match db {
            Some(db) => ticker::latest(db.read(), pair).await.ok().flatten(),
            None => None,
        };
        findings.push(
            match told.filter(|_| check.is_some_and(|check| check.fault.is_none())) {
                Some(rate) if clock.now() - rate.provider_time > OLD => old(pair, &rate),
                _ => judge(pair, check, &*source),
            },
        );
    }
}

/// What the source tells again and again and has not looked at for long.
fn old(pair: &Pair, rate: &exchange_rate::Model) -> Finding {
    let (source, at) = (&rate.source, rate.provider_time.to_rfc3339());
    let text = format!(
        "{pair}: the newest rate {source} tells is of {at}, more than a week ago; check that the pair is still traded"
    );
    Finding::warning(SUBJECT, text)
}

fn judge(pair: &Pair, check: Option<&rate_check::Model>, source: &dyn RateSource) -> Finding {
    let name = source.name();
    let Some(check) = check else {
        let text = format!("{pair}: {name} has not been asked yet; a server does so as it starts");
        return Finding::fine(SUBJECT, text);
    };
    let told = |at: Option<chrono::DateTime<chrono::Utc>>| {
        at.map_or_else(|| "never".to_owned(), |at| at.to_rfc3339())
    };
    let last = format!("last told {}", told(check.checked_at));
    let Some(fault) = check.fault else {
        return Finding::fine(SUBJECT, format!("{pair}: {last} by {name}"));
    };
    let (at, due_at) = (told(check.failed_at), check.due_at.to_rfc3339());
    match fault {
        RateFault::Key => Finding::problem(
            SUBJECT,
            format!(
                "{pair}: {name} refused the key at {at}; check ALPHAVANTAGE_API_KEY: a start with another key asks at \
                 once, with this one the server asks again at {due_at}"
            ),
        ),
        RateFault::Pair => Finding::problem(
            SUBJECT,
            format!("{pair}: {name} does not know the pair ({at}); check RATE_PAIRS, {last}"),
        ),
        RateFault::DailyLimit => Finding::warning(
            SUBJECT,
            format!(
                "{pair}: the day's calls were used up at {at}; lower RATE_DAILY_LIMIT to what the key has. The server \
                 asks again at {due_at}; {last}"
            ),
        ),
        RateFault::TooFast | RateFault::Empty | RateFault::Unanswered | RateFault::Malformed => {
            Finding::warning(
                SUBJECT,
                format!("{pair}: {name} told nothing at {at}, and is asked again; {last}"),
            )
        }
    }
}
