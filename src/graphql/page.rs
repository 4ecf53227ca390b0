//! Relay paging by keyset. A cursor is the sort key of a row with a keyed hash over it, the person
//! and the field: an edited one, another person's, or another field's is refused alike, and none can
//! be made by hand. Pages are stable under inserts, since they begin after a row and not at a number.

use std::sync::Arc;

use async_graphql::{Object, OutputType, SimpleObject, TypeName};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    app::App,
    error::{Error, Result},
    seal::Keys,
    viewer::Viewer,
};

/// How many rows a page has when nobody says.
pub const DEFAULT_PAGE: i32 = 20;
/// How many rows a page has at most.
pub const MAX_PAGE: i32 = 100;

const MAC: usize = 12;

/// What a cursor is bound to.
#[derive(Clone, Debug)]
pub struct Scope {
    keys: Arc<Keys>,
    bound: String,
}

impl Scope {
    /// Cursors of one person in one field; name the order too, where a field has several.
    pub fn new(app: &App, viewer: Viewer, field: &str) -> Self {
        Self {
            keys: app.keys.clone(),
            bound: format!("{} {field} ", viewer.user_id),
        }
    }

    /// The cursor for a sort key.
    pub fn encode(&self, key: &str) -> String {
        let mac = self
            .keys
            .mac(b"cursor", format!("{}{key}", self.bound).as_bytes())
            .unwrap_or_default();
        let mut bytes = mac.get(..MAC).unwrap_or_default().to_vec();
        bytes.extend_from_slice(key.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The sort key of a cursor made here.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` with the same text whatever is wrong with it.
    pub fn decode(&self, argument: &str, cursor: &str) -> Result<String> {
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let (mac, key) = bytes.split_at_checked(MAC)?;
            let key = std::str::from_utf8(key).ok()?;
            let message = format!("{}{key}", self.bound);
            self.keys
                .mac_matches(b"cursor", message.as_bytes(), mac)
                .then(|| key.to_owned())
        };
        read().ok_or_else(|| {
            Error::BadInput(format!("`{argument}` is not a cursor of this list: pass one that this field returned to you."))
        })
    }
}

/// The arguments of a page, checked.
#[derive(Clone, Debug)]
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
        if self.first.is_some() && self.last.is_some() {
            return Err(Error::BadInput(
                "Pass `first` or `last`, not both.".to_owned(),
            ));
        }
        let (name, size, forward) = match (self.first, self.last) {
            (None, Some(last)) => ("last", last, false),
            (first, _) => ("first", first.unwrap_or(DEFAULT_PAGE), true),
        };
        if !(1..=MAX_PAGE).contains(&size) {
            return Err(Error::BadInput(format!(
                "`{name}` is {size}: use a number from 1 to {MAX_PAGE}."
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

/// Information about where a page stands in its list.
#[derive(Clone, Debug, Default, SimpleObject)]
pub struct PageInfo {
    /// Whether rows follow this page.
    pub has_next_page: bool,
    /// Whether rows precede this page.
    pub has_previous_page: bool,
    /// Cursor of the first row of this page.
    pub start_cursor: Option<String>,
    /// Cursor of the last row of this page.
    pub end_cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug)]
pub struct Connection<T> {
    rows: Vec<(String, T)>,
    has_next_page: bool,
    has_previous_page: bool,
    scope: Scope,
    total_count: Option<i64>,
}

impl<T> Connection<T> {
    /// Makes a page of what the database returned: one row more than the limit, in the order in
    /// which it was read, which for `last` is backwards.
    pub fn new(scope: Scope, args: &PageArgs, rows: Vec<T>, key: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > args.limit;
        let mut rows: Vec<(String, T)> = rows
            .into_iter()
            .take(args.limit)
            .map(|row| (key(&row), row))
            .collect();
        let (has_next_page, has_previous_page) = if args.forward {
            (more, args.after.is_some())
        } else {
            rows.reverse();
            (args.before.is_some(), more)
        };
        Self {
            rows,
            has_next_page,
            has_previous_page,
            scope,
            total_count: None,
        }
    }

    /// Adds how many rows the whole list has, where the client asked.
    #[must_use]
    pub fn with_total(mut self, total: Option<u64>) -> Self {
        self.total_count = total.and_then(|total| i64::try_from(total).ok());
        self
    }
}

/// A row of a list with its cursor.
#[derive(Debug)]
pub struct Edge<'a, T> {
    key: &'a str,
    node: &'a T,
    scope: &'a Scope,
}

impl<T: TypeName> TypeName for Connection<T> {
    fn type_name() -> std::borrow::Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

impl<T: TypeName> TypeName for Edge<'_, T> {
    fn type_name() -> std::borrow::Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<T: OutputType + TypeName + Clone> Connection<T> {
    /// The rows with their cursors.
    async fn edges(&self) -> Vec<Edge<'_, T>> {
        self.rows
            .iter()
            .map(|(key, node)| Edge {
                key,
                node,
                scope: &self.scope,
            })
            .collect()
    }

    /// The rows without their cursors.
    async fn nodes(&self) -> Vec<&T> {
        self.rows.iter().map(|(_, node)| node).collect()
    }

    /// Where this page stands in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.has_next_page,
            has_previous_page: self.has_previous_page,
            start_cursor: self.rows.first().map(|(key, _)| self.scope.encode(key)),
            end_cursor: self.rows.last().map(|(key, _)| self.scope.encode(key)),
        }
    }

    /// How many rows the whole list has under its filter. Counted only when asked for.
    async fn total_count(&self) -> Option<i64> {
        self.total_count
    }
}

/// A row of a list with its cursor.
#[Object(name_type)]
impl<T: OutputType + TypeName + Clone> Edge<'_, T> {
    /// The place of the row in the list: pass it as `after` or `before`.
    async fn cursor(&self) -> String {
        self.scope.encode(self.key)
    }

    /// The row.
    async fn node(&self) -> &T {
        self.node
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn scope(user: u128, field: &str) -> Scope {
        let keys = Keys::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        Scope {
            keys: Arc::new(keys),
            bound: format!("{} {field} ", Uuid::from_u128(user)),
        }
    }

    #[test]
    fn a_cursor_is_good_for_its_person_and_field_only() {
        let cursor = scope(1, "items").encode("2026-01-31 x");
        assert_eq!(
            scope(1, "items").decode("after", &cursor).unwrap(),
            "2026-01-31 x"
        );
        let stranger = scope(2, "items")
            .decode("after", &cursor)
            .unwrap_err()
            .to_string();
        let field = scope(1, "accounts")
            .decode("after", &cursor)
            .unwrap_err()
            .to_string();
        let edited = scope(1, "items")
            .decode("after", &format!("{cursor}AA"))
            .unwrap_err()
            .to_string();
        assert_eq!((&stranger, &stranger), (&field, &edited));
        for text in ["", "x", "AAAA", "é", &"A".repeat(10_000)] {
            assert!(scope(1, "items").decode("after", text).is_err());
        }
    }

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
    fn the_last_rows_come_in_the_order_of_the_list() {
        let raw = RawPage {
            last: Some(2),
            ..RawPage::default()
        };
        let args = raw.check(&scope(1, "items")).unwrap();
        let page = Connection::new(scope(1, "items"), &args, vec![9, 8, 7], ToString::to_string);
        assert_eq!(
            page.rows.iter().map(|(_, n)| *n).collect::<Vec<_>>(),
            [8, 9]
        );
        assert!(page.has_previous_page && !page.has_next_page);
    }
}
