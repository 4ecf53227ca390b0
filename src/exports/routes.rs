//! Downloading. The address is its own proof; what is wrong with one is not told: another's, an old one,
//! a changed one and one of nothing answer alike. Pieces are opened as the client takes them, so that
//! an archive is never in memory as a whole; one that is deleted meanwhile breaks the answer off.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, RawQuery, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use entity::{
    activity::ActivityKind,
    data_export::{self, DataExportStatus},
    data_export_chunk, session,
};
use futures_util::{Stream, stream};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::store::place;
use crate::{
    activity::{self, Entry},
    app::App,
    error::{Error, Result},
    graphql::{data_export::PATH, id},
    signed_url,
    viewer::{ClientInfo, Owned, Viewer},
};

/// `GET /exports/{id}`.
pub fn routes(app: App) -> Router {
    Router::new()
        .route(&format!("{PATH}/{{id}}"), get(download))
        .with_state(app)
}

async fn download(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let opened = open(&app, &id, query.as_deref().unwrap_or_default()).await;
    let served = match opened {
        Ok(Some(export)) if parts.method == Method::HEAD => Ok(dressed(&export, Body::empty())),
        Ok(Some(export)) => serve(&app, export, &ClientInfo::of(&parts)).await,
        Ok(None) => Ok((StatusCode::NOT_FOUND, "There is nothing here.\n").into_response()),
        Err(error) => Err(error),
    };
    let mut response = served.unwrap_or_else(|error| {
        tracing::error!(error = error.chain(), "an export could not be served");
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    });
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The export that an address opens, if it opens one.
async fn open(app: &App, id: &str, query: &str) -> Result<Option<data_export::Model>> {
    let now = app.clock.now();
    let Some(viewer) = signed_url::verify(&app.keys, id, query, now) else {
        return Ok(None);
    };
    let Some(row_id) = id::decode(id::DATA_EXPORT, id) else {
        return Ok(None);
    };
    if !is_signed_in(app, viewer).await? {
        return Ok(None);
    }
    let rows = data_export::Entity::owned_by(viewer)
        .filter(data_export::Column::Id.eq(row_id))
        .filter(data_export::Column::Status.eq(DataExportStatus::Ready))
        .filter(data_export::Column::ExpiresAt.gt(now));
    Ok(rows.one(app.db.read()).await?)
}

/// Whether the session an address was made for goes on.
async fn is_signed_in(app: &App, viewer: Viewer) -> Result<bool> {
    let rows = session::Entity::owned_by(viewer)
        .filter(session::Column::Id.eq(viewer.session_id))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(app.clock.now()));
    Ok(rows.one(app.db.read()).await?.is_some())
}

/// Writes down that the archive leaves, then lets it go. A download manager asks for it many times.
async fn serve(app: &App, export: data_export::Model, client: &ClientInfo) -> Result<Response> {
    let txn = app.db.begin().await?;
    let entry = Entry {
        // Which, so that another is told of by itself.
        detail: Some(id::encode(id::DATA_EXPORT, export.id).0),
        ..Entry::of(export.user_id, ActivityKind::DataExportDownloaded, client)
    };
    activity::record_once(&*txn, app.clock.now(), entry).await?;
    txn.commit().await?;
    tracing::info!(data_export.id = %export.id, "an export is downloaded");
    let pieces = pieces(app.clone(), &export);
    Ok(dressed(&export, Body::from_stream(pieces)))
}

fn dressed(export: &data_export::Model, body: Body) -> Response {
    let day = export.created_at.format("%Y-%m-%d");
    let name = format!("attachment; filename=\"passbook-{day}.zip\"");
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (
            header::CONTENT_LENGTH,
            export.size.unwrap_or_default().to_string(),
        ),
    ];
    (headers, body).into_response()
}

/// The pieces of an archive, one after the other.
fn pieces(
    app: App,
    export: &data_export::Model,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let (export, size) = (export.id, export.size.unwrap_or_default());
    stream::try_unfold((app, 0, 0), move |(app, number, sent)| async move {
        if sent >= size {
            return Ok(None);
        }
        let rows = data_export_chunk::Entity::find()
            .filter(data_export_chunk::Column::DataExportId.eq(export))
            .filter(data_export_chunk::Column::Number.eq(number));
        let row = rows.one(app.db.read()).await?;
        let row = row.ok_or_else(|| Error::internal("an archive was deleted while it was sent"))?;
        let bytes = app.keys.open(place(row.id, row.user_id), &row.body)?;
        let sent = sent + i64::try_from(bytes.len()).map_err(Error::internal)?;
        Ok(Some((Bytes::from(bytes), (app, number + 1, sent))))
    })
}
