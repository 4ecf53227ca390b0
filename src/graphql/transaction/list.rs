//! Lists of transactions in SQL. They stand with the nouns because two fields show them: the root
//! field of `accounts`, which asks for one list, and `Account.transactions`, of which a list of
//! accounts asks for many at once.

use async_graphql::{Context, Enum};
use chrono::NaiveDate;
use entity::transaction::{Column, Entity, Model};
use sea_orm::{QueryFilter, Select, sea_query::Value};
use uuid::Uuid;

use super::{Transaction, filter::Criteria};
use crate::{
    error::Result,
    graphql::{
        ContextExt,
        page::{Connection, PageArgs, RawPage, Scope, count, range},
    },
    viewer::{Owned, Viewer},
};

/// In which order transactions are listed. Transactions with the same day or amount follow each
/// other in the order in which this server first saw them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum TransactionOrder {
    /// The newest day first.
    #[default]
    DateDesc,
    /// The oldest day first.
    DateAsc,
    /// The greatest amount first: income, then purchases from small to large. Numbers are compared,
    /// whatever their currency.
    AmountDesc,
    /// The least amount first: purchases from large to small, then income. Numbers are compared,
    /// whatever their currency.
    AmountAsc,
}

impl TransactionOrder {
    fn name(self) -> &'static str {
        match self {
            Self::DateDesc => "DATE_DESC",
            Self::DateAsc => "DATE_ASC",
            Self::AmountDesc => "AMOUNT_DESC",
            Self::AmountAsc => "AMOUNT_ASC",
        }
    }

    fn descending(self) -> bool {
        matches!(self, Self::DateDesc | Self::AmountDesc)
    }

    fn by_date(self) -> bool {
        matches!(self, Self::DateDesc | Self::DateAsc)
    }

    fn columns(self) -> [Column; 2] {
        let first = if self.by_date() {
            Column::Date
        } else {
            Column::Amount
        };
        [first, Column::Id]
    }

    /// The sort key of a row; keys sort as the rows do.
    fn key(self, row: &Model) -> String {
        if self.by_date() {
            format!("{} {}", row.date, row.id)
        } else {
            format!("{} {}", row.amount, row.id)
        }
    }

    fn read(self, key: &str) -> Option<Vec<Value>> {
        let (first, id) = key.split_once(' ')?;
        let first = if self.by_date() {
            first.parse::<NaiveDate>().ok()?.into()
        } else {
            first.into()
        };
        Some(vec![first, id.parse::<Uuid>().ok()?.into()])
    }
}

/// A list of transactions: whose, which, and in which order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct List {
    viewer: Viewer,
    criteria: Criteria,
    order: TransactionOrder,
}

/// A page of such a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    list: List,
    args: PageArgs,
}

impl List {
    /// The viewer's transactions that meet the criteria.
    pub fn new(viewer: Viewer, criteria: Criteria, order: TransactionOrder) -> Self {
        Self {
            viewer,
            criteria,
            order,
        }
    }

    /// Reads a page by itself.
    pub async fn read(self, ctx: &Context<'_>, page: RawPage) -> Result<Connection<Transaction>> {
        let (scope, page) = self.page(ctx, page)?;
        let db = ctx.app().db.read();
        let total = if ctx.wants_total() {
            Some(count(db, page.list.rows()).await?)
        } else {
            None
        };
        let rows = page.select()?.all(db).await?;
        Ok(page.connection(scope, rows, total))
    }

    /// Reads a page together with the other pages the same request asks for.
    pub async fn load(self, ctx: &Context<'_>, page: RawPage) -> Result<Connection<Transaction>> {
        let (scope, page) = self.page(ctx, page)?;
        let pages = &ctx.loaders().transactions;
        let counts = &ctx.loaders().transaction_count;
        let total = async {
            if ctx.wants_total() {
                counts.load_one(page.list.clone()).await
            } else {
                Ok(None)
            }
        };
        let (rows, total) = futures_util::try_join!(pages.load_one(page.clone()), total)?;
        Ok(page.connection(scope, rows.unwrap_or_default(), total))
    }

    /// All rows of the list.
    pub fn rows(&self) -> Select<Entity> {
        Entity::owned_by(self.viewer).filter(self.criteria.condition())
    }

    fn page(self, ctx: &Context<'_>, page: RawPage) -> Result<(Scope, Page)> {
        let account = self
            .criteria
            .account
            .map(|id| id.to_string())
            .unwrap_or_default();
        let field = format!("transactions:{}:{account}", self.order.name());
        let scope = Scope::new(ctx.app(), self.viewer, &field);
        let args = page.check(&scope)?;
        Ok((scope, Page { list: self, args }))
    }
}

impl Page {
    /// The rows of the page.
    pub fn select(&self) -> Result<Select<Entity>> {
        let order = self.list.order;
        let read = |key: &str| order.read(key);
        range(
            self.list.rows(),
            &order.columns(),
            order.descending(),
            &self.args,
            read,
        )
    }

    /// Brings rows into the order in which [`Page::select`] reads them.
    pub fn sort(&self, rows: &mut [Model]) {
        let order = self.list.order;
        rows.sort_by_cached_key(|row| order.key(row));
        if order.descending() == self.args.forward {
            rows.reverse();
        }
    }

    fn connection(
        &self,
        scope: Scope,
        rows: Vec<Model>,
        total: Option<u64>,
    ) -> Connection<Transaction> {
        let order = self.list.order;
        let page = Connection::new(scope, &self.args, rows, |row| order.key(row));
        page.with_total(total).map(Transaction::from)
    }
}
