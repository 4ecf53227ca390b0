//! Forgetting link sessions that are over, exchanges nobody will ask for again, and removed items
//! that the provider has let go of and every subscriber has heard of.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use entity::{exchange, item, link_intent, link_token, sync_job};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Query};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    error::Result,
    jobs::{Claim, Job},
};

/// Forgets what linking leaves behind.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PruneLinking {}

#[async_trait]
impl Job for PruneLinking {
    const KIND: &'static str = "linking.prune";
    const MAX_ATTEMPTS: i32 = 3;
    const EVERY: Option<Duration> = Some(Duration::from_hours(6));

    fn key(&self) -> String {
        "all".to_owned()
    }

    async fn run(&self, app: &App, claim: &Claim) -> Result<()> {
        let now = app.clock.now();
        let month = now - TimeDelta::days(30);
        let mut txn = app.db.begin().await?;
        // The provider keeps results for six hours after a session's end; a day is past all of them.
        link_token::Entity::delete_many()
            .filter(link_token::Column::ExpiresAt.lt(now - TimeDelta::days(1)))
            .exec(&*txn)
            .await?;
        // The public token of an exchange is dead after half an hour: only its key is worth keeping.
        exchange::Entity::delete_many()
            .filter(exchange::Column::AccessToken.is_null())
            .filter(exchange::Column::StartedAt.lt(month))
            .exec(&*txn)
            .await?;
        link_intent::Entity::delete_many()
            .filter(link_intent::Column::FinishedAt.is_not_null())
            .filter(link_intent::Column::StartedAt.lt(month))
            .exec(&*txn)
            .await?;
        let gone = Condition::all()
            .add(item::Column::RemovedAt.lt(month))
            .add(item::Column::AccessToken.eq(Vec::<u8>::new()));
        let items = Query::select()
            .column(item::Column::Id)
            .from(item::Entity)
            .cond_where(gone.clone())
            .to_owned();
        sync_job::Entity::delete_many()
            .filter(sync_job::Column::ItemId.in_subquery(items))
            .exec(&*txn)
            .await?;
        item::Entity::delete_many().filter(gone).exec(&*txn).await?;
        claim.succeed(&mut txn, app).await?;
        txn.commit().await
    }
}
