//! A table as a file of the archive: page by page, in the order of an index, whatever its type.

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, ModelTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
    sea_query::{Expr, Value},
};
use uuid::Uuid;

use super::cell::Cell;
use crate::error::Result;

/// Records read at once.
const PAGE: u64 = 500;

/// A field of a record: its name, and where it comes from.
pub(super) type Field<M> = (&'static str, fn(&M) -> Cell);

/// A file's worth of records.
#[async_trait]
pub(super) trait Records: Send + Sync {
    /// The file's name without its end.
    fn name(&self) -> &'static str;
    /// The names of the fields.
    fn fields(&self) -> Vec<&'static str>;
    /// The columns of the table.
    #[cfg(test)]
    fn columns(&self) -> Vec<String>;
    /// The records of a person behind a place, and the place behind them if there may be more.
    async fn page(
        &self,
        db: &DatabaseTransaction,
        user_id: Uuid,
        after: Option<Place>,
    ) -> Result<(Vec<Vec<Cell>>, Option<Place>)>;
}

/// Where a page ended.
pub(super) type Place = Vec<Value>;

/// A table.
pub(super) struct Table<E: EntityTrait> {
    /// The file's name without its end.
    pub(super) name: &'static str,
    /// Every field.
    pub(super) fields: &'static [Field<E::Model>],
    /// The rows of a person.
    pub(super) rows: fn(Uuid) -> Select<E>,
    /// The columns the rows are sorted by, unique together, as an index has them behind the person.
    pub(super) order: &'static [E::Column],
}

impl<E> Table<E>
where
    E: EntityTrait,
    E::Column: Copy,
{
    fn select(&self, user_id: Uuid, after: Option<Place>) -> Select<E> {
        let mut rows = (self.rows)(user_id);
        if let Some(after) = after {
            let columns = self.order.iter().map(ColumnTrait::as_column_ref);
            let place = Expr::tuple(columns.map(Expr::col));
            rows = rows.filter(place.gt(Expr::tuple(after.into_iter().map(Expr::val))));
        }
        for column in self.order {
            rows = rows.order_by_asc(*column);
        }
        rows.limit(PAGE)
    }
}

#[async_trait]
impl<E> Records for Table<E>
where
    E: EntityTrait,
    E::Column: Copy + Send + Sync,
    E::Model: Send + Sync,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn fields(&self) -> Vec<&'static str> {
        self.fields.iter().map(|(name, _)| *name).collect()
    }

    #[cfg(test)]
    fn columns(&self) -> Vec<String> {
        use sea_orm::{IdenStatic, Iterable};
        let columns = E::Column::iter();
        columns.map(|column| column.as_str().to_owned()).collect()
    }

    async fn page(
        &self,
        db: &DatabaseTransaction,
        user_id: Uuid,
        after: Option<Place>,
    ) -> Result<(Vec<Vec<Cell>>, Option<Place>)> {
        let rows = self.select(user_id, after).all(db).await?;
        let full = u64::try_from(rows.len()).is_ok_and(|count| count == PAGE);
        let last = rows.last().filter(|_| full);
        let last = last.map(|row| self.order.iter().map(|column| row.get(*column)).collect());
        let record = |row: &E::Model| self.fields.iter().map(|(_, read)| read(row)).collect();
        Ok((rows.iter().map(record).collect(), last))
    }
}
