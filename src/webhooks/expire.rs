//! Forgetting: a delivery whose subject never appeared expires after a day, and every delivery is
//! kept for a month.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use entity::webhook::{self, WebhookState};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    error::Result,
    jobs::{Claim, Job},
};

/// Expires and forgets deliveries.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ExpireWebhooks {}

#[async_trait]
impl Job for ExpireWebhooks {
    const KIND: &'static str = "webhooks.expire";
    const MAX_ATTEMPTS: i32 = 3;
    const EVERY: Option<Duration> = Some(Duration::from_hours(1));

    fn key(&self) -> String {
        "all".to_owned()
    }

    async fn run(&self, app: &App, claim: &Claim) -> Result<()> {
        use webhook::Column as Inbox;
        let now = app.clock.now();
        let mut txn = app.db.begin().await?;
        let expired = webhook::Entity::update_many()
            .col_expr(Inbox::State, Expr::value(WebhookState::Expired))
            .filter(Inbox::State.eq(WebhookState::Parked))
            .filter(Inbox::ReceivedAt.lt(now - TimeDelta::days(1)))
            .exec(&*txn)
            .await?
            .rows_affected;
        webhook::Entity::delete_many()
            .filter(Inbox::ReceivedAt.lt(now - TimeDelta::days(30)))
            .exec(&*txn)
            .await?;
        claim.succeed(&mut txn, app).await?;
        txn.commit().await?;
        if expired > 0 {
            tracing::info!(
                webhooks = expired,
                "webhooks expired whose subject never appeared"
            );
        }
        Ok(())
    }
}
