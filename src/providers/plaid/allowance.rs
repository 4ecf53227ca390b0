//! How often Plaid may be asked for keys we have never seen. The name of a key is whatever the sender
//! of a webhook wrote, so asking is what a stranger can make us do.
//!
//! Ten fetches a minute in all. Names that are new may use six; the other four are kept for names
//! that were turned away before and come again. After Plaid rotates its key every webhook carries the
//! new name, and those that were refused are sent again after 30 s and 2 min; names that a flood makes
//! up do not return. A flood that repeats its names on purpose can still use up both shares: then
//! webhooks under a key we never saw are answered 503 until it ends, those under known keys pass as
//! ever, and the daily sweep syncs what was missed. Nothing in a request would tell the two apart.

use std::collections::{HashSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

/// Fetches a minute, in all.
const PER_MINUTE: usize = 10;

/// Of these, how many may be for names that were not seen before.
const FOR_NEWCOMERS: usize = 6;

const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// Names are remembered for one to two rounds.
const ROUND: TimeDelta = TimeDelta::minutes(2);

/// Most names that are remembered in a round. When 5,000 a second are made up, each webhook under a
/// new key still has three chances in a hundred to be remembered, and a rotation brings many.
const NAMES_MAX: usize = 16 * 1024;

/// The share-out of fetches.
#[derive(Default)]
pub(super) struct Allowance {
    spent: VecDeque<DateTime<Utc>>,
    recent: HashSet<String>,
    earlier: HashSet<String>,
    round_began: DateTime<Utc>,
}

impl Allowance {
    /// Whether Plaid may be asked for this key now. A yes is spent; a no is remembered.
    pub(super) fn take(&mut self, kid: &str, now: DateTime<Utc>) -> bool {
        self.turn(now);
        self.spent.retain(|at| now - *at < MINUTE);
        let limit = if self.recent.contains(kid) || self.earlier.contains(kid) {
            PER_MINUTE
        } else {
            FOR_NEWCOMERS
        };
        let granted = self.spent.len() < limit;
        if granted {
            self.spent.push_back(now);
        } else {
            self.note(kid, now);
        }
        granted
    }

    /// Remembers that somebody wanted this key and did not get it.
    pub(super) fn note(&mut self, kid: &str, now: DateTime<Utc>) {
        self.turn(now);
        if self.recent.len() < NAMES_MAX {
            self.recent.insert(kid.to_owned());
        }
    }

    /// Begins a new round when the old one is over, and forgets the one before it.
    fn turn(&mut self, now: DateTime<Utc>) {
        let age = now - self.round_began;
        if age < ROUND {
            return;
        }
        let last = std::mem::take(&mut self.recent);
        self.earlier = if age < ROUND * 2 {
            last
        } else {
            HashSet::new()
        };
        self.round_began = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    /// How many of so many made-up names Plaid is asked for.
    fn flood(allowance: &mut Allowance, names: u32, now: DateTime<Utc>) -> usize {
        let granted = (0..names).filter(|n| allowance.take(&format!("{now}-{n}"), now));
        granted.count()
    }

    #[test]
    fn a_flood_of_names_is_asked_for_six_times_a_minute() {
        let mut allowance = Allowance::default();
        assert_eq!(flood(&mut allowance, 10_000, at(0)), FOR_NEWCOMERS);
        assert_eq!(flood(&mut allowance, 10_000, at(59)), 0);
        assert_eq!(flood(&mut allowance, 10_000, at(60)), FOR_NEWCOMERS);
    }

    #[test]
    fn a_name_that_comes_again_is_asked_for_in_spite_of_a_flood() {
        let mut allowance = Allowance::default();
        flood(&mut allowance, 1_000, at(0));
        assert!(!allowance.take("rotated", at(1)));
        for second in 2..30 {
            flood(&mut allowance, 100, at(second));
        }
        assert!(allowance.take("rotated", at(30)));
    }

    #[test]
    fn it_is_still_known_two_minutes_later_and_forgotten_in_the_end() {
        let mut allowance = Allowance::default();
        for (first, again, expected) in [(0, 150, true), (1_000, 1_241, false)] {
            flood(&mut allowance, 10, at(first));
            assert!(!allowance.take("rotated", at(first)));
            flood(&mut allowance, 10, at(again - 1));
            assert_eq!(allowance.take("rotated", at(again)), expected, "{again}");
        }
    }

    #[test]
    fn names_that_return_use_no_more_than_ten_fetches() {
        let mut allowance = Allowance::default();
        let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        for name in &names {
            allowance.note(name, at(0));
        }
        let granted = names.iter().filter(|name| allowance.take(name, at(1)));
        assert_eq!(granted.count(), PER_MINUTE);
    }

    #[test]
    fn memory_is_bounded() {
        let mut allowance = Allowance::default();
        for second in 0..360 {
            flood(&mut allowance, 1_000, at(second));
        }
        assert!(allowance.recent.len() <= NAMES_MAX && allowance.earlier.len() <= NAMES_MAX);
        assert!(allowance.spent.len() <= PER_MINUTE);
    }
}
