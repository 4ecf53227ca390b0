//! Syncs that an administrator steps in about: the job is given out again or called off, and the sync that
//! people see with it.

use entity::{
    feed_event::EventKind,
    item::{self, LinkStatus},
    job,
    sync_job::SyncTrigger,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};
use uuid::Uuid;

use super::{SyncItem, request, store};
use crate::{
    app::App,
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    feed, jobs,
};

/// Gives a sync that was given up out again; whether that could be done. It cannot where its item is
/// removed, or another sync of it is under way.
pub(crate) async fn retry(txn: &mut Txn, app: &App, row: &job::Model) -> Result<bool> {
    let job = payload(row)?;
    // The item before its sync, as whoever removes it takes them.
    let live = item::Entity::find()
        .filter(item::Column::Id.eq(job.item_id))
        .filter(item::Column::RemovedAt.is_null())
        .lock(LockType::NoKeyUpdate);
    if live.one(&**txn).await?.is_none() || !jobs::retry(txn, app, row.id).await? {
        return Ok(false);
    }
    if store::reopen(txn, job.sync_job_id, app.clock.now()).await? {
        tell(txn, app, &job).await?;
    }
    Ok(true)
}

/// Calls a sync off that has not begun or waits to be tried again; whether that could be done.
pub(crate) async fn cancel_job(txn: &mut Txn, app: &App, row: &job::Model) -> Result<bool> {
    let job = payload(row)?;
    if !jobs::cancel(txn, app, row.id).await? {
        return Ok(false);
    }
    if store::cancel_one(txn, job.sync_job_id, app.clock.now()).await? {
        tell(txn, app, &job).await?;
    }
    Ok(true)
}

/// Asks for a sync of anybody's item as its person would; returns the item.
///
/// # Errors
/// `NOT_FOUND`; `ITEM_DISCONNECTED`.
pub(crate) async fn request_by_hand(txn: &mut Txn, app: &App, id: Uuid) -> Result<item::Model> {
    let rows = item::Entity::find()
        .filter(item::Column::Id.eq(id))
        .filter(item::Column::RemovedAt.is_null());
    let item = rows.one(&**txn).await?.ok_or_else(|| {
        let text = "No item has this id.";
        Refusal::new(ErrorCode::NotFound, text).on("itemId")
    })?;
    refuse_disconnected(&item)?;
    request(txn, app, &item, SyncTrigger::Manual).await?;
    Ok(item)
}

/// Refuses an item that no sync can reach any more. One that asks for a new sign-in is asked again: a repair
/// in the app's own Link may be told by nobody but the person.
pub(super) fn refuse_disconnected(item: &item::Model) -> Result<()> {
    if item.link_status != LinkStatus::Disconnected {
        return Ok(());
    }
    let text = "Access to this bank has ended. Link it anew.";
    Err(Refusal::new(ErrorCode::ItemDisconnected, text)
        .on("itemId")
        .into())
}

async fn tell(txn: &mut Txn, app: &App, job: &SyncItem) -> Result<()> {
    let changes = [(EventKind::SyncJob, job.sync_job_id)];
    feed::publish(txn, job.user_id, app.clock.now(), &changes).await?;
    Ok(())
}

fn payload(row: &job::Model) -> Result<SyncItem> {
    serde_json::from_value(row.payload.clone()).map_err(Error::internal)
}
