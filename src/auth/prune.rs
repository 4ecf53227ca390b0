//! Forgetting sessions that ended a month ago, long enough to answer what became of one, allowances that are whole
//! again, mails, registrations and social logins whose time is over, and what administrators did a year ago.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use entity::{login_attempt, mail, registration, session};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};

use super::revocation::reach;
use crate::{
    app::App,
    audit,
    database::Database,
    error::Result,
    jobs::{Claim, Job},
};

/// Forgets sessions.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PruneSessions {}

#[async_trait]
impl Job for PruneSessions {
    const KIND: &'static str = "auth.prune";
    const MAX_ATTEMPTS: i32 = 3;
    const EVERY: Option<Duration> = Some(Duration::from_hours(6));

    fn key(&self) -> String {
        "all".to_owned()
    }

    async fn run(&self, app: &App, claim: &Claim) -> Result<()> {
        let now = app.clock.now();
        let month = TimeDelta::days(30);
        // While there may be an access token of it, a revoked one is what refuses it after a restart.
        let known = month.max(reach(app.config.access_token_ttl));
        let mut txn = app.db.begin().await?;
        let over = Condition::any()
            .add(session::Column::ExpiresAt.lt(now - month))
            .add(session::Column::RevokedAt.lt(now - known));
        session::Entity::delete_many()
            .filter(over)
            .exec(&*txn)
            .await?;
        mail::Entity::delete_many()
            .filter(mail::Column::ExpiresAt.lt(now))
            .exec(&*txn)
            .await?;
        registration::Entity::delete_many()
            .filter(registration::Column::ExpiresAt.lt(now))
            .exec(&*txn)
            .await?;
        login_attempt::Entity::delete_many()
            .filter(login_attempt::Column::ExpiresAt.lt(now))
            .exec(&*txn)
            .await?;
        let whole = format!(
            "DELETE FROM throttles WHERE free_at < {} + {}",
            Database::now_ms(app.db.backend()),
            app.clock.ahead_ms()
        );
        txn.execute_unprepared(&whole).await?;
        audit::prune(&*txn, app.clock.now()).await?;
        claim.succeed(&mut txn, app).await?;
        txn.commit().await
    }
}
