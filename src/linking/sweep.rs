//! What linking has left undone, and nobody asks for again: an exchange that broke off after the
//! provider had made the item, an order of a bank that broke off, and a removed item whose job was lost while the provider still has it.

use std::time::Duration;

use async_trait::async_trait;
use entity::{exchange, item, link_intent};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use super::{
    RemoveItem, adopt,
    exchange::PATIENCE,
    intent,
    store::{store, surrender},
};
use crate::{
    app::App,
    error::Result,
    jobs::{Claim, Job, When, enqueue},
    viewer::ClientInfo,
};

/// Finishes what broke off.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SweepLinking {}

const BATCH: u64 = 200;

#[async_trait]
impl Job for SweepLinking {
    const KIND: &'static str = "linking.sweep";
    const MAX_ATTEMPTS: i32 = 3;
    const EVERY: Option<Duration> = Some(Duration::from_mins(10));

    fn key(&self) -> String {
        "all".to_owned()
    }

    async fn run(&self, app: &App, _claim: &Claim) -> Result<()> {
        for row in broken_off(app).await? {
            // One that cannot be finished keeps no other.
            if let Err(error) = finish(app, &row).await {
                tracing::warn!(exchange.id = %row.id, error = error.chain(), "an exchange that broke off is tried again later");
            }
        }
        for row in ordered(app).await? {
            let id = row.id;
            if let Err(error) = adopt::finish(app, row).await {
                tracing::warn!(link_intent.id = %id, error = error.chain(), "a link that broke off is tried again later");
            }
        }
        for item in held(app).await? {
            let job = RemoveItem::of(&item);
            let mut txn = app.db.begin().await?;
            // Nearly always it joins the one that is waiting for its next try.
            enqueue(&mut txn, app, &job, When::default()).await?;
            txn.commit().await?;
        }
        Ok(())
    }
}

/// Exchanges that have kept a login and are not being worked on.
async fn broken_off(app: &App) -> Result<Vec<exchange::Model>> {
    use exchange::Column as Row;
    Ok(exchange::Entity::find()
        .filter(Row::AccessToken.is_not_null())
        .filter(Row::StartedAt.lte(app.clock.now() - PATIENCE))
        .order_by_asc(Row::StartedAt)
        .limit(BATCH)
        .all(app.db.read())
        .await?)
}

/// Orders of banks that are not finished and not being worked on.
async fn ordered(app: &App) -> Result<Vec<link_intent::Model>> {
    use link_intent::Column as Row;
    Ok(link_intent::Entity::find()
        .filter(Row::FinishedAt.is_null())
        .filter(Row::StartedAt.lte(app.clock.now() - intent::PATIENCE))
        .order_by_asc(Row::StartedAt)
        .limit(BATCH)
        .all(app.db.read())
        .await?)
}

/// Removed items that the provider has not let go of.
async fn held(app: &App) -> Result<Vec<item::Model>> {
    use item::Column as Row;
    Ok(item::Entity::find()
        .filter(Row::RemovedAt.is_not_null())
        .filter(Row::AccessToken.ne(Vec::<u8>::new()))
        .all(app.db.read())
        .await?)
}

async fn finish(app: &App, row: &exchange::Model) -> Result<()> {
    match store(app, row, &ClientInfo::default()).await {
        Ok(_) => {
            tracing::info!(exchange.id = %row.id, "an exchange that had broken off is finished");
            Ok(())
        }
        Err(error) if error.is_transient() => Err(error),
        Err(error) => {
            tracing::error!(
                exchange.id = %row.id,
                error = error.chain(),
                "no item can be made of a login, which is given up at the provider"
            );
            surrender(app, row).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::everywhere;

    #[tokio::test]
    async fn only_what_was_left_undone_is_read() {
        everywhere(async |app| {
            app.take_statements();
            broken_off(app).await.unwrap();
            ordered(app).await.unwrap();
            held(app).await.unwrap();
            let indexes = [
                "ix_exchanges_access_token",
                "ix_link_intents_finished_at",
                "ix_items_removed_at",
            ];
            for (statement, index) in app.take_statements().iter().zip(indexes) {
                let plan = app.plan(statement, true).await;
                assert!(plan.contains(index), "{plan}");
            }
        })
        .await;
    }
}
