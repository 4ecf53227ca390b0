//! What the face remembers: how many calls each key made, and what it was told to say.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::market::{self, Rate};
use super::says::Says;

/// The state of the face.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) rules: Rules,
    counts: HashMap<String, Count>,
}

/// How the face behaves, as the control path tells it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rules {
    /// Calls a day for each key; 0 for no limit.
    pub(crate) daily_limit: u32,
    /// Whether a second call within a second is refused.
    pub(crate) one_a_second: bool,
    /// What the next calls are answered.
    pub(crate) next: VecDeque<Says>,
    /// What all calls after those are answered.
    pub(crate) always: Option<Says>,
    /// How long each answer takes.
    pub(crate) latency_ms: u64,
    /// Rates that are told in the place of invented ones, by `BASE/QUOTE`.
    pub(crate) rates: BTreeMap<String, Pinned>,
}

/// A rate as somebody wants it told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pinned {
    pub(crate) rate: String,
    #[serde(default)]
    pub(crate) bid: Option<String>,
    #[serde(default)]
    pub(crate) ask: Option<String>,
    /// The moment it holds for; now if absent.
    #[serde(default)]
    pub(crate) at: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Count {
    day: NaiveDate,
    calls: u32,
    last: DateTime<Utc>,
}

impl Desk {
    /// What the next call is answered, if somebody has said so.
    pub(crate) fn told_to_say(&mut self) -> Option<Says> {
        let told = self.rules.next.pop_front();
        let told = told.or_else(|| self.rules.always.clone());
        told.filter(|says| *says != Says::Usual)
    }

    /// Counts a call; says so if it is one too many.
    pub(crate) fn count(&mut self, key: &str, now: DateTime<Utc>) -> Option<Says> {
        let today = now.date_naive();
        let long_ago = now - TimeDelta::days(1);
        let count = self.counts.entry(key.to_owned()).or_insert(Count {
            day: today,
            calls: 0,
            last: long_ago,
        });
        if count.day != today {
            (count.day, count.calls) = (today, 0);
        }
        let limit = self.rules.daily_limit;
        if limit > 0 && count.calls >= limit {
            return Some(Says::DailyLimit);
        }
        if self.rules.one_a_second && now - count.last < TimeDelta::seconds(1) {
            return Some(Says::TooFast);
        }
        (count.calls, count.last) = (count.calls + 1, now);
        None
    }

    /// The rate of a pair: the one that was ordered, or an invented one.
    pub(crate) fn rate(&self, pair: &str, seed: u64, now: DateTime<Utc>) -> Option<Rate> {
        let invented = market::rate(pair, seed, now)?;
        let Some(pinned) = self.rules.rates.get(pair).cloned() else {
            return Some(invented);
        };
        Some(Rate {
            rate: pinned.rate,
            bid: pinned.bid,
            ask: pinned.ask,
            at: pinned.at.unwrap_or(invented.at),
            ..invented
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_so_many_calls_and_a_second_one() {
        let mut desk = Desk::default();
        desk.rules.daily_limit = 2;
        desk.rules.one_a_second = true;
        let at = |ms: i64| DateTime::from_timestamp_millis(1_771_027_200_000 + ms).unwrap();
        for (ms, told) in [
            (0, None),
            (999, Some(Says::TooFast)),
            (1_000, None),
            (5_000, Some(Says::DailyLimit)),
            (86_400_000, None),
        ] {
            assert_eq!(desk.count("key", at(ms)), told, "{ms}");
        }
        assert_eq!(desk.count("other", at(86_400_001)), None);
    }
}
