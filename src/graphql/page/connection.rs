//! The shape of a page on the wire.

use async_graphql::{Object, OutputType, SimpleObject, TypeName};

use super::{PageArgs, Scope};

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
    rest: Option<String>,
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
            rest: None,
        }
    }

    /// Adds how many rows the whole list has, where the client asked.
    #[must_use]
    pub fn with_total(mut self, total: Option<u64>) -> Self {
        self.total_count = total.and_then(|total| i64::try_from(total).ok());
        self
    }

    /// Says where a page without rows stands, for lists that are followed to their end again and
    /// again.
    #[must_use]
    pub fn resting_at(mut self, key: String) -> Self {
        self.rest = Some(key);
        self
    }

    /// Makes something else of each row; cursors stay as they are.
    pub fn map<U>(self, change: impl Fn(T) -> U) -> Connection<U> {
        let rows = self.rows.into_iter();
        Connection {
            rows: rows.map(|(key, row)| (key, change(row))).collect(),
            has_next_page: self.has_next_page,
            has_previous_page: self.has_previous_page,
            scope: self.scope,
            total_count: self.total_count,
            rest: self.rest,
        }
    }
}

/// A row of a list with its cursor.
#[derive(Debug)]
pub struct Edge<'a, T> {
    key: &'a str,
    node: &'a T,
    scope: &'a Scope,
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> std::borrow::Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

impl<T: OutputType> TypeName for Edge<'_, T> {
    fn type_name() -> std::borrow::Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<T: OutputType> Connection<T> {
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
            end_cursor: self
                .rows
                .last()
                .map(|(key, _)| key)
                .or(self.rest.as_ref())
                .map(|key| self.scope.encode(key)),
        }
    }

    /// How many rows the whole list has under its filter. Counted only when asked for; null in the lists of `admin`,
    /// which are too long to be counted.
    async fn total_count(&self) -> Option<i64> {
        self.total_count
    }
}

/// A row of a list with its cursor.
#[Object(name_type)]
impl<T: OutputType> Edge<'_, T> {
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
    use super::{
        super::{RawPage, cursor::tests::scope},
        *,
    };

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
