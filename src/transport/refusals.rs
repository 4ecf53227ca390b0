//! How often a client is refused at once. A refusal is cheap and not free: whoever is refused all the
//! time could keep the processors busy with it. So refusals beyond so many a second are told late, and
//! a client that waits for them sends no more; what is not refused never waits.
//!
//! Counted by the address a request comes from, so that more connections gain nothing. People behind
//! one address share it, and what they share is the wait for a refusal, at most a second.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Refusals that are told at once, when there were none for a while.
const AT_ONCE: u32 = 100;
/// After that, one each time this has passed.
const EACH: Duration = Duration::from_millis(20);
/// No refusal waits longer.
const LONGEST: Duration = Duration::from_secs(1);
/// Addresses that are remembered before the quiet ones are forgotten.
const MANY: usize = 10_000;

/// When everything is forgiven, by address.
#[derive(Clone, Debug, Default)]
pub struct Refusals(Arc<Mutex<HashMap<IpAddr, Instant>>>);

impl Refusals {
    /// Counts a refusal; how long to wait before it is told.
    pub(super) fn wait(&self, address: IpAddr, now: Instant) -> Duration {
        let mut forgiven = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if forgiven.len() >= MANY {
            forgiven.retain(|_, at| *at > now);
        }
        let at = forgiven.entry(address).or_insert(now);
        let behind = at.duration_since(now).saturating_sub(EACH * AT_ONCE);
        // Nobody is remembered to owe more than she can be made to wait.
        if behind < LONGEST {
            *at = (*at).max(now) + EACH;
        }
        behind.min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_told_at_once_and_then_so_many_a_second() {
        let refusals = Refusals::default();
        let (start, her) = (Instant::now(), [192, 0, 2, 1].into());
        for _ in 0..=AT_ONCE {
            assert_eq!(refusals.wait(her, start), Duration::ZERO);
        }
        assert_eq!(refusals.wait(her, start), EACH);
        assert_eq!(refusals.wait(her, start), EACH * 2);
        assert_eq!(refusals.wait([192, 0, 2, 2].into(), start), Duration::ZERO);
        for _ in 0..1_000 {
            assert!(refusals.wait(her, start) <= LONGEST);
        }
        let later = start + LONGEST + EACH * (AT_ONCE + 2);
        assert_eq!(refusals.wait(her, later), Duration::ZERO);
    }
}
