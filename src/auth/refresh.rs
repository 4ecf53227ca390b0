//! Going on with a session. One conditional update decides which of several simultaneous requests
//! rotates the token; the others, for a few seconds, get the same successor. A token that comes back
//! after that was copied: the session ends, for the thief and the person alike.

use async_graphql::InputObject;
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    activity::ActivityKind,
    session::{self, RevokedReason},
    user,
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use super::{
    Auth, logout,
    session::{Grant, Presented, expiry, grant},
};
use crate::{
    activity::Entry,
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    viewer::ClientInfo,
};

/// How long a replaced token still leads to its successor.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// What to go on with.
#[derive(InputObject)]
pub(super) struct RefreshSessionInput {
    /// The refresh token of the last answer. Leave it out where the browser keeps it: the header
    /// `Passbook-Session: cookie` says that it does.
    pub(super) refresh_token: Option<String>,
}

/// What becomes of a genuine token that lost the update.
enum Late {
    /// Another tab was faster: the session as it stands now.
    Tab(Box<session::Model>),
    /// The token was replaced before that.
    Copy,
    /// The session is over.
    Over,
}

/// Replaces the refresh token and gives a new access token.
pub(super) async fn refresh_session(
    auth: &Auth,
    refresh_token: &str,
    client: &ClientInfo,
) -> Result<Grant> {
    let presented = Presented::read(refresh_token).ok_or_else(expired)?;
    let (session, user) = find(auth, &presented).await?.ok_or_else(expired)?;
    let now = auth.app.clock.now();
    let txn = auth.app.db.begin().await?;
    if let Some(session) = rotate(auth, &txn, &presented, session.ends_at, client).await? {
        txn.commit().await?;
        return grant(auth, user, &session);
    }
    match late(&txn, &presented, now).await? {
        Late::Tab(session) => grant(auth, user, &session),
        Late::Over => Err(expired()),
        Late::Copy => {
            tracing::warn!(user.id = %user.id, session.id = %session.id, "a refresh token was used again");
            let entry = Entry::of(user.id, ActivityKind::SessionRevoked, client);
            let filter = session::Column::Id.eq(session.id);
            logout::revoke(auth, txn, filter, RevokedReason::RefreshReuse, Some(entry)).await?;
            Err(expired())
        }
    }
}

/// The session of a genuine token, with its person. Whoever cannot show one takes no write lock.
async fn find(auth: &Auth, presented: &Presented) -> Result<Option<(session::Model, user::Model)>> {
    let db = auth.app.db.read();
    let session = session::Entity::find_by_id(presented.session_id)
        .one(db)
        .await?;
    let genuine = session.filter(|session| presented.is_of(session, &auth.app.keys));
    let Some(session) = genuine else {
        return Ok(None);
    };
    let user = user::Entity::find_by_id(session.user_id).one(db).await?;
    Ok(user.map(|user| (session, user)))
}

async fn rotate(
    auth: &Auth,
    txn: &Txn,
    presented: &Presented,
    ends_at: DateTime<Utc>,
    client: &ClientInfo,
) -> Result<Option<session::Model>> {
    use session::Column;
    let now = auth.app.clock.now();
    let client = client.abridged();
    let network = client.network().map(|network| network.to_string());
    let rows = session::Entity::update_many()
        .col_expr(Column::Generation, Expr::col(Column::Generation).add(1))
        .col_expr(Column::RotatedAt, Expr::value(now))
        .col_expr(Column::ExpiresAt, Expr::value(expiry(auth, now, ends_at)))
        .col_expr(Column::UserAgent, Expr::value(client.user_agent))
        .col_expr(Column::Address, Expr::value(client.address))
        .col_expr(Column::Network, Expr::value(network))
        .filter(Column::Id.eq(presented.session_id))
        .filter(Column::Generation.eq(presented.generation))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(&**txn)
        .await?;
    Ok(rows.into_iter().next())
}

async fn late(txn: &Txn, presented: &Presented, now: DateTime<Utc>) -> Result<Late> {
    let row = session::Entity::find_by_id(presented.session_id)
        .one(&**txn)
        .await?;
    Ok(match row {
        Some(row) if row.revoked_at.is_none() && row.expires_at > now => {
            let behind = row.generation.saturating_sub(presented.generation);
            match behind {
                1 if now < row.rotated_at + GRACE => Late::Tab(Box::new(row)),
                1.. => Late::Copy,
                // Ahead of the row: the database was restored from a copy. Nobody stole anything.
                _ => Late::Over,
            }
        }
        _ => Late::Over,
    })
}

fn expired() -> Error {
    let text = "This session is over. Sign in again.";
    Refusal::new(ErrorCode::SessionExpired, text).into()
}
