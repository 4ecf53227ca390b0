//! Work in the background.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use entity::job;
use uuid::Uuid;

use super::user::{self, AdminUser};
use crate::{
    error::Result,
    graphql::{
        ContextExt, id,
        scalar::DateTime,
        sync_job::{SyncError, SyncJob, SyncProgress},
    },
};

/// Work in the background. Of one kind and key at most one job waits to begin and at most one has begun.
#[derive(Clone, Debug)]
pub struct Job(pub Arc<job::Model>);

impl From<job::Model> for Job {
    fn from(row: job::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// Work in the background. Of one kind and key at most one job waits to begin and at most one has begun.
#[Object]
impl Job {
    /// The job's id.
    async fn job_id(&self) -> ID {
        id::encode(id::JOB, self.0.id)
    }

    /// What sort of work it is, such as `sync.item`.
    async fn kind(&self) -> &str {
        &self.0.kind
    }

    /// What it works on: the internal key of a row, or `all`.
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// Whose data it works on, if one person's.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<AdminUser>> {
        user::of(ctx, self.0.user_id).await
    }

    /// Where it stands.
    async fn status(&self) -> JobStatus {
        self.0.state.into()
    }

    /// How often it was started.
    async fn attempt(&self) -> i32 {
        self.0.attempt
    }

    /// How often it may be started.
    async fn max_attempts(&self) -> i32 {
        self.0.max_attempts
    }

    /// How often its worker died under it; after the third time it is given up.
    async fn crashes(&self) -> i32 {
        self.0.crashes
    }

    /// Why the last attempt failed, in the words of the server's log; absent if none did, or if the job
    /// succeeded after all.
    async fn error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// What a sync has brought so far; absent for other work.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Option<SyncProgress>> {
        Ok(self.sync(ctx).await?.map(|sync| sync.how_far()))
    }

    /// What the person is told of a sync's failure; absent for other work, and where nothing went wrong.
    async fn sync_error(&self, ctx: &Context<'_>) -> Result<Option<SyncError>> {
        Ok(self.sync(ctx).await?.and_then(|sync| sync.failure()))
    }

    /// When it was asked for.
    async fn created_at(&self) -> Option<DateTime> {
        moment(self.0.created_at)
    }

    /// When it may begin, or could have begun; absent once it has ended.
    async fn due_at(&self) -> Option<DateTime> {
        moment(self.0.run_at).filter(|_| self.0.finished_at.is_none())
    }

    /// When it ended, well or not.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.and_then(moment)
    }
}

impl Job {
    /// The sync this job does, if it is one.
    async fn sync(&self, ctx: &Context<'_>) -> Result<Option<SyncJob>> {
        let id = self.0.payload.get("sync_job_id");
        let id: Option<Uuid> = id.and_then(|id| id.as_str()?.parse().ok());
        let Some(id) = id else {
            return Ok(None);
        };
        let row = ctx.loaders().admin.sync_job.load_one(id).await?;
        Ok(row.map(SyncJob))
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "job::JobState")]
pub enum JobStatus {
    /// Not started yet.
    Queued,
    /// In progress.
    Running,
    /// Failed for now, or not done yet; tried again at `dueAt`.
    Waiting,
    /// Done. Kept for a day.
    Succeeded,
    /// Given up: `error` says why, and `retryJob` has it tried again. Kept for a month.
    Dead,
    /// Called off by an administrator. Kept for a day.
    Cancelled,
}

/// A moment that the engine has counted, in milliseconds since 1970.
fn moment(ms: i64) -> Option<DateTime> {
    chrono::DateTime::from_timestamp_millis(ms).map(DateTime)
}
