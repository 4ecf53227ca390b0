//! The row of an export and the pieces of its archive: the only place that changes them, and each
//! change of the row is told to the feed.

use chrono::{DateTime, Utc};
use entity::{
    data_export::{self, DataExportStatus},
    data_export_chunk,
    feed_event::EventKind,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use uuid::Uuid;

use crate::{
    app::App,
    database::Txn,
    error::{Error, Result},
    feed,
    graphql::data_export::DataExportFile,
    jobs::Claim,
    seal::Place,
};

/// Bytes in a piece: few rows for a large archive, and little to hold for who downloads it.
pub(super) const PIECE: usize = 64 * 1024;

/// Begins to write, or begins again: what an attempt that died has left goes. Nothing if the export is
/// over or gone.
pub(super) async fn begin(
    app: &App,
    claim: &Claim,
    id: Uuid,
) -> Result<Option<data_export::Model>> {
    let mut txn = app.db.begin().await?;
    claim.check(&txn).await?;
    let Some(row) = under_way(&txn, id).await? else {
        return Ok(None);
    };
    forget(&txn, id).await?;
    let mut row = row.into_active_model();
    row.status = Set(DataExportStatus::Running);
    let row = change(&mut txn, app, row).await?;
    txn.commit().await?;
    Ok(Some(row))
}

/// Keeps the next pieces of an archive.
pub(super) async fn keep(
    app: &App,
    claim: &Claim,
    export: &data_export::Model,
    first: usize,
    pieces: &[&[u8]],
) -> Result<()> {
    let txn = app.db.begin().await?;
    claim.check(&txn).await?;
    for (number, piece) in (first..).zip(pieces) {
        let id = Uuid::now_v7();
        let row = data_export_chunk::ActiveModel {
            id: Set(id),
            user_id: Set(export.user_id),
            data_export_id: Set(export.id),
            number: Set(i32::try_from(number).map_err(Error::internal)?),
            body: Set(app.keys.seal(place(id, export.user_id), piece)?),
        };
        data_export_chunk::Entity::insert(row)
            .exec_without_returning(&*txn)
            .await?;
    }
    txn.commit().await
}

/// What a finished archive is.
pub(super) struct Finished {
    pub(super) size: usize,
    pub(super) files: Vec<DataExportFile>,
    pub(super) expires_at: DateTime<Utc>,
}

/// Marks an export as ready and ends its job.
pub(super) async fn finish(
    app: &App,
    claim: &Claim,
    export: data_export::Model,
    finished: Finished,
) -> Result<()> {
    let mut txn = app.db.begin().await?;
    let mut row = export.into_active_model();
    row.status = Set(DataExportStatus::Ready);
    row.size = Set(Some(i64::try_from(finished.size).map_err(Error::internal)?));
    let files = serde_json::to_value(finished.files).map_err(Error::internal)?;
    row.files = Set(Some(files));
    row.finished_at = Set(Some(app.clock.now()));
    row.expires_at = Set(Some(finished.expires_at));
    // The fence before the feed, as every job takes them.
    claim.succeed(&mut txn, app).await?;
    change(&mut txn, app, row).await?;
    txn.commit().await
}

/// Writes down that an attempt failed, and takes away what it wrote.
pub(super) async fn set_back(txn: &mut Txn, app: &App, id: Uuid, over: bool) -> Result<()> {
    let Some(row) = under_way(txn, id).await? else {
        return Ok(());
    };
    forget(txn, id).await?;
    let mut row = row.into_active_model();
    row.status = Set(DataExportStatus::Queued);
    if over {
        row.status = Set(DataExportStatus::Failed);
        row.finished_at = Set(Some(app.clock.now()));
    }
    change(txn, app, row).await?;
    Ok(())
}

/// Lets an export that was given up wait to be written again; whether there is one.
pub(super) async fn reopen(txn: &mut Txn, app: &App, id: Uuid) -> Result<bool> {
    let rows = data_export::Entity::find()
        .filter(data_export::Column::Id.eq(id))
        .filter(data_export::Column::Status.eq(DataExportStatus::Failed));
    let Some(row) = rows.one(&**txn).await? else {
        return Ok(false);
    };
    let mut row = row.into_active_model();
    row.status = Set(DataExportStatus::Queued);
    row.finished_at = Set(None);
    change(txn, app, row).await?;
    Ok(true)
}

/// Deletes the archive of an export whose time is over.
pub(super) async fn expire(app: &App, export: data_export::Model) -> Result<()> {
    let mut txn = app.db.begin().await?;
    forget(&txn, export.id).await?;
    let mut row = export.into_active_model();
    row.status = Set(DataExportStatus::Expired);
    change(&mut txn, app, row).await?;
    txn.commit().await
}

/// Takes the pieces of an archive away.
async fn forget(txn: &Txn, id: Uuid) -> Result<()> {
    data_export_chunk::Entity::delete_many()
        .filter(data_export_chunk::Column::DataExportId.eq(id))
        .exec(&**txn)
        .await?;
    Ok(())
}

async fn under_way(txn: &Txn, id: Uuid) -> Result<Option<data_export::Model>> {
    let rows = data_export::Entity::find()
        .filter(data_export::Column::Id.eq(id))
        .filter(data_export::Column::FinishedAt.is_null());
    Ok(rows.one(&**txn).await?)
}

async fn change(
    txn: &mut Txn,
    app: &App,
    row: data_export::ActiveModel,
) -> Result<data_export::Model> {
    let row = row.update(&**txn).await?;
    let changes = [(EventKind::DataExport, row.id)];
    feed::publish(txn, row.user_id, app.clock.now(), &changes).await?;
    Ok(row)
}

/// Where a piece of an archive is sealed.
pub(super) fn place(row: Uuid, user: Uuid) -> Place {
    Place {
        column: "data_export_chunks.body",
        row,
        user,
    }
}
