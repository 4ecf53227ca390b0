//! One sync of one item.

use std::sync::Arc;

use async_graphql::{
    Context, Enum, ID, InputType, Object, SimpleObject, Value,
    resolver_utils::{EnumType, parse_enum},
};
use entity::sync_job;

use super::{ContextExt, id, item::Item, loaders::Key, scalar::DateTime};
use crate::error::{ErrorCode, Result, UserAction};

/// One sync of one item: what brings its accounts and transactions up to date.
#[derive(Clone, Debug)]
pub struct SyncJob(pub Arc<sync_job::Model>);

impl From<sync_job::Model> for SyncJob {
    fn from(row: sync_job::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// One sync of one item: what brings its accounts and transactions up to date.
#[Object]
impl SyncJob {
    /// The job's id.
    pub(crate) async fn id(&self) -> ID {
        id::encode(id::SYNC_JOB, self.0.id)
    }

    /// What is synced. Absent if it is removed by now.
    async fn item(&self, ctx: &Context<'_>) -> Result<Option<Item>> {
        let key = Key::new(ctx.viewer()?, self.0.item_id);
        Ok(ctx.loaders().item.load_one(key).await?.map(Item))
    }

    /// Where it stands.
    async fn status(&self) -> SyncJobStatus {
        self.0.status.into()
    }

    /// Why it was asked for. Requests that came while it waited are served by it too.
    async fn trigger(&self) -> SyncTrigger {
        self.0.trigger.into()
    }

    /// How far it is.
    async fn progress(&self) -> SyncProgress {
        self.how_far()
    }

    /// Which attempt this is, from 1; 0 before the first.
    async fn attempt(&self) -> i32 {
        self.0.attempt
    }

    /// How many attempts there may be.
    async fn max_attempts(&self) -> i32 {
        self.0.max_attempts
    }

    /// What went wrong with the last attempt; absent if nothing did.
    async fn error(&self) -> Option<SyncError> {
        self.failure()
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When its first attempt began.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When it ended, well or not.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }

    /// When it is tried again; present only while it waits for that.
    async fn next_attempt_at(&self) -> Option<DateTime> {
        self.0.next_attempt_at.map(DateTime)
    }
}

impl SyncJob {
    /// How far it is.
    pub(super) fn how_far(&self) -> SyncProgress {
        SyncProgress {
            pages: self.0.pages,
            added: self.0.added,
            modified: self.0.modified,
            removed: self.0.removed,
        }
    }

    /// What went wrong with the last attempt.
    pub(super) fn failure(&self) -> Option<SyncError> {
        let row = &self.0;
        row.error_message.as_ref().map(|message| SyncError {
            code: named(row.error_code.as_deref()).unwrap_or(ErrorCode::ServerError),
            message: message.clone(),
            action: named(row.error_action.as_deref()),
            retryable: row.error_retryable,
        })
    }
}

/// Where a sync stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sync_job::SyncJobStatus")]
pub enum SyncJobStatus {
    /// Not started yet.
    Queued,
    /// In progress.
    Running,
    /// Failed for now; tried again by itself at `nextAttemptAt`.
    Waiting,
    /// Done: everything it found is there to be read.
    Succeeded,
    /// Given up: `error` says why and what to do.
    Failed,
    /// No longer wanted, as after the removal of its item.
    Cancelled,
}

/// Why a sync was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sync_job::SyncTrigger")]
pub enum SyncTrigger {
    /// The bank was just linked.
    Link,
    /// The provider said that there is news.
    Webhook,
    /// The person asked for it, or an administrator.
    Manual,
    /// The server looks after every item once a day.
    Schedule,
    /// The login was repaired.
    Repair,
}

/// How far a sync is. While it runs these are what it has fetched; all of it appears at once when
/// the job succeeds.
#[derive(Clone, Debug, SimpleObject)]
pub struct SyncProgress {
    /// Pages fetched from the provider.
    pub pages: i32,
    /// Transactions that are new.
    pub added: i32,
    /// Transactions that changed.
    pub modified: i32,
    /// Transactions that are gone.
    pub removed: i32,
}

/// Why an attempt at a sync failed.
#[derive(Clone, Debug, SimpleObject)]
pub struct SyncError {
    /// What sort of failure it is; the list only ever grows.
    pub code: ErrorCode,
    /// A sentence for people: what is wrong, and what to do about it.
    pub message: String,
    /// What the person can do about it; absent if nothing.
    pub action: Option<UserAction>,
    /// Whether the server tries again by itself.
    pub retryable: bool,
}

/// The value a stored name stands for. A name this server does not know, as after a step back to an
/// older one, stands for none: a list of jobs must not fail because of it.
fn named<T: EnumType + InputType>(name: Option<&str>) -> Option<T> {
    parse_enum(Value::String(name?.to_owned())).ok()
}
