//! Relay paging by keyset. A cursor is the sort key of a row with a keyed hash over it, the person
//! and the field: an edited one, another person's, or another field's is refused alike, and none can
//! be made by hand. Pages are stable under inserts, since they begin after a row and not at a number.

use crate::error::{Error, Result};

mod connection;
mod cursor;
mod keyset;

pub use connection::{Connection, Edge, PageInfo};
pub use cursor::Scope;
pub use keyset::{ById, count, range, uuid};

/// How many rows a page has when nobody says.
pub const DEFAULT_PAGE: i32 = 20;
/// How many rows a page has at most.
pub const MAX_PAGE: i32 = 100;

/// The arguments of a page, checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageArgs {
    /// How many rows are wanted.
    pub limit: usize,
    /// Whether the page is the first rows of the range, rather than its last.
    pub forward: bool,
    /// The range begins after this sort key.
    pub after: Option<String>,
    /// The range ends before this sort key.
    pub before: Option<String>,
}

/// `first`, `after`, `last` and `before` as they came.
#[derive(Debug, Default)]
pub struct RawPage {
    /// How many rows from the start of the range.
    pub first: Option<i32>,
    /// Where the range begins.
    pub after: Option<String>,
    /// How many rows from the end of the range.
    pub last: Option<i32>,
    /// Where the range ends.
    pub before: Option<String>,
}

impl RawPage {
    /// Checks the arguments.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that names the argument and the remedy.
    pub fn check(self, scope: &Scope) -> Result<PageArgs> {
        self.check_within(scope, DEFAULT_PAGE, MAX_PAGE)
    }

    /// Checks the arguments of a list with page sizes of its own.
    ///
    /// # Errors
    /// As [`RawPage::check`].
    pub fn check_within(self, scope: &Scope, default: i32, max: i32) -> Result<PageArgs> {
        if self.first.is_some() && self.last.is_some() {
            return Err(Error::BadInput(
                "Pass `first` or `last`, not both.".to_owned(),
            ));
        }
        let (name, size, forward) = match (self.first, self.last) {
            (None, Some(last)) => ("last", last, false),
            (first, _) => ("first", first.unwrap_or(default), true),
        };
        if !(1..=max).contains(&size) {
            return Err(Error::BadInput(format!(
                "`{name}` is {size}: use a number from 1 to {max}."
            )));
        }
        let limit = usize::try_from(size).map_err(Error::internal)?;
        let decode = |name, cursor: Option<String>| {
            cursor.map(|cursor| scope.decode(name, &cursor)).transpose()
        };
        Ok(PageArgs {
            limit,
            forward,
            after: decode("after", self.after)?,
            before: decode("before", self.before)?,
        })
    }
}

/// What a page weighs against the limit on a query's complexity: its rows, were they all there. A
/// size that is not acceptable weighs as an acceptable one, so that it is told what is wrong with it.
pub fn cost(first: Option<i32>, last: Option<i32>, row: usize) -> usize {
    let size = first.or(last).unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    usize::try_from(size).unwrap_or(1).saturating_mul(row) + 1
}

#[cfg(test)]
mod tests {
    use super::{cursor::tests::scope, *};

    #[test]
    fn bad_sizes_name_the_argument() {
        for (first, last, word) in [
            (Some(0), None, "first"),
            (Some(-1), None, "-1"),
            (Some(101), None, "101"),
            (None, Some(0), "last"),
            (Some(1), Some(1), "both"),
        ] {
            let raw = RawPage {
                first,
                last,
                ..RawPage::default()
            };
            let message = raw.check(&scope(1, "items")).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
        assert_eq!(
            RawPage::default().check(&scope(1, "items")).unwrap().limit,
            20
        );
    }

    #[test]
    fn a_page_weighs_its_rows_and_a_bad_size_no_more_than_a_good_one() {
        assert_eq!(cost(None, None, 3), 61);
        assert_eq!(cost(None, Some(100), 3), 301);
        assert_eq!(cost(Some(i32::MAX), None, 3), 301);
        assert_eq!(cost(Some(-1), None, 3), 4);
    }
}
