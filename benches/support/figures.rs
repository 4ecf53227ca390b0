//! Durations boiled down.

use std::{fmt, time::Duration};

/// How a set of durations spreads.
pub(crate) struct Spread(Vec<Duration>);

impl Spread {
    pub(crate) fn of(durations: impl IntoIterator<Item = Duration>) -> Self {
        let mut sorted: Vec<Duration> = durations.into_iter().collect();
        sorted.sort_unstable();
        Self(sorted)
    }

    /// The duration that so many hundredths of all do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let at = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(at).copied().unwrap_or_default()
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |percent| self.percentile(percent).as_secs_f64() * 1e3;
        let (n, p50, p99, most) = (self.0.len(), ms(50), ms(99), ms(100));
        write!(
            f,
            "p50 {p50:.2} ms, p99 {p99:.2} ms, longest {most:.2} ms of {n}"
        )
    }
}
