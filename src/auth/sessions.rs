//! The devices a person is signed in on, and ending one from another.

use async_graphql::{ID, InputObject};
use entity::{
    activity::ActivityKind,
    session::{self, RevokedReason},
};
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::{Auth, logout::revoke};
use crate::{
    activity::Entry,
    app::App,
    error::{Error, Result},
    graphql::{
        id,
        page::{ById, Scope},
    },
    viewer::{ClientInfo, Owned, Viewer},
};

/// Which session to end.
#[derive(InputObject)]
pub(super) struct EndSessionInput {
    /// The session.
    pub(super) session_id: ID,
}

/// The sessions of a person that are not over, newest first.
pub(super) fn sessions(app: &App, viewer: Viewer) -> ById<session::Entity> {
    let rows = session::Entity::owned_by(viewer)
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(app.clock.now()));
    ById {
        scope: Scope::new(app, viewer, "sessions"),
        rows,
        id: session::Column::Id,
        newest_first: true,
    }
}

/// Ends a session of the viewer's; returns its row id. One that is over already is not ended again.
pub(super) async fn end_session(
    auth: &Auth,
    viewer: Viewer,
    session_id: &str,
    client: &ClientInfo,
) -> Result<Uuid> {
    let unknown = || Error::not_found("sessionId", "session");
    let row_id = id::decode(id::SESSION, session_id).ok_or_else(unknown)?;
    let txn = auth.app.db.begin().await?;
    let row = session::Entity::owned_by(viewer).filter(session::Column::Id.eq(row_id));
    let row = row.one(&*txn).await?.ok_or_else(unknown)?;
    let entry = Entry {
        detail: row.user_agent,
        ..Entry::of(viewer.user_id, ActivityKind::SessionEnded, client)
    };
    let filter = session::Column::Id.eq(row_id);
    revoke(auth, txn, filter, RevokedReason::Ended, Some(entry)).await?;
    Ok(row_id)
}
