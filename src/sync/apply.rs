//! Writing a round: rows, removals, accounts, cursor, feed number and the job's end, in one
//! transaction or not at all.

use entity::{activity::ActivityKind, feed_event::EventKind, item};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::LockType,
};

use super::{
    accounts,
    fold::Round,
    follow,
    institution::{self, Bank},
    known::decide,
    standing,
    store::{self, Counts},
    write::{Stamp, write},
};
use crate::{
    app::App,
    error::{Error, Result},
    feed,
    jobs::Claim,
    providers::{Account, ItemState},
};

/// What the provider told about an item.
#[derive(Debug)]
pub(super) struct News {
    pub(super) state: ItemState,
    pub(super) bank: Bank,
    pub(super) accounts: Vec<Account>,
    pub(super) round: Round,
}

/// Writes everything and ends the job.
///
/// # Errors
/// [`Error::LeaseLost`] if another worker has synced the item meanwhile; then nothing is written.
pub(super) async fn apply(
    app: &App,
    job: &super::SyncItem,
    claim: &Claim,
    began: &item::Model,
    mut news: News,
) -> Result<()> {
    let now = app.clock.now();
    news.round.name_currencies(&news.accounts);
    let mut txn = app.db.begin().await?;
    claim.check(&txn).await?;
    let Some(item) = item::Entity::find()
        .filter(item::Column::Id.eq(began.id))
        .filter(item::Column::RemovedAt.is_null())
        .lock(LockType::NoKeyUpdate)
        .one(&*txn)
        .await?
    else {
        drop(txn);
        return super::job::gone(app, job, claim).await;
    };
    if item.sync_cursor != began.sync_cursor {
        return Err(Error::LeaseLost);
    }
    let institution_id = institution::write(app, &txn, &item, news.bank).await?;
    let account_ids = accounts::write(&txn, &item, news.accounts, now).await?;
    let (pages, readiness) = (news.round.pages, news.round.readiness);
    let (before, first) = (item.sync_cursor.as_deref(), item.last_synced_at.is_none());
    let cursor = news.round.next_cursor(before, first);
    let plan = decide(&txn, &item, &account_ids, news.round).await?;
    let counts = Counts {
        pages,
        added: plan.added,
        modified: plan.modified,
        removed: plan.removals.len(),
    };
    if app.provider(item.provider)?.credential_login().is_some() {
        // What a bank asked is answered, wherever that was.
        follow::forget(&txn, item.id).await?;
    }
    let seq = feed::next(&mut txn, item.user_id).await?;
    write(&txn, &item, plan, account_ids, Stamp { seq, now }).await?;
    if standing::is_mended(&item, &news.state) {
        store::log(&txn, app, job, ActivityKind::ItemRepaired, None).await?;
    }
    let mut row = standing::after_success(item, &news.state, readiness, now);
    row.institution_id = Set(institution_id);
    row.sync_cursor = Set(cursor);
    row.update(&*txn).await?;
    store::succeed(&txn, job.sync_job_id, counts, now).await?;
    let mut changes = vec![
        (EventKind::SyncJob, job.sync_job_id),
        (EventKind::Item, job.item_id),
    ];
    if counts.any() {
        changes.push((EventKind::Transactions, job.sync_job_id));
        let detail = format!(
            "{} new, {} changed, {} removed",
            counts.added, counts.modified, counts.removed
        );
        store::log(&txn, app, job, ActivityKind::SyncSucceeded, Some(detail)).await?;
    }
    feed::append(&txn, job.user_id, seq, now, &changes).await?;
    claim.succeed(&mut txn, app).await?;
    txn.commit().await?;
    let metrics = &app.metrics;
    metrics.synced(counts.added, counts.modified, counts.removed);
    tracing::info!(
        item.id = %job.item_id, sync_job.id = %job.sync_job_id,
        pages, added = counts.added, modified = counts.modified, removed = counts.removed,
        "an item is synced"
    );
    Ok(())
}
