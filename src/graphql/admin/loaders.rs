//! What administrators' views need of other rows, many at once. They ask for rows of anybody: only the
//! views in this room use them, and only administrators get to those.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use chrono::{DateTime, Utc};
use entity::{item, session, sync_job, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use crate::{
    database::Database,
    error::{Error, Result},
    graphql::{
        batch::{Batch, Queue},
        loaders::{Shared, read_lists},
    },
};

/// The loaders of administrators' views.
#[derive(Debug)]
pub struct AdminLoaders {
    /// People by id.
    pub user: Batch<Uuid, Users>,
    /// How many items people have.
    pub item_count: Batch<Uuid, ItemCounts>,
    /// When people last signed in.
    pub last_sign_in: Batch<Uuid, LastSignIns>,
    /// Syncs by id.
    pub sync_job: Batch<Uuid, Shared<sync_job::Entity>>,
}

impl AdminLoaders {
    /// The loaders of what a queue drives.
    pub fn new(db: &Database, queue: Option<&Queue>) -> Self {
        Self {
            user: Batch::new(Users(db.clone()), queue),
            item_count: Batch::new(ItemCounts(db.clone()), queue),
            last_sign_in: Batch::new(LastSignIns(db.clone()), queue),
            sync_job: Batch::new(Shared::new(db.clone()), queue),
        }
    }
}

/// People by id.
#[derive(Debug)]
pub struct Users(Database);

impl Loader<Uuid> for Users {
    type Value = Arc<user::Model>;
    type Error = Error;

    async fn load(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Self::Value>> {
        let rows = user::Entity::find()
            .filter(user::Column::Id.is_in(keys.iter().copied()))
            .filter(user::Column::DeletedAt.is_null());
        let rows = rows.all(self.0.read()).await?.into_iter();
        Ok(rows.map(|row| (row.id, Arc::new(row))).collect())
    }
}

/// How many items people have.
#[derive(Debug)]
pub struct ItemCounts(Database);

impl Loader<Uuid> for ItemCounts {
    type Value = i64;
    type Error = Error;

    async fn load(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, i64>> {
        let counts: Vec<(Uuid, i64)> = item::Entity::find()
            .select_only()
            .column(item::Column::UserId)
            .expr(Expr::cust("COUNT(*)"))
            .filter(item::Column::UserId.is_in(keys.iter().copied()))
            .filter(item::Column::RemovedAt.is_null())
            .group_by(item::Column::UserId)
            .into_tuple()
            .all(self.0.read())
            .await?;
        Ok(counts.into_iter().collect())
    }
}

/// When people last signed in.
#[derive(Debug)]
pub struct LastSignIns(Database);

impl Loader<Uuid> for LastSignIns {
    type Value = DateTime<Utc>;
    type Error = Error;

    async fn load(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Self::Value>> {
        let newest = |user_id: &Uuid| {
            session::Entity::find()
                .filter(session::Column::UserId.eq(*user_id))
                .order_by_desc(session::Column::Id)
                .limit(1)
        };
        let lists = read_lists(self.0.read(), keys.iter().map(newest).collect()).await?;
        let row = |session: session::Model| (session.user_id, session.created_at);
        Ok(lists.into_iter().flatten().map(row).collect())
    }
}
