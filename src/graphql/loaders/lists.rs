//! Lists by what they belong to.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use entity::{account, identity, transaction};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    Key,
    rows::by_viewer,
    union::{LISTS, read_lists, union},
};
use crate::{
    database::Database,
    error::{Error, Result},
    graphql::transaction::list::{List, Page},
    viewer::Owned,
};

/// All accounts of an item, oldest first.
#[derive(Debug)]
pub struct AccountsOfItem(pub(super) Database);

impl Loader<Key> for AccountsOfItem {
    type Value = Vec<Arc<account::Model>>;
    type Error = Error;

    async fn load(&self, keys: &[Key]) -> Result<HashMap<Key, Self::Value>> {
        let mut lists: HashMap<Key, Self::Value> = HashMap::new();
        for (viewer, items) in by_viewer(keys) {
            let rows = account::Entity::owned_by(viewer)
                .filter(account::Column::ItemId.is_in(items))
                .order_by_asc(account::Column::Id)
                .all(self.0.read())
                .await?;
            for row in rows {
                let list = lists.entry(Key::new(viewer, row.item_id)).or_default();
                list.push(Arc::new(row));
            }
        }
        Ok(lists)
    }
}

/// All identities of a person, oldest first.
#[derive(Debug)]
pub struct IdentitiesOfUser(pub(super) Database);

impl Loader<Uuid> for IdentitiesOfUser {
    type Value = Vec<Arc<identity::Model>>;
    type Error = Error;

    async fn load(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Self::Value>> {
        let rows = identity::Entity::find()
            .filter(identity::Column::UserId.is_in(keys.iter().copied()))
            .order_by_asc(identity::Column::Id)
            .all(self.0.read())
            .await?;
        let mut lists: HashMap<Uuid, Self::Value> = HashMap::new();
        for row in rows {
            lists.entry(row.user_id).or_default().push(Arc::new(row));
        }
        Ok(lists)
    }
}

/// Pages of transactions.
#[derive(Debug)]
pub struct Pages(pub(super) Database);

impl Loader<Page> for Pages {
    type Value = Vec<transaction::Model>;
    type Error = Error;

    async fn load(&self, keys: &[Page]) -> Result<HashMap<Page, Self::Value>> {
        let selects = keys.iter().map(Page::select).collect::<Result<_>>()?;
        let mut lists = read_lists(self.0.read(), selects).await?;
        for (page, rows) in keys.iter().zip(&mut lists) {
            page.sort(rows);
        }
        Ok(keys.iter().cloned().zip(lists).collect())
    }
}

/// How long lists of transactions are.
#[derive(Debug)]
pub struct Lengths(pub(super) Database);

impl Loader<List> for Lengths {
    type Value = u64;
    type Error = Error;

    async fn load(&self, keys: &[List]) -> Result<HashMap<List, u64>> {
        let count = |list: &List| {
            let rows = list.rows().select_only();
            rows.expr_as(Expr::cust("COUNT(*)"), "total").into_query()
        };
        let mut totals = HashMap::new();
        for lists in keys.chunks(LISTS) {
            for (branch, row) in union(self.0.read(), lists.iter().map(count).collect()).await? {
                let total: i64 = row.try_get("", "total")?;
                if let Some(list) = lists.get(branch) {
                    totals.insert(list.clone(), u64::try_from(total).unwrap_or_default());
                }
            }
        }
        Ok(totals)
    }
}
