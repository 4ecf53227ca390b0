//! The sweep: items nobody has told us about for a day are synced, so that lost webhooks heal by
//! themselves; those whose history is still downloading are looked at sooner.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use entity::{
    item::{self, LinkStatus, TransactionsStatus},
    sync_job::SyncTrigger,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use super::request;
use crate::{
    app::App,
    error::Result,
    jobs::{Claim, Job},
};

/// Asks for the syncs that nobody else asked for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SweepItems {}

const BATCH: u64 = 200;

#[async_trait]
impl Job for SweepItems {
    const KIND: &'static str = "sync.sweep";
    const MAX_ATTEMPTS: i32 = 3;
    const EVERY: Option<Duration> = Some(Duration::from_mins(10));

    fn key(&self) -> String {
        "all".to_owned()
    }

    async fn run(&self, app: &App, _claim: &Claim) -> Result<()> {
        use item::Column as Item;
        let now = app.clock.now();
        let stale = Condition::any()
            .add(Item::LastSyncedAt.lt(now - TimeDelta::days(1)))
            .add(Item::LastSyncedAt.is_null())
            .add(
                Condition::all()
                    .add(Item::TransactionsStatus.eq(TransactionsStatus::Downloading))
                    .add(Item::LastSyncedAt.lt(now - TimeDelta::minutes(10))),
            );
        let mut after = None;
        loop {
            let mut rows = item::Entity::find()
                .filter(stale.clone())
                .filter(Item::LinkStatus.is_in([
                    LinkStatus::Success,
                    LinkStatus::Processing,
                    LinkStatus::Error,
                ]))
                .order_by_asc(Item::Id)
                .limit(BATCH);
            if let Some(after) = after {
                rows = rows.filter(Item::Id.gt(after));
            }
            let items = rows.all(app.db.read()).await?;
            let Some(last) = items.last() else {
                return Ok(());
            };
            after = Some(last.id);
            for item in &items {
                // One at a time: two people's feeds locked at once could meet another's the other
                // way round.
                let mut txn = app.db.begin().await?;
                request(&mut txn, app, item, SyncTrigger::Schedule).await?;
                txn.commit().await?;
            }
        }
    }
}
