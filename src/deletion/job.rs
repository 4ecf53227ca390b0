//! The job that takes a person's rows away, batch by batch, and waits for the providers. Its last
//! transaction deletes the job itself: it names her too.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use entity::{item, session, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::tables::{AT_ONCE, LAST, Rows};
use crate::{
    app::App,
    audit,
    database::Txn,
    error::{Error, Result},
    jobs::{Claim, Job},
    linking,
};

/// How much longer than an access token the ids of sessions are kept: clocks of replicas differ, and a
/// request that has begun goes on.
const SLACK: TimeDelta = TimeDelta::minutes(15);
/// How soon and how seldom it is looked whether the providers have let go.
const OFTEN: Duration = Duration::from_secs(10);
const SELDOM: Duration = Duration::from_hours(1);

/// Deletes what is left of an account.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct DeleteAccount {
    /// Whose account it was.
    pub user_id: Uuid,
}

#[async_trait]
impl Job for DeleteAccount {
    const KIND: &'static str = "deletion.finish";
    /// As with a bank that is removed: some ten days of outage, or four months of what only the operator
    /// can mend.
    const MAX_ATTEMPTS: i32 = 500;

    fn key(&self) -> String {
        self.user_id.to_string()
    }

    fn user_id(&self) -> Option<Uuid> {
        Some(self.user_id)
    }

    fn concurrency_key(&self) -> Option<String> {
        // Never all of a process's slots, however many leave at once with however much.
        Some(Self::KIND.to_owned())
    }

    async fn run(&self, app: &App, claim: &Claim) -> Result<()> {
        let rows = user::Entity::find().filter(user::Column::Id.eq(self.user_id));
        let Some(user) = rows.one(app.db.read()).await? else {
            return self.finish(app, claim).await.map(|_| ());
        };
        // Never of somebody who is here, whatever the row of the job says.
        let Some(deleted_at) = user.deleted_at else {
            return Err(Error::internal(
                "an account to delete that nobody has deleted",
            ));
        };
        self.forget_devices(app, claim).await?;
        for rows in AT_ONCE {
            self.empty(app, claim, rows).await?;
        }
        let let_go = linking::is_let_go(app.db.read(), self.user_id).await?;
        if let_go {
            linking::forget_person(app, self.user_id).await?;
        }
        let void = tokens_void(app, deleted_at);
        let now = app.clock.now();
        if let_go && now >= void && self.finish(app, claim).await? {
            tracing::info!(user.id = %self.user_id, "an account is deleted");
            return Ok(());
        }
        let pause = if let_go {
            (void - now).to_std().unwrap_or(OFTEN)
        } else {
            let since = (now - deleted_at).to_std().unwrap_or_default();
            (since / 4).clamp(OFTEN, SELDOM)
        };
        let mut txn = app.db.begin().await?;
        claim.postpone(&mut txn, app, pause, Duration::ZERO).await?;
        txn.commit().await
    }
}

/// When no access token of hers can be good any more, nor a request that came with one go on.
fn tokens_void(app: &App, deleted_at: DateTime<Utc>) -> DateTime<Utc> {
    deleted_at + app.config.access_token_ttl + SLACK
}

impl DeleteAccount {
    /// Deletes rows, a batch in each transaction.
    async fn empty(&self, app: &App, claim: &Claim, rows: &Rows) -> Result<()> {
        loop {
            let txn = app.db.begin().await?;
            claim.check(&txn).await?;
            let more = rows.delete_some(&txn, self.user_id).await?;
            txn.commit().await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Leaves nothing of her sessions but their ids.
    async fn forget_devices(&self, app: &App, claim: &Claim) -> Result<()> {
        let txn = app.db.begin().await?;
        claim.check(&txn).await?;
        session::Entity::update_many()
            .col_expr(session::Column::UserAgent, Expr::value(None::<String>))
            .col_expr(session::Column::Address, Expr::value(None::<String>))
            .col_expr(session::Column::Network, Expr::value(None::<String>))
            .col_expr(session::Column::FirstNetwork, Expr::value(None::<String>))
            .filter(session::Column::UserId.eq(self.user_id))
            .exec(&*txn)
            .await?;
        txn.commit().await
    }

    /// Deletes the last of her, and this job; not if something has come that a provider has to let go of.
    async fn finish(&self, app: &App, claim: &Claim) -> Result<bool> {
        let mut txn = app.db.begin().await?;
        self.lock(&txn).await?;
        if !linking::is_let_go(&*txn, self.user_id).await? {
            return Ok(false);
        }
        claim.succeed(&mut txn, app).await?;
        for rows in AT_ONCE.iter().chain(LAST) {
            rows.delete_all(&txn, self.user_id).await?;
        }
        audit::unname(&*txn, self.user_id).await?;
        user::Entity::delete_by_id(self.user_id).exec(&*txn).await?;
        txn.commit().await?;
        Ok(true)
    }

    /// Waits for whoever links a bank of hers or keeps a webhook about one.
    async fn lock(&self, txn: &Txn) -> Result<()> {
        txn.lock(&format!("linking {}", self.user_id)).await?;
        let items: Vec<String> = item::Entity::find()
            .select_only()
            .column(item::Column::ProviderItemId)
            .filter(item::Column::UserId.eq(self.user_id))
            .order_by_asc(item::Column::ProviderItemId)
            .into_tuple()
            .all(&**txn)
            .await?;
        for item in items {
            txn.lock(&item).await?;
        }
        Ok(())
    }
}
