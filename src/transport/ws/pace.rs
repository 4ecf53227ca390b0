//! How fast a client may speak.

use tokio::time::Instant;

/// What a client may still say: so many messages a second, and some at once.
#[derive(Debug)]
pub(super) struct Pace {
    a_second: f64,
    at_once: f64,
    left: f64,
    at: Instant,
}

impl Pace {
    pub(super) fn new(a_second: u32, at_once: u32) -> Self {
        let at_once = f64::from(at_once);
        Self {
            a_second: f64::from(a_second),
            at_once,
            left: at_once,
            at: Instant::now(),
        }
    }

    /// Counts one message; whether it may be.
    pub(super) fn keeps(&mut self, now: Instant) -> bool {
        let since = now.duration_since(self.at).as_secs_f64();
        self.at = now;
        self.left = (self.left + since * self.a_second).min(self.at_once) - 1.0;
        self.left >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn some_come_at_once_and_then_so_many_a_second() {
        let mut pace = Pace::new(10, 3);
        let start = pace.at;
        let said = |pace: &mut Pace, after| pace.keeps(start + Duration::from_millis(after));
        for (after, kept) in [
            (0, true),
            (0, true),
            (0, true),
            (100, true),
            (200, true),
            // A long silence saves up no more than the first three.
            (60_000, true),
            (60_000, true),
            (60_000, true),
            (60_000, false),
        ] {
            assert_eq!(said(&mut pace, after), kept, "{after} {pace:?}");
        }
    }
}
