//! Ending sessions. Ending one that is over already succeeds.

use async_graphql::InputObject;
use entity::{
    activity::ActivityKind,
    session::{self, RevokedReason},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, SimpleExpr},
};
use uuid::Uuid;

use super::{Auth, session::Presented};
use crate::{
    activity::{self, Entry},
    database::{Hint, Txn},
    error::{Error, Result},
    viewer::{ClientInfo, Viewer},
};

/// Which session to end.
#[derive(InputObject)]
pub(super) struct LogoutInput {
    /// Any refresh token of the session to end: for clients whose access token has expired. Without
    /// it, and without a cookie that is asked to be used, the session of the access token ends.
    pub(super) refresh_token: Option<String>,
}

/// Ends one session: that of the refresh token if a genuine one is shown, else the viewer's own.
pub(super) async fn logout(
    auth: &Auth,
    viewer: Option<Viewer>,
    refresh_token: Option<&str>,
    client: &ClientInfo,
) -> Result<()> {
    if viewer.is_none() && refresh_token.is_none() {
        return Err(Error::Unauthenticated);
    }
    let shown = match refresh_token.and_then(Presented::read) {
        Some(presented) => owner(auth, &presented).await?,
        None => None,
    };
    let Some(target) = shown.or(viewer) else {
        return Ok(());
    };
    let entry = Entry::of(target.user_id, ActivityKind::SignedOut, client);
    let filter = session::Column::Id.eq(target.session_id);
    let txn = auth.app.db.begin().await?;
    revoke(auth, txn, filter, RevokedReason::Logout, Some(entry)).await
}

/// Ends all sessions of the viewer.
pub(super) async fn logout_everywhere(
    auth: &Auth,
    viewer: Viewer,
    client: &ClientInfo,
) -> Result<()> {
    let entry = Entry::of(viewer.user_id, ActivityKind::SignedOutEverywhere, client);
    let filter = session::Column::UserId.eq(viewer.user_id);
    let txn = auth.app.db.begin().await?;
    let reason = RevokedReason::LogoutEverywhere;
    revoke(auth, txn, filter, reason, Some(entry)).await
}

/// Revokes the live sessions among those named, makes the entry if there were any, commits, and makes
/// it known: here at once, elsewhere by hints.
pub(super) async fn revoke(
    auth: &Auth,
    mut txn: Txn,
    which: SimpleExpr,
    reason: RevokedReason,
    entry: Option<Entry>,
) -> Result<()> {
    let now = auth.app.clock.now();
    let ended = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .col_expr(session::Column::RevokedReason, Expr::value(reason))
        .filter(which)
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
        .exec_with_returning(&*txn)
        .await?;
    let ended: Vec<Uuid> = ended.into_iter().map(|session| session.id).collect();
    if let Some(entry) = entry.filter(|_| !ended.is_empty()) {
        activity::record(&*txn, now, entry).await?;
    }
    for &session in &ended {
        txn.hint(Hint::Session(session));
    }
    txn.commit().await?;
    auth.revocations
        .add(ended.into_iter().map(|session| (session, now)));
    Ok(())
}

/// Whose session a genuine refresh token belongs to.
async fn owner(auth: &Auth, presented: &Presented) -> Result<Option<Viewer>> {
    let session = session::Entity::find_by_id(presented.session_id)
        .one(auth.app.db.read())
        .await?;
    let genuine = session.filter(|session| presented.is_of(session, &auth.app.keys));
    Ok(genuine.map(|session| Viewer {
        user_id: session.user_id,
        session_id: session.id,
    }))
}
