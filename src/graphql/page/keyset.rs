//! Pages as SQL: a range of the sort key, in order, one row more than asked for. Row values are
//! compared whole, since that is what both databases answer from an index without sorting.

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, ModelTrait, Order, QueryFilter,
    QueryOrder, QuerySelect, Select,
    sea_query::{self, Expr, Value},
};
use uuid::Uuid;

use super::{Connection, PageArgs, RawPage, Scope, cursor::not_a_cursor};
use crate::error::{Error, Result};

/// Cuts a page out of a list that is sorted by `columns`, all of them up or all of them down; `read`
/// makes their values of a cursor's key.
///
/// # Errors
/// `BAD_USER_INPUT` for a key that `read` cannot make anything of.
pub fn range<E: EntityTrait>(
    mut rows: Select<E>,
    columns: &[E::Column],
    descending: bool,
    args: &PageArgs,
    read: impl Fn(&str) -> Option<Vec<Value>>,
) -> Result<Select<E>> {
    let place = || {
        Expr::tuple(
            columns
                .iter()
                .map(ColumnTrait::as_column_ref)
                .map(Expr::col),
        )
    };
    let bound = |argument, key: &str| {
        let values = read(key).ok_or_else(|| not_a_cursor(argument))?;
        Ok::<_, Error>(Expr::tuple(values.into_iter().map(Expr::val)))
    };
    if let Some(key) = &args.after {
        let bound = bound("after", key)?;
        rows = rows.filter(if descending {
            place().lt(bound)
        } else {
            place().gt(bound)
        });
    }
    if let Some(key) = &args.before {
        let bound = bound("before", key)?;
        rows = rows.filter(if descending {
            place().gt(bound)
        } else {
            place().lt(bound)
        });
    }
    let order = if descending == args.forward {
        Order::Desc
    } else {
        Order::Asc
    };
    for column in columns {
        rows = rows.order_by(*column, order.clone());
    }
    let limit = u64::try_from(args.limit).unwrap_or(u64::MAX);
    Ok(rows.limit(limit.saturating_add(1)))
}

/// The id a value holds.
pub fn uuid(value: Value) -> Uuid {
    <Uuid as sea_query::ValueType>::try_from(value).unwrap_or_default()
}

/// How many rows a list has.
pub async fn count<E: EntityTrait>(db: &impl ConnectionTrait, rows: Select<E>) -> Result<u64> {
    let total: Option<i64> = rows
        .select_only()
        .expr(Expr::cust("COUNT(*)"))
        .into_tuple()
        .one(db)
        .await?;
    Ok(total
        .and_then(|total| u64::try_from(total).ok())
        .unwrap_or_default())
}

/// A list in the order of its rows' ids, which is the order they were made in.
#[derive(Debug)]
pub struct ById<E: EntityTrait> {
    /// What its cursors are bound to.
    pub scope: Scope,
    /// All its rows.
    pub rows: Select<E>,
    /// Where the id is.
    pub id: E::Column,
    /// Whether the newest row is the first.
    pub newest_first: bool,
}

impl<E: EntityTrait> ById<E> {
    /// One page of it, with the number of all rows if `total` asks for it.
    pub async fn page<N: From<E::Model>>(
        self,
        db: &impl ConnectionTrait,
        page: RawPage,
        total: bool,
    ) -> Result<Connection<N>> {
        let args = page.check(&self.scope)?;
        let total = if total {
            Some(count(db, self.rows.clone()).await?)
        } else {
            None
        };
        let read = |key: &str| Some(vec![key.parse::<Uuid>().ok()?.into()]);
        let rows = range(self.rows, &[self.id], self.newest_first, &args, read)?;
        let key = |row: &E::Model| uuid(row.get(self.id)).to_string();
        let page = Connection::new(self.scope, &args, rows.all(db).await?, key);
        Ok(page.with_total(total).map(N::from))
    }
}
