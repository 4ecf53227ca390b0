//! The sync job's row: the only place that changes its status, and each change is told to the feed.

use chrono::{DateTime, Utc};
use entity::{
    activity::ActivityKind,
    feed_event::EventKind,
    sync_job::{self, SyncJobStatus, SyncTrigger},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{SyncItem, fold::Round};
use crate::{
    activity::{self, Entry},
    app::App,
    database::Txn,
    error::{Refusal, Result},
    feed,
    jobs::Claim,
    viewer::ClientInfo,
};

/// A sync that somebody else had asked for and that has not begun is the person's now, who wants more:
/// that the bank is asked.
pub(super) async fn make_manual(txn: &Txn, id: Uuid) -> Result<()> {
    sync_job::Entity::update_many()
        .col_expr(sync_job::Column::Trigger, Expr::value(SyncTrigger::Manual))
        .filter(sync_job::Column::Id.eq(id))
        .filter(sync_job::Column::Status.eq(SyncJobStatus::Queued))
        .exec(&**txn)
        .await?;
    Ok(())
}

/// Remembers that the provider was asked to ask the bank.
pub(super) async fn refreshed(app: &App, job: &SyncItem, claim: &Claim) -> Result<()> {
    let now = app.clock.now();
    change(app, job, claim, |row| {
        let mut row = row.into_active_model();
        row.refreshed_at = Set(Some(now));
        row
    })
    .await
}

/// Marks a sync as waiting for the provider, which is nobody's fault; whether that is news.
pub(super) async fn wait(txn: &Txn, row: sync_job::Model) -> Result<bool> {
    if row.status == SyncJobStatus::Waiting && row.error_code.is_none() {
        return Ok(false);
    }
    let mut row = row.into_active_model();
    row.status = Set(SyncJobStatus::Waiting);
    row.error_code = Set(None);
    row.error_message = Set(None);
    row.error_action = Set(None);
    row.error_retryable = Set(false);
    row.next_attempt_at = Set(None);
    row.update(&**txn).await?;
    Ok(true)
}

/// Marks a sync as running.
pub(super) async fn start(app: &App, job: &SyncItem, claim: &Claim) -> Result<()> {
    let now = app.clock.now();
    change(app, job, claim, |row| {
        let started = row.started_at.unwrap_or(now);
        let mut row = row.into_active_model();
        row.status = Set(SyncJobStatus::Running);
        row.attempt = Set(claim.attempt);
        row.started_at = Set(Some(started));
        row.next_attempt_at = Set(None);
        row
    })
    .await
}

/// Tells how far a sync is.
pub(super) async fn progress(
    app: &App,
    job: &SyncItem,
    claim: &Claim,
    round: &Round,
) -> Result<()> {
    let rows = i32::try_from(round.len()).unwrap_or(i32::MAX);
    change(app, job, claim, |row| {
        let mut row = row.into_active_model();
        row.pages = Set(round.pages);
        row.added = Set(rows);
        row
    })
    .await
}

async fn change(
    app: &App,
    job: &SyncItem,
    claim: &Claim,
    edit: impl FnOnce(sync_job::Model) -> sync_job::ActiveModel,
) -> Result<()> {
    let mut txn = app.db.begin().await?;
    claim.check(&txn).await?;
    let Some(row) = find(&txn, job.sync_job_id).await? else {
        return Ok(());
    };
    edit(row).update(&*txn).await?;
    feed::publish(
        &mut txn,
        job.user_id,
        app.clock.now(),
        &[(EventKind::SyncJob, job.sync_job_id)],
    )
    .await?;
    txn.commit().await
}

/// What a finished sync did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) pages: i32,
    pub(super) added: usize,
    pub(super) modified: usize,
    pub(super) removed: usize,
}

impl Counts {
    /// Whether any transaction changed.
    pub(super) fn any(&self) -> bool {
        self.added + self.modified + self.removed > 0
    }
}

/// Ends a sync with success, in the transaction that holds its rows. The caller tells the feed.
pub(super) async fn succeed(txn: &Txn, id: Uuid, counts: Counts, now: DateTime<Utc>) -> Result<()> {
    let Some(row) = find(txn, id).await? else {
        return Ok(());
    };
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let mut row = row.into_active_model();
    row.status = Set(SyncJobStatus::Succeeded);
    row.pages = Set(counts.pages);
    row.added = Set(count(counts.added));
    row.modified = Set(count(counts.modified));
    row.removed = Set(count(counts.removed));
    row.error_code = Set(None);
    row.error_message = Set(None);
    row.error_action = Set(None);
    row.error_retryable = Set(false);
    row.next_attempt_at = Set(None);
    row.finished_at = Set(Some(now));
    row.update(&**txn).await?;
    Ok(())
}

/// How an attempt ended that did not succeed.
#[derive(Debug)]
pub(super) struct Setback {
    pub(super) attempt: i32,
    /// Absent when nothing is wrong and the provider is only not done yet.
    pub(super) refusal: Option<Refusal>,
    pub(super) retry_at: Option<DateTime<Utc>>,
}

impl Setback {
    /// What went wrong, in a sentence for people.
    pub(super) fn message(&self) -> Option<String> {
        self.refusal.as_ref().map(|refusal| refusal.message.clone())
    }
}

/// Writes a setback down. The caller tells the feed.
pub(super) async fn set_back(
    txn: &Txn,
    id: Uuid,
    setback: &Setback,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(row) = find(txn, id).await? else {
        return Ok(());
    };
    let refusal = setback.refusal.as_ref();
    let mut row = row.into_active_model();
    row.attempt = Set(setback.attempt);
    row.error_code = Set(refusal.map(|refusal| name(&refusal.code)));
    row.error_message = Set(refusal.map(|refusal| refusal.message.clone()));
    row.error_action = Set(refusal
        .and_then(Refusal::action)
        .map(|action| name(&action)));
    row.error_retryable = Set(setback.retry_at.is_some());
    row.next_attempt_at = Set(setback.retry_at);
    if setback.retry_at.is_some() {
        row.status = Set(SyncJobStatus::Waiting);
    } else {
        row.status = Set(SyncJobStatus::Failed);
        row.finished_at = Set(Some(now));
    }
    row.update(&**txn).await?;
    Ok(())
}

/// Makes a sync that had failed for good one that has not begun and is asked for now; whether it was one.
/// The caller tells the feed.
pub(super) async fn reopen(txn: &Txn, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let rows = sync_job::Entity::find().filter(sync_job::Column::Id.eq(id));
    let failed = rows.filter(sync_job::Column::Status.eq(SyncJobStatus::Failed));
    let Some(row) = failed.one(&**txn).await? else {
        return Ok(false);
    };
    let mut row = row.into_active_model();
    row.status = Set(SyncJobStatus::Queued);
    row.attempt = Set(0);
    // How long a login has been followed counts from here.
    row.created_at = Set(now);
    row.refreshed_at = Set(None);
    row.error_code = Set(None);
    row.error_message = Set(None);
    row.error_action = Set(None);
    row.error_retryable = Set(false);
    row.finished_at = Set(None);
    row.update(&**txn).await?;
    Ok(true)
}

/// Cancels one sync that has not ended; whether it had not. The caller tells the feed.
pub(super) async fn cancel_one(txn: &Txn, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let Some(row) = find(txn, id).await? else {
        return Ok(false);
    };
    let mut row = row.into_active_model();
    row.status = Set(SyncJobStatus::Cancelled);
    row.error_retryable = Set(false);
    row.next_attempt_at = Set(None);
    row.finished_at = Set(Some(now));
    row.update(&**txn).await?;
    Ok(true)
}

/// Cancels the syncs of an item that is going away; returns them. The caller tells the feed.
pub(crate) async fn cancel(txn: &Txn, item_id: Uuid, now: DateTime<Utc>) -> Result<Vec<Uuid>> {
    use sync_job::Column as Row;
    let cancelled = sync_job::Entity::update_many()
        .col_expr(Row::Status, Expr::value(SyncJobStatus::Cancelled))
        .col_expr(Row::FinishedAt, Expr::value(now))
        .filter(Row::ItemId.eq(item_id))
        .filter(Row::FinishedAt.is_null())
        .exec_with_returning(&**txn)
        .await?;
    Ok(cancelled.into_iter().map(|row| row.id).collect())
}

/// Tells the person in her log.
pub(super) async fn log(
    txn: &Txn,
    app: &App,
    job: &SyncItem,
    kind: ActivityKind,
    detail: Option<String>,
) -> Result<()> {
    let entry = Entry {
        item_id: Some(job.item_id),
        detail,
        ..Entry::of(job.user_id, kind, &ClientInfo::default())
    };
    activity::record(&**txn, app.clock.now(), entry).await
}

/// A sync that has not ended; one that was cancelled stays so.
pub(super) async fn find(txn: &Txn, id: Uuid) -> Result<Option<sync_job::Model>> {
    let rows = sync_job::Entity::find().filter(sync_job::Column::Id.eq(id));
    Ok(rows
        .filter(sync_job::Column::FinishedAt.is_null())
        .one(&**txn)
        .await?)
}

/// The name a value has in the schema.
fn name<T: async_graphql::resolver_utils::EnumType>(value: &T) -> String {
    T::items()
        .iter()
        .find(|item| item.value == *value)
        .map(|item| item.name.to_owned())
        .unwrap_or_default()
}
