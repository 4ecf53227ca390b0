//! The sweep: items whose time has come are synced though nobody asked, so that lost webhooks heal by
//! themselves. When that is, the end of each sync has said (`due.rs`).

use std::time::Duration;

use async_trait::async_trait;
use entity::{item, sync_job::SyncTrigger};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde::{Deserialize, Serialize};

use super::{due::DAY, request};
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
        loop {
            let items = due(app).await?;
            if items.is_empty() {
                return Ok(());
            }
            for item in items {
                // One at a time: two people's feeds locked at once could meet another's the other
                // way round.
                ask(app, &item).await?;
            }
        }
    }
}

/// Items whose time has come.
async fn due(app: &App) -> Result<Vec<item::Model>> {
    Ok(item::Entity::find()
        .filter(item::Column::SyncDueAt.lte(app.clock.now()))
        .order_by_asc(item::Column::SyncDueAt)
        .limit(BATCH)
        .all(app.db.read())
        .await?)
}

async fn ask(app: &App, item: &item::Model) -> Result<()> {
    let now = app.clock.now();
    let mut txn = app.db.begin().await?;
    // The sync's end says when it is due again; one whose end is never told is due in a day.
    let moved = item::Entity::update_many()
        .col_expr(item::Column::SyncDueAt, Expr::value(now + DAY))
        .filter(item::Column::Id.eq(item.id))
        .filter(item::Column::SyncDueAt.lte(now))
        .exec(&*txn)
        .await?;
    if moved.rows_affected == 1 {
        request(&mut txn, app, item, SyncTrigger::Schedule).await?;
    }
    txn.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::everywhere;

    #[tokio::test]
    async fn only_items_that_are_due_are_read_and_in_order() {
        everywhere(async |app| {
            app.take_statements();
            due(app).await.unwrap();
            let plan = app.plan(&app.take_statements()[0], true).await;
            assert!(plan.contains("ix_items_sync_due_at"), "{plan}");
            for step in ["Sort", "Seq Scan", "TEMP B-TREE", "SCAN"] {
                assert!(!plan.contains(step), "{step} in {plan}");
            }
        })
        .await;
    }
}
