//! Syncing items with their banks.
//!
//! One door: link, webhook, button, schedule and repair all call [`request`]. Of one item at most one
//! sync waits to begin and at most one runs; a request that comes while one runs leaves exactly one
//! behind it.
//!
//! A sync asks the provider first and writes after: the pages of one round are collected, then rows,
//! removals, accounts, cursor, feed number and the job's end commit in one transaction. Refused:
//! applying pages as they come. After a mutation during pagination the round begins again from its
//! first cursor, and a row that was added on an abandoned page and removed upstream meanwhile would
//! never be named again.
//!
//! With a provider that is given credentials a login is there before anybody is in. The same job then
//! follows it (`follow.rs`): it looks, and gives itself back to look again, until it may pull or only
//! the person can help. Refused: a second job for that, which would have to agree with this one on who
//! looks at an item, and a loop in a request.
//!
//! A transaction is one thing for ever: a posted one that names its pending one takes over the row
//! (`plan.rs`). Nothing is ever matched by guessing.

use std::time::Duration;

use entity::{
    feed_event::EventKind,
    item,
    sync_job::{self, SyncJobStatus, SyncTrigger},
};
use sea_orm::{ActiveValue::Set, EntityTrait};
use uuid::Uuid;

use crate::{
    app::App,
    database::Txn,
    error::Result,
    feed,
    jobs::{Enqueued, When, enqueue},
};

mod accounts;
mod api;
mod apply;
mod due;
mod fetch;
mod fold;
mod follow;
mod institution;
mod job;
mod known;
mod listed;
mod plan;
mod standing;
mod step_in;
mod store;
mod sweep;
mod write;

pub use api::{SyncMutation, SyncSubscription};
pub(crate) use due::at_first;
pub(crate) use follow::{begin_anew, forget};
pub use job::SyncItem;
pub(crate) use job::{access_token, place};
pub(crate) use standing::is_broken;
pub(crate) use step_in::{cancel_job, request_by_hand, retry};
pub(crate) use store::cancel;
pub use sweep::SweepItems;

/// Asks for a sync in the caller's transaction; returns the sync job that will do it.
pub async fn request(
    txn: &mut Txn,
    app: &App,
    item: &item::Model,
    trigger: SyncTrigger,
) -> Result<Uuid> {
    let id = Uuid::now_v7();
    let job = SyncItem {
        sync_job_id: id,
        item_id: item.id,
        user_id: item.user_id,
        institution_id: item.institution_id,
    };
    let when = When {
        delay: Duration::ZERO,
        hurry: trigger != SyncTrigger::Schedule,
    };
    if let Enqueued::Joined(waiting) = enqueue(txn, app, &job, when).await? {
        if trigger == SyncTrigger::Manual {
            store::make_manual(txn, waiting.sync_job_id).await?;
        }
        return Ok(waiting.sync_job_id);
    }
    let now = app.clock.now();
    let row = sync_job::ActiveModel {
        id: Set(id),
        user_id: Set(item.user_id),
        item_id: Set(item.id),
        trigger: Set(trigger),
        status: Set(SyncJobStatus::Queued),
        pages: Set(0),
        added: Set(0),
        modified: Set(0),
        removed: Set(0),
        attempt: Set(0),
        max_attempts: Set(<SyncItem as crate::jobs::Job>::MAX_ATTEMPTS),
        error_retryable: Set(false),
        created_at: Set(now),
        ..Default::default()
    };
    sync_job::Entity::insert(row)
        .exec_without_returning(&**txn)
        .await?;
    feed::publish(txn, item.user_id, now, &[(EventKind::SyncJob, id)]).await?;
    Ok(id)
}
