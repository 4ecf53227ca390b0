//! When the sweep looks at an item next. A sync that ends says so, so that the sweep has nothing to
//! find out: what is well is looked at once a day, what is still downloading sooner, what fails at
//! growing distances, and what waits for its owner not at all.

use chrono::{DateTime, TimeDelta, Utc};
use entity::item::{self, LinkStatus};

use crate::providers::Readiness;

/// How long an item is left alone of which nothing is heard.
pub(super) const DAY: TimeDelta = TimeDelta::days(1);
/// How long until a history that is still downloading is looked at.
const SOON: TimeDelta = TimeDelta::minutes(10);
/// How long until a sync that failed for good is tried anew.
const FIRST_DISTANCE: TimeDelta = TimeDelta::hours(1);

/// Of an item that was just linked: its first sync is asked for with it.
pub(crate) fn at_first(now: DateTime<Utc>) -> DateTime<Utc> {
    now + SOON
}

/// After a sync that succeeded. A history that does not come to its end is looked at ever less: after
/// as long as it has been downloading.
pub(super) fn after_success(
    item: &item::Model,
    status: LinkStatus,
    readiness: Readiness,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let wait = match readiness {
        Readiness::Complete => DAY,
        _ => (now - item.created_at).clamp(SOON, DAY),
    };
    may_help_itself(status).then(|| now + wait)
}

/// After a sync that failed for good, the last of so many in a row.
pub(super) fn after_failure(
    status: LinkStatus,
    failed: i32,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let doublings = u32::try_from(failed - 1).unwrap_or_default().min(5);
    let wait = (FIRST_DISTANCE * 2_i32.pow(doublings)).min(DAY);
    may_help_itself(status).then(|| now + wait)
}

/// Whether asking again can change anything without the person.
fn may_help_itself(status: LinkStatus) -> bool {
    matches!(
        status,
        LinkStatus::Success | LinkStatus::Processing | LinkStatus::Error
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_grow_apart_up_to_a_day() {
        let now = DateTime::UNIX_EPOCH;
        let hours = |failed| {
            let due = after_failure(LinkStatus::Success, failed, now);
            (due.unwrap() - now).num_hours()
        };
        assert_eq!([1, 2, 3, 4, 5, 6, 700].map(hours), [1, 2, 4, 8, 16, 24, 24]);
        for hopeless in [
            LinkStatus::LoginRequired,
            LinkStatus::InvalidCredentials,
            LinkStatus::Challenged,
            LinkStatus::Disconnected,
        ] {
            assert_eq!(after_failure(hopeless, 1, now), None);
        }
    }
}
