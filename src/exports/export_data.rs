//! Asking for a copy of everything.

use chrono::TimeDelta;
use entity::{
    activity::ActivityKind,
    data_export::{self, DataExportStatus},
    feed_event::EventKind,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
};
use uuid::Uuid;

use super::job::WriteExport;
use crate::{
    activity::{self, Entry},
    app::App,
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    feed,
    jobs::{When, enqueue},
    viewer::{ClientInfo, Owned, Viewer, is_here},
};

/// So many may be asked for within [`DAY`].
const A_DAY: usize = 3;
const DAY: TimeDelta = TimeDelta::days(1);

/// Asks for an export on behalf of a person. One that is under way takes the request over.
pub(super) async fn export_data(
    app: &App,
    viewer: Viewer,
    client: &ClientInfo,
) -> Result<data_export::Model> {
    let now = app.clock.now();
    let mut txn = app.db.begin().await?;
    if !is_here(&*txn, viewer.user_id).await? {
        return Err(Error::Unauthenticated);
    }
    queue(&txn, viewer.user_id).await?;
    if let Some(row) = under_way(&txn, viewer.user_id).await? {
        return Ok(row);
    }
    let recent = data_export::Entity::owned_by(viewer)
        .filter(data_export::Column::CreatedAt.gt(now - DAY))
        // One that came to nothing is none.
        .filter(data_export::Column::Status.ne(DataExportStatus::Failed))
        .order_by_asc(data_export::Column::Id);
    let recent = recent.all(&*txn).await?;
    if let Some(oldest) = recent.iter().rev().nth(A_DAY - 1) {
        let wait = oldest.created_at + DAY - now;
        return Err(too_many(wait).into());
    }
    let row = data_export::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(viewer.user_id),
        status: Set(DataExportStatus::Queued),
        size: Set(None),
        files: Set(None),
        created_at: Set(now),
        finished_at: Set(None),
        expires_at: Set(None),
    };
    let row = row.insert(&*txn).await?;
    let job = WriteExport {
        data_export_id: row.id,
        user_id: viewer.user_id,
    };
    enqueue(&mut txn, app, &job, When::default()).await?;
    let changes = [(EventKind::DataExport, row.id)];
    feed::publish(&mut txn, viewer.user_id, now, &changes).await?;
    let entry = Entry::of(viewer.user_id, ActivityKind::DataExportRequested, client);
    activity::record(&*txn, now, entry).await?;
    txn.commit().await?;
    Ok(row)
}

/// Waits for whoever else asks for an export of the same person's: two at once make one.
pub(super) async fn queue(txn: &Txn, user_id: Uuid) -> Result<()> {
    txn.lock(&format!("exporting {user_id}")).await
}

/// The export of a person's that is not over.
pub(super) async fn under_way(txn: &Txn, user_id: Uuid) -> Result<Option<data_export::Model>> {
    let rows = data_export::Entity::find()
        .filter(data_export::Column::UserId.eq(user_id))
        .filter(data_export::Column::FinishedAt.is_null());
    Ok(rows.one(&**txn).await?)
}

fn too_many(wait: TimeDelta) -> Refusal {
    let seconds = u32::try_from(wait.num_seconds() + 1).unwrap_or(1);
    let text = format!(
        "You have asked for {A_DAY} copies within a day: take the newest of `dataExports`, or try again later."
    );
    Refusal::new(ErrorCode::RateLimited, text).retry_after(seconds)
}
