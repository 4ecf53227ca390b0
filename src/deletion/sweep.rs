//! Deletions whose job was lost: nobody asks for them again.

use std::time::Duration;

use async_trait::async_trait;
use entity::user;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::job::DeleteAccount;
use crate::{
    app::App,
    error::Result,
    jobs::{Claim, Job, When, enqueue},
};

/// Goes on with deletions.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SweepDeletions {}

#[async_trait]
impl Job for SweepDeletions {
    const KIND: &'static str = "deletion.sweep";
    const MAX_ATTEMPTS: i32 = 3;
    const EVERY: Option<Duration> = Some(Duration::from_mins(10));

    fn key(&self) -> String {
        "all".to_owned()
    }

    async fn run(&self, app: &App, _claim: &Claim) -> Result<()> {
        for user_id in leaving(app).await? {
            let mut txn = app.db.begin().await?;
            // Nearly always it joins the one that is waiting for its next look.
            enqueue(&mut txn, app, &DeleteAccount { user_id }, When::default()).await?;
            txn.commit().await?;
        }
        Ok(())
    }
}

/// People whose accounts are deleted and of whom something is left.
async fn leaving(app: &App) -> Result<Vec<Uuid>> {
    Ok(user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::DeletedAt.is_not_null())
        .order_by_asc(user::Column::DeletedAt)
        .into_tuple()
        .all(app.db.read())
        .await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::everywhere;

    #[tokio::test]
    async fn only_those_who_leave_are_read() {
        everywhere(async |app| {
            app.take_statements();
            leaving(app).await.unwrap();
            let plan = app.plan(&app.take_statements()[0], true).await;
            assert!(plan.contains("ix_users_deleted_at"), "{plan}");
        })
        .await;
    }
}
