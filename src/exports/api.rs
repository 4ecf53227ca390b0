//! What the API offers of exports.

#![expect(
    clippy::too_many_arguments,
    reason = "a connection has four arguments by itself"
)]

use async_graphql::{Context, ID, Object, SimpleObject, Subscription};
use entity::{data_export, feed_event::EventKind};
use futures_util::Stream;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::export_data::export_data;
use crate::{
    error::{Error, Result},
    graphql::{
        ContextExt,
        data_export::DataExport,
        errors::{UserError, settle},
        id,
        live::{Change, Live, Start, each},
        loaders::Key,
        page::{ById, Connection, RawPage, Scope, cost},
        scalar::DateTime,
    },
    viewer::Owned,
};

/// Queries of exports.
#[derive(Debug, Default)]
pub struct ExportsQuery;

/// Mutations of exports.
#[derive(Debug, Default)]
pub struct ExportsMutation;

/// Subscriptions of exports.
#[derive(Debug, Default)]
pub struct ExportsSubscription;

/// What came of asking for an export.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct ExportDataPayload {
    /// The export that was begun, or the one that is under way already.
    data_export: Option<DataExport>,
    /// What kept it from being begun; empty on success.
    user_errors: Vec<UserError>,
}

/// Copies of everything.
#[Object]
impl ExportsQuery {
    /// The copies of your data that you have asked for within a month, newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn data_exports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<DataExport>> {
        let (app, viewer) = (ctx.app(), ctx.viewer()?);
        let rows = ById {
            scope: Scope::new(app, viewer, "dataExports"),
            rows: data_export::Entity::owned_by(viewer),
            id: data_export::Column::Id,
            newest_first: true,
        };
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        rows.page(app.db.read(), page, ctx.wants_total()).await
    }

    /// One of the copies of your data; absent if the id names none of yours.
    async fn data_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The export's id.")] id: ID,
    ) -> Result<Option<DataExport>> {
        let Some(key) = Key::decode(ctx.viewer()?, id::DATA_EXPORT, &id) else {
            return Ok(None);
        };
        Ok(ctx
            .loaders()
            .data_export
            .load_one(key)
            .await?
            .map(DataExport))
    }
}

/// Copies of everything.
#[Object]
impl ExportsMutation {
    /// Asks for a copy of everything the server holds about you: profile, sessions, banks, accounts,
    /// transactions, syncs, log, each as CSV and as JSON in one zip archive, all of one moment. It is
    /// written in the background: follow it with `dataExportUpdated`, then ask for its `downloadUrl`.
    /// While one is under way that one is returned; at most three may be asked for within a day, not counting what failed.
    async fn export_data(&self, ctx: &Context<'_>) -> Result<ExportDataPayload> {
        let asked = export_data(ctx.app(), ctx.viewer()?, &ctx.client()).await;
        let payload = asked.map(|row| ExportDataPayload {
            data_export: Some(row.into()),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| ExportDataPayload {
            user_errors,
            ..Default::default()
        })
    }
}

/// A change of an export.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct DataExportEvent {
    /// Pass it as `after` to go on behind this event.
    pub cursor: String,
    /// When the change was committed.
    pub occurred_at: DateTime,
    /// The export as it stands when the event is sent.
    pub data_export: DataExport,
}

#[Subscription]
impl ExportsSubscription {
    /// Copies of your data as they are begun, ready, given up and deleted. Without `after` it begins
    /// with a snapshot: the export asked for, or the newest.
    async fn data_export_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this export.")] data_export_id: Option<ID>,
        #[graphql(
            desc = "The cursor of the last event received: what was missed since comes first."
        )]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<DataExportEvent>> + use<>> {
        let (app, viewer) = (ctx.app().clone(), ctx.viewer()?);
        let unknown = Error::NotFound("data export");
        let wanted = match &data_export_id {
            None => None,
            Some(text) => Some(id::decode(id::DATA_EXPORT, text).ok_or_else(|| unknown.clone())?),
        };
        let (live, start) = Live::follow(&app, viewer, EventKind::DataExport, after).await?;
        let mut rows = data_export::Entity::owned_by(viewer)
            .order_by_desc(data_export::Column::Id)
            .limit(1);
        if let Some(wanted) = wanted {
            rows = rows.filter(data_export::Column::Id.eq(wanted));
        }
        let (rows, begins) = match start {
            Start::Missed => (Box::pin(rows.all(app.db.read())).await?, false),
            Start::Snapshot(moment) => (Box::pin(rows.all(&moment)).await?, true),
        };
        if wanted.is_some() && rows.is_empty() {
            return Err(unknown);
        }
        let now = app.clock.now();
        let snapshot = rows
            .into_iter()
            .filter(|_| begins)
            .map(|row| DataExportEvent::of(live.snapshot(row.id, now), row.into()))
            .collect();
        let things = live.things();
        Ok(each(snapshot, live.changes(), move |change| {
            let (app, things) = (app.clone(), things.clone());
            async move {
                if wanted.is_some_and(|wanted| wanted != change.subject_id) {
                    return Ok(None);
                }
                let rows = data_export::Entity::owned_by(viewer)
                    .filter(data_export::Column::Id.eq(change.subject_id));
                let read = async { Ok(rows.one(app.db.read()).await?) };
                let row = things.share(change.seq, change.subject_id, read).await?;
                Ok(row.map(|row| DataExportEvent::of(change, DataExport(row))))
            }
        }))
    }
}

impl DataExportEvent {
    fn of(change: Change, data_export: DataExport) -> Self {
        Self {
            cursor: change.cursor,
            occurred_at: change.occurred_at,
            data_export,
        }
    }
}
