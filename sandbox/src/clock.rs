//! The sandbox's time: the machine's clock plus an offset, or a moment held still.
//! This is the only place that asks the machine. Whoever waits for a moment waits here, so moving the clock wakes him.

use std::sync::Mutex;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use tokio::sync::Notify;

#[derive(Clone, Copy, Debug)]
enum Reading {
    Running { ahead: Duration },
    Held { at: DateTime<Utc> },
}

/// A clock that can be set, advanced, held and let run.
#[derive(Debug)]
pub(crate) struct Clock {
    reading: Mutex<Reading>,
    moved: Notify,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            reading: Mutex::new(Reading::Running {
                ahead: Duration::zero(),
            }),
            moved: Notify::new(),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        match *crate::lock(&self.reading) {
            Reading::Running { ahead } => machine_time() + ahead,
            Reading::Held { at } => at,
        }
    }

    pub(crate) fn today(&self) -> NaiveDate {
        self.now().date_naive()
    }

    pub(crate) fn is_held(&self) -> bool {
        matches!(*crate::lock(&self.reading), Reading::Held { .. })
    }

    /// Puts the clock at `at`; held, it stays there until it is moved again.
    pub(crate) fn set(&self, at: DateTime<Utc>, held: bool) {
        *crate::lock(&self.reading) = if held {
            Reading::Held { at }
        } else {
            Reading::Running {
                ahead: at - machine_time(),
            }
        };
        self.moved.notify_waiters();
    }

    pub(crate) fn advance(&self, by: Duration) {
        let held = self.is_held();
        let Some(at) = self.now().checked_add_signed(by) else {
            return;
        };
        self.set(at, held);
    }

    /// Returns once the clock shows `moment` or later.
    pub(crate) async fn reaches(&self, moment: DateTime<Utc>) {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            let left = moment - self.now();
            let Ok(left) = left.to_std() else { return };
            if left.is_zero() {
                return;
            }
            if self.is_held() {
                moved.await;
            } else {
                let _ = tokio::time::timeout(left, moved).await;
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the machine's clock"
)]
fn machine_time() -> DateTime<Utc> {
    Utc::now()
}
