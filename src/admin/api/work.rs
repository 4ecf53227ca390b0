//! What administrators do about the server's work.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::job;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    admin::access::Act,
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    exports::{self, WriteExport},
    graphql::{
        ContextExt,
        admin::{AdminItem, Job, WebhookDelivery},
        errors::{UserError, settle},
        id,
    },
    jobs::{self, Job as _},
    sync::{self, SyncItem},
    webhooks,
};

/// Which job to try again.
#[derive(Debug, InputObject)]
pub(super) struct RetryJobInput {
    /// The job.
    job_id: ID,
}

/// Which job to call off.
#[derive(Debug, InputObject)]
pub(super) struct CancelJobInput {
    /// The job.
    job_id: ID,
}

/// Which webhook to replay.
#[derive(Debug, InputObject)]
pub(super) struct ReplayWebhookInput {
    /// The delivery.
    delivery_id: ID,
}

/// Which login at a bank to sync.
#[derive(Debug, InputObject)]
pub(super) struct SyncUserItemInput {
    /// The item.
    item_id: ID,
}

/// What came of stepping in about a job.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct JobPayload {
    /// The job as it is now; absent if something was refused.
    job: Option<Job>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What came of replaying a webhook.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct ReplayWebhookPayload {
    /// The delivery as it is now; absent if something was refused.
    delivery: Option<WebhookDelivery>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What came of asking for a sync.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct SyncUserItemPayload {
    /// The item; absent if something was refused.
    item: Option<AdminItem>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What administrators do about the server's work.
#[derive(Debug, Default)]
pub(crate) struct WorkMutation;

/// What administrators do about the server's work.
#[Object]
impl WorkMutation {
    /// Has a job tried again that was given up, with all its attempts. Not while another job does the same.
    /// For administrators.
    async fn retry_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: RetryJobInput,
    ) -> Result<JobPayload> {
        stepped_in(retry_job(ctx, &input.job_id).await)
    }

    /// Calls a job off that has not begun or waits to be tried again. One that runs goes on, and one that comes
    /// by itself again and again has its next time all the same. Not an export. For administrators.
    async fn cancel_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: CancelJobInput,
    ) -> Result<JobPayload> {
        stepped_in(cancel_job(ctx, &input.job_id).await)
    }

    /// Lets a webhook take effect that is kept. One that did already has its item looked at again, and
    /// nothing else: a replay repeats nothing. For administrators.
    async fn replay_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which delivery.")] input: ReplayWebhookInput,
    ) -> Result<ReplayWebhookPayload> {
        let replayed = replay_webhook(ctx, &input.delivery_id).await;
        let payload = replayed.map(|delivery| ReplayWebhookPayload {
            delivery: Some(delivery),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| ReplayWebhookPayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Asks for a sync of somebody's login at a bank, as its person would with `syncItem`. For administrators.
    async fn sync_user_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which item.")] input: SyncUserItemInput,
    ) -> Result<SyncUserItemPayload> {
        let asked = sync_user_item(ctx, &input.item_id).await;
        let payload = asked.map(|item| SyncUserItemPayload {
            item: Some(item),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| SyncUserItemPayload {
            user_errors,
            ..Default::default()
        })
    }
}

async fn retry_job(ctx: &Context<'_>, job_id: &str) -> Result<Job> {
    let mut act = Act::begin(ctx).await?;
    let row = find(&act.txn, job_id).await?;
    let done = match row.kind.as_str() {
        SyncItem::KIND => sync::retry(&mut act.txn, ctx.app(), &row).await?,
        WriteExport::KIND => exports::retry(&mut act.txn, ctx.app(), &row).await?,
        _ => jobs::retry(&mut act.txn, ctx.app(), row.id).await?,
    };
    if !done {
        let text = "Only a job that was given up can be tried again, while no other does the same and what it \
                    works on is there.";
        return Err(refused(text));
    }
    let row = find(&act.txn, job_id).await?;
    act.commit_and_tell(row.user_id).await?;
    Ok(row.into())
}

async fn cancel_job(ctx: &Context<'_>, job_id: &str) -> Result<Job> {
    let mut act = Act::begin(ctx).await?;
    let row = find(&act.txn, job_id).await?;
    if row.kind == WriteExport::KIND {
        let text = "An export is not called off: its person waits for it, and it ends by itself.";
        return Err(refused(text));
    }
    let done = if row.kind == SyncItem::KIND {
        sync::cancel_job(&mut act.txn, ctx.app(), &row).await?
    } else {
        jobs::cancel(&mut act.txn, ctx.app(), row.id).await?
    };
    if !done {
        let text = "Only a job that is queued or waits to be tried again can be called off.";
        return Err(refused(text));
    }
    let row = find(&act.txn, job_id).await?;
    act.commit_and_tell(row.user_id).await?;
    Ok(row.into())
}

async fn replay_webhook(ctx: &Context<'_>, delivery_id: &str) -> Result<WebhookDelivery> {
    let mut act = Act::begin(ctx).await?;
    // What is no delivery's id answers as an unknown one does.
    let row_id = id::decode(id::DELIVERY, delivery_id).unwrap_or_default();
    let row = webhooks::replay(&mut act.txn, ctx.app(), row_id).await?;
    act.commit_and_tell(row.user_id).await?;
    Ok(row.into())
}

async fn sync_user_item(ctx: &Context<'_>, item_id: &str) -> Result<AdminItem> {
    let mut act = Act::begin(ctx).await?;
    let row_id = id::decode(id::ITEM, item_id).unwrap_or_default();
    let row = sync::request_by_hand(&mut act.txn, ctx.app(), row_id).await?;
    act.commit_and_tell(Some(row.user_id)).await?;
    Ok(row.into())
}

async fn find(txn: &Txn, job_id: &str) -> Result<job::Model> {
    let row_id = id::decode(id::JOB, job_id).unwrap_or_default();
    let rows = job::Entity::find().filter(job::Column::Id.eq(row_id));
    rows.one(&**txn).await?.ok_or_else(|| {
        let text =
            "No job has this id; one that was given up is kept for a month, others for a day.";
        Refusal::new(ErrorCode::NotFound, text).on("jobId").into()
    })
}

fn refused(text: &str) -> Error {
    Refusal::new(ErrorCode::InvalidState, text)
        .on("jobId")
        .into()
}

fn stepped_in(result: Result<Job>) -> Result<JobPayload> {
    let payload = result.map(|job| JobPayload {
        job: Some(job),
        user_errors: Vec::new(),
    });
    settle(payload, |user_errors| JobPayload {
        user_errors,
        ..Default::default()
    })
}
