//! What the API offers of syncing.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Subscription};
use entity::{
    activity::ActivityKind,
    feed_event::EventKind,
    item, removed_transaction,
    sync_job::{self, SyncTrigger},
};
use futures_util::Stream;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{request, step_in::refuse_disconnected};
use crate::{
    activity::{self, Entry},
    app::App,
    error::{Error, Result},
    graphql::{
        ContextExt,
        errors::{UserError, settle},
        id,
        item::Item,
        live::{Change, Live, Start, each},
        scalar::DateTime,
        sync_job::SyncJob,
    },
    viewer::{ClientInfo, Owned, Viewer, items_and_removed},
};

/// Mutations of syncing.
#[derive(Debug, Default)]
pub struct SyncMutation;

/// Subscriptions of syncing.
#[derive(Debug, Default)]
pub struct SyncSubscription;

/// Which bank to sync.
#[derive(Debug, InputObject)]
pub(super) struct SyncItemInput {
    /// The item.
    pub item_id: ID,
}

/// What came of asking for a sync.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct SyncItemPayload {
    /// The sync job that does it. One that had not begun yet takes the request over.
    pub sync_job: Option<SyncJob>,
    /// What kept it from being asked for; empty on success.
    pub user_errors: Vec<UserError>,
}

#[Object]
impl SyncMutation {
    /// Asks for a sync of a bank now. It runs in the background: follow it with `syncJobUpdated`. Call
    /// it also after a repair in Plaid Link in your app: if the bank lets us in, all is well again.
    async fn sync_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which bank to sync.")] input: SyncItemInput,
    ) -> Result<SyncItemPayload> {
        let (viewer, client) = (ctx.viewer()?, ctx.client());
        let asked = sync_item(ctx.app(), viewer, &client, &input.item_id).await;
        let payload = asked.map(|job| SyncItemPayload {
            sync_job: Some(job.into()),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| SyncItemPayload {
            user_errors,
            ..Default::default()
        })
    }
}

/// Asks for a sync on behalf of a person.
async fn sync_item(
    app: &App,
    viewer: Viewer,
    client: &ClientInfo,
    item_id: &str,
) -> Result<sync_job::Model> {
    let unknown = || Error::not_found("itemId", "item");
    let row_id = id::decode(id::ITEM, item_id).ok_or_else(unknown)?;
    let mut txn = app.db.begin().await?;
    let rows = item::Entity::owned_by(viewer).filter(item::Column::Id.eq(row_id));
    let item = rows.one(&*txn).await?.ok_or_else(unknown)?;
    refuse_disconnected(&item)?;
    let now = app.clock.now();
    let id = request(&mut txn, app, &item, SyncTrigger::Manual).await?;
    let job = sync_job::Entity::owned_by(viewer)
        .filter(sync_job::Column::Id.eq(id))
        .one(&*txn)
        .await?;
    let gone = || Error::internal("a sync job that was asked for is not there");
    let job = job.ok_or_else(gone)?;
    // One that waited already was asked for before, and told then.
    if job.created_at >= now {
        let entry = Entry {
            item_id: Some(row_id),
            ..Entry::of(viewer.user_id, ActivityKind::SyncRequested, client)
        };
        activity::record(&*txn, now, entry).await?;
    }
    txn.commit().await?;
    Ok(job)
}

/// A change of a sync job.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct SyncJobEvent {
    /// Pass it as `after` to go on behind this event.
    pub cursor: String,
    /// When the change was committed.
    pub occurred_at: DateTime,
    /// The sync job as it stands when the event is sent.
    pub sync_job: SyncJob,
}

/// Transactions that changed, by one sync or with the removal of their bank.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct TransactionsEvent {
    /// Pass it as `after` to go on behind this event.
    pub cursor: String,
    /// When the changes were committed.
    pub occurred_at: DateTime,
    /// The bank they came from; `removedAt` is set if they went with it.
    pub item: Item,
    /// How many transactions are new. The rows are in `transactionChanges`.
    pub added: i32,
    /// How many changed.
    pub modified: i32,
    /// How many are gone.
    pub removed: i32,
}

#[Subscription]
impl SyncSubscription {
    /// Sync jobs as they change. Without `after` it begins with a snapshot: the job asked for, the
    /// bank's latest job, or all jobs that have not ended.
    async fn sync_job_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this sync job.")] sync_job_id: Option<ID>,
        #[graphql(desc = "Only sync jobs of this item.")] item_id: Option<ID>,
        #[graphql(
            desc = "The cursor of the last event received: what was missed since comes first."
        )]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<SyncJobEvent>> + use<>> {
        let (app, viewer) = (ctx.app().clone(), ctx.viewer()?);
        let wanted = Box::pin(Wanted::read(&app, viewer, sync_job_id, item_id)).await?;
        let (live, start) = Live::follow(&app, viewer, EventKind::SyncJob, after).await?;
        let snapshot = match start {
            Start::Missed => Vec::new(),
            Start::Snapshot(moment) => {
                let rows = Box::pin(wanted.latest(&moment, viewer)).await?.into_iter();
                let now = app.clock.now();
                rows.map(|row| SyncJobEvent::of(live.snapshot(row.id, now), row.into()))
                    .collect()
            }
        };
        let things = live.things();
        Ok(each(snapshot, live.changes(), move |change| {
            let (app, wanted, things) = (app.clone(), wanted.clone(), things.clone());
            async move {
                let rows = sync_job::Entity::owned_by(viewer)
                    .filter(sync_job::Column::Id.eq(change.subject_id));
                let read = async { Ok(rows.one(app.db.read()).await?) };
                let row = things.share(change.seq, change.subject_id, read).await?;
                let row = row.filter(|row| wanted.is(row));
                Ok(row.map(|row| SyncJobEvent::of(change, SyncJob(row))))
            }
        }))
    }

    /// Transactions as they change: how many, and of which bank. The rows are in
    /// `transactionChanges`. Without `after` it begins with what comes next.
    async fn transactions_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The cursor of the last event received: what was missed since comes first."
        )]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<TransactionsEvent>> + use<>> {
        let (app, viewer) = (ctx.app().clone(), ctx.viewer()?);
        let (live, _) = Live::follow(&app, viewer, EventKind::Transactions, after).await?;
        let things = live.things();
        Ok(each(Vec::new(), live.changes(), move |change| {
            let (app, things) = (app.clone(), things.clone());
            async move {
                let read = changed(&app, viewer, &change);
                let read = things.share(change.seq, change.subject_id, read).await?;
                Ok(read.map(|changed| TransactionsEvent::of(change, &changed)))
            }
        }))
    }
}

/// How many transactions of an item changed.
#[derive(Debug)]
struct Changed {
    item: Item,
    added: i32,
    modified: i32,
    removed: i32,
}

/// The subject is the sync job that changed them, or the item they went with.
async fn changed(app: &App, viewer: Viewer, change: &Change) -> Result<Option<Changed>> {
    let jobs =
        sync_job::Entity::owned_by(viewer).filter(sync_job::Column::Id.eq(change.subject_id));
    let Some(job) = jobs.one(app.db.read()).await? else {
        return gone(app, viewer, change).await;
    };
    let items = item::Entity::owned_by(viewer).filter(item::Column::Id.eq(job.item_id));
    let item = items.one(app.db.read()).await?;
    Ok(item.map(|item| Changed {
        item: item.into(),
        added: job.added,
        modified: job.modified,
        removed: job.removed,
    }))
}

/// What went with a removed item: as many as there are tombstones of the removal.
async fn gone(app: &App, viewer: Viewer, change: &Change) -> Result<Option<Changed>> {
    let items = items_and_removed(viewer).filter(item::Column::Id.eq(change.subject_id));
    let Some(item) = items.one(app.db.read()).await? else {
        return Ok(None);
    };
    let tombstones = removed_transaction::Entity::owned_by(viewer)
        .filter(removed_transaction::Column::Seq.eq(change.seq))
        .filter(removed_transaction::Column::ItemId.eq(item.id));
    let removed = tombstones.count(app.db.read()).await?;
    Ok(Some(Changed {
        item: item.into(),
        added: 0,
        modified: 0,
        removed: i32::try_from(removed).unwrap_or(i32::MAX),
    }))
}

impl TransactionsEvent {
    fn of(change: Change, changed: &Changed) -> Self {
        Self {
            cursor: change.cursor,
            occurred_at: change.occurred_at,
            item: changed.item.clone(),
            added: changed.added,
            modified: changed.modified,
            removed: changed.removed,
        }
    }
}

impl SyncJobEvent {
    fn of(change: Change, sync_job: SyncJob) -> Self {
        Self {
            cursor: change.cursor,
            occurred_at: change.occurred_at,
            sync_job,
        }
    }
}

/// Which sync jobs a subscriber wants.
#[derive(Clone, Debug)]
struct Wanted {
    sync_job_id: Option<Uuid>,
    item_id: Option<Uuid>,
}

impl Wanted {
    /// Reads the ids; those that name nothing of the viewer's answer alike.
    async fn read(
        app: &App,
        viewer: Viewer,
        sync_job_id: Option<ID>,
        item_id: Option<ID>,
    ) -> Result<Self> {
        let mut wanted = Self {
            sync_job_id: None,
            item_id: None,
        };
        if let Some(text) = sync_job_id {
            let unknown = Error::NotFound("sync job");
            let row_id = id::decode(id::SYNC_JOB, &text).ok_or_else(|| unknown.clone())?;
            let rows = sync_job::Entity::owned_by(viewer).filter(sync_job::Column::Id.eq(row_id));
            wanted.sync_job_id = Some(rows.one(app.db.read()).await?.ok_or(unknown)?.id);
        }
        if let Some(text) = item_id {
            let unknown = Error::NotFound("item");
            let row_id = id::decode(id::ITEM, &text).ok_or_else(|| unknown.clone())?;
            let rows = item::Entity::owned_by(viewer).filter(item::Column::Id.eq(row_id));
            wanted.item_id = Some(rows.one(app.db.read()).await?.ok_or(unknown)?.id);
        }
        Ok(wanted)
    }

    fn is(&self, row: &sync_job::Model) -> bool {
        self.sync_job_id.is_none_or(|id| id == row.id)
            && self.item_id.is_none_or(|id| id == row.item_id)
    }

    fn condition(&self) -> Condition {
        Condition::all()
            .add_option(self.sync_job_id.map(|id| sync_job::Column::Id.eq(id)))
            .add_option(self.item_id.map(|id| sync_job::Column::ItemId.eq(id)))
    }

    /// How they stand, the latest last.
    async fn latest(
        &self,
        db: &impl ConnectionTrait,
        viewer: Viewer,
    ) -> Result<Vec<sync_job::Model>> {
        let mut rows = sync_job::Entity::owned_by(viewer)
            .filter(self.condition())
            .order_by_desc(sync_job::Column::Id);
        rows = match (self.sync_job_id, self.item_id) {
            (None, None) => rows
                .filter(sync_job::Column::FinishedAt.is_null())
                .limit(100),
            _ => rows.limit(1),
        };
        let mut rows = rows.all(db).await?;
        rows.reverse();
        Ok(rows)
    }
}
