//! Deleting archives whose time is over, and after a month what tells of them.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use entity::data_export::{self, DataExportStatus};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use super::store;
use crate::{
    app::App,
    error::{Error, Result},
    jobs::{Claim, Job},
};

/// Deletes archives.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ExpireExports {}

const BATCH: u64 = 100;

#[async_trait]
impl Job for ExpireExports {
    const KIND: &'static str = "exports.expire";
    const MAX_ATTEMPTS: i32 = 3;
    const EVERY: Option<Duration> = Some(Duration::from_mins(10));

    fn key(&self) -> String {
        "all".to_owned()
    }

    async fn run(&self, app: &App, _claim: &Claim) -> Result<()> {
        let stuck = expire_all(app).await?;
        let month = app.clock.now() - TimeDelta::days(30);
        let txn = app.db.begin().await?;
        data_export::Entity::delete_many()
            .filter(data_export::Column::CreatedAt.lt(month))
            .filter(data_export::Column::FinishedAt.is_not_null())
            .exec(&*txn)
            .await?;
        txn.commit().await?;
        stuck.map_or(Ok(()), Err)
    }
}

/// Deletes what archives there are to delete. One that cannot be keeps nobody else's; why it could not is returned.
async fn expire_all(app: &App) -> Result<Option<Error>> {
    let mut stuck = None;
    loop {
        let mut deleted = false;
        for row in over(app).await? {
            let id = row.id;
            // One at a time: each takes the feed of its person.
            match store::expire(app, row).await {
                Ok(()) => deleted = true,
                Err(error) => {
                    tracing::warn!(data_export.id = %id, error = error.chain(), "an archive could not be deleted");
                    stuck = Some(error);
                }
            }
        }
        if !deleted {
            return Ok(stuck);
        }
    }
}

/// Exports whose archives are to be deleted.
async fn over(app: &App) -> Result<Vec<data_export::Model>> {
    Ok(data_export::Entity::find()
        .filter(data_export::Column::Status.eq(DataExportStatus::Ready))
        .filter(data_export::Column::ExpiresAt.lte(app.clock.now()))
        .order_by_asc(data_export::Column::ExpiresAt)
        .limit(BATCH)
        .all(app.db.read())
        .await?)
}
