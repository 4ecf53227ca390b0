//! Where a reading stands. MX has no cursor and no list of what is gone, so ours is a place in up to two
//! listings: what was updated since the last reading, with two days' overlap since MX counts in days;
//! and what is recent, whole, since only that tells which pending transactions are still there. The
//! first reading is one listing of everything.
//!
//! Pages have numbers, and what is added or removed between two of them moves rows from one to the
//! next. A number of entries that changes or is not met, or a row that comes on two pages, gives that
//! away, and the reading begins again. What nothing gives away, one that went and one that came, is made good by the next
//! reading of everything, a week later at most; that one also misses the posted rows that MX has taken
//! back, which no other listing tells of.

use std::fmt;

use chrono::{Days, NaiveDate};

use crate::error::{ErrorClass, ProviderError};

/// Rows in a page: the most there may be; a larger number silently means 25.
pub(super) const PAGE_SIZE: u32 = 1000;

/// Days that the updated are read again for.
const OVERLAP: u64 = 2;
/// Days that the recent are read for, before the last reading.
const RECENT: u64 = 30;
/// Days that are asked for in the beginning. MX has what the bank gives, two years as a rule.
const EVERYTHING: u64 = 3_653;
/// Days ahead: banks date what is scheduled in the future.
const AHEAD: u64 = 31;
/// Days after which everything is read again. MX lists updates of six months at most, which is more.
const WHOLE: u64 = 7;

/// A place in a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    listing: Listing,
    /// The day the reading began: the next one goes on from there.
    begun: NaiveDate,
    /// The day the last reading of everything began.
    whole: NaiveDate,
    pub(super) page: u32,
    /// How many entries the listing had on the page before.
    total: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listing {
    Everything,
    /// What was updated since the last reading, which began on this day.
    Updated(NaiveDate),
    /// What is recent, seen from the day of the last reading.
    Recent(NaiveDate),
}

impl Place {
    /// Where to go on. A place that makes no sense is of nothing here.
    pub(super) fn read(cursor: Option<&str>, today: NaiveDate) -> Result<Self, ProviderError> {
        let at = |listing, whole| Self {
            listing,
            begun: today,
            whole,
            page: 1,
            total: None,
        };
        let Some(text) = cursor.filter(|text| !text.is_empty()) else {
            return Ok(at(Listing::Everything, today));
        };
        if let Some((since, whole)) = rest(text) {
            if since > today || since < whole {
                return Err(strange("a reading of another time"));
            }
            if whole <= before(today, WHOLE) {
                return Err(strange("everything is to be read again"));
            }
            return Ok(at(Listing::Updated(since), whole));
        }
        Self::parse(text).ok_or_else(|| strange("a place in no listing"))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (kind, since) = (parts.next()?, parts.next()?.parse().ok()?);
        Some(Self {
            listing: match kind {
                "all" => Listing::Everything,
                "updated" => Listing::Updated(since),
                "recent" => Listing::Recent(since),
                _ => return None,
            },
            begun: parts.next()?.parse().ok()?,
            whole: parts.next()?.parse().ok()?,
            page: parts.next()?.parse().ok()?,
            total: parts.next().and_then(|total| total.parse().ok()),
        })
    }

    /// What to ask for. Dates are days, and both ends are in.
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let until = self.begun.checked_add_days(Days::new(AHEAD));
        let until = ("to_date", until.unwrap_or(self.begun).to_string());
        let from = |day: NaiveDate| ("from_date", day.to_string());
        let all = from(before(self.begun, EVERYTHING));
        match self.listing {
            Listing::Everything => vec![all, until],
            Listing::Updated(since) => {
                let since = before(since, OVERLAP).to_string();
                vec![all, until, ("from_updated_at", since)]
            }
            Listing::Recent(_) => {
                let since = self.pending_since().unwrap_or(self.begun);
                vec![from(since), until]
            }
        }
    }

    /// Which listing it is, for whoever compares its pages.
    pub(super) fn number(&self) -> u8 {
        match self.listing {
            Listing::Everything | Listing::Updated(_) => 0,
            Listing::Recent(_) => 1,
        }
    }

    /// Since when this listing names all pending transactions, if it does.
    pub(super) fn pending_since(&self) -> Option<NaiveDate> {
        match self.listing {
            Listing::Recent(since) => Some(before(since, RECENT)),
            _ => None,
        }
    }

    /// The cursor behind this page, and whether there is more to read in this reading.
    ///
    /// # Errors
    /// [`ErrorClass::RestartPages`] if the listing has changed since the page before.
    pub(super) fn next(self, total: u64, pages: u32) -> Result<(String, bool), ProviderError> {
        if self.total.is_some_and(|before| before != total) {
            return Err(moved("the number of entries changed between two pages"));
        }
        let next = if self.page < pages {
            Self {
                page: self.page + 1,
                total: Some(total),
                ..self
            }
        } else if let Listing::Updated(since) = self.listing {
            Self {
                listing: Listing::Recent(since),
                page: 1,
                total: None,
                ..self
            }
        } else {
            return Ok((format!("{}/{}", self.begun, self.whole), false));
        };
        Ok((next.to_string(), true))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, since) = match self.listing {
            Listing::Everything => ("all", self.begun),
            Listing::Updated(since) => ("updated", since),
            Listing::Recent(since) => ("recent", since),
        };
        let Self {
            begun, whole, page, ..
        } = self;
        write!(f, "{kind}/{since}/{begun}/{whole}/{page}")?;
        match self.total {
            Some(total) => write!(f, "/{total}"),
            None => Ok(()),
        }
    }
}

/// Where a reading rests: the day it began, and the day of the last reading of everything.
fn rest(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let (since, whole) = text.split_once('/')?;
    Some((since.parse().ok()?, whole.parse().ok()?))
}

fn before(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(day)
}

fn moved(detail: &str) -> ProviderError {
    told(ErrorClass::RestartPages, "moved", detail)
}

fn strange(detail: &str) -> ProviderError {
    told(ErrorClass::ResetCursor, "cursor", detail)
}

fn told(class: ErrorClass, code: &str, detail: &str) -> ProviderError {
    ProviderError {
        class,
        code: code.to_owned(),
        display_message: None,
        request_id: None,
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// Reads on from a cursor; what was asked for on each page, and where it rests in the end.
    fn walk(cursor: Option<&str>, pages: u32) -> (Vec<String>, String) {
        let today = day("2026-11-21");
        let mut cursor = cursor.map(str::to_owned);
        let mut asked = Vec::new();
        loop {
            let place = Place::read(cursor.as_deref(), today).unwrap();
            let query: Vec<String> = place
                .query()
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            asked.push(format!("{} page={}", query.join(" "), place.page));
            let (next, more) = place.next(2_000, pages).unwrap();
            if !more {
                return (asked, next);
            }
            cursor = Some(next);
        }
    }

    #[test]
    fn the_first_reading_is_of_everything() {
        let (asked, rest) = walk(None, 2);
        assert_eq!(
            asked,
            [
                "from_date=2016-11-20 to_date=2026-12-22 page=1",
                "from_date=2016-11-20 to_date=2026-12-22 page=2"
            ]
        );
        assert_eq!(rest, "2026-11-21/2026-11-21");
    }

    #[test]
    fn a_later_one_is_of_what_was_updated_and_of_what_is_recent() {
        let (asked, rest) = walk(Some("2026-11-18/2026-11-15"), 1);
        assert_eq!(
            asked,
            [
                "from_date=2016-11-20 to_date=2026-12-22 from_updated_at=2026-11-16 page=1",
                "from_date=2026-10-19 to_date=2026-12-22 page=1"
            ]
        );
        assert_eq!(rest, "2026-11-21/2026-11-15");
    }

    #[test]
    fn a_listing_that_changes_begins_again() {
        let today = day("2026-11-21");
        let first = Place::read(None, today).unwrap();
        let (second, _) = first.next(1_500, 2).unwrap();
        let second = Place::read(Some(&second), today).unwrap();
        assert_eq!(second.page, 2);
        let error = second.next(1_499, 2).unwrap_err();
        assert_eq!(error.class, ErrorClass::RestartPages);
    }

    #[test]
    fn what_is_no_place_begins_from_nothing() {
        for cursor in [
            "x",
            "2026-11-20",
            "2027-01-01/2026-11-20",
            // Read on before it was read whole.
            "2026-11-19/2026-11-20",
            // A week has gone by since everything was read.
            "2026-11-20/2026-11-14",
            "2026-11-20/2026-11-22",
            "all/2026-11-21",
            "none/2026-11-21/2026-11-21/2026-11-21/1",
            "all/2026-11-21/2026-11-21/2026-11-21/x",
        ] {
            let error = Place::read(Some(cursor), day("2026-11-21")).unwrap_err();
            assert_eq!(error.class, ErrorClass::ResetCursor, "{cursor}");
        }
    }
}
