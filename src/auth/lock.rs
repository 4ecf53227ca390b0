//! Locking an account: its person is kept from signing in, and signed out everywhere. What she has stays, and
//! her banks go on being synced, so that nothing is missing when she is let in again.

use chrono::{DateTime, Utc};
use entity::{
    activity::ActivityKind,
    session::{self, RevokedReason},
    user::{self, Role},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, sea_query::LockType,
};
use uuid::Uuid;

use super::{logout::end, role};
use crate::{
    activity::{self, Entry},
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    viewer::ClientInfo,
};

/// Locks an account; returns its person and the sessions this ended. One that is locked already stays so.
///
/// # Errors
/// `NOT_FOUND`; `INVALID_STATE` for the last administrator who can sign in.
pub async fn lock_user(
    txn: &mut Txn,
    now: DateTime<Utc>,
    user_id: Uuid,
) -> Result<(user::Model, Vec<Uuid>)> {
    role::queue(txn).await?;
    let user = role::find(txn, user_id).await?;
    if user.locked_at.is_some() {
        return Ok((user, Vec::new()));
    }
    if user.role == Role::Admin {
        role::refuse_last(txn, user_id).await?;
    }
    // The person before her sessions: whoever signs in meanwhile waits here, and finds the lock.
    let user = set(txn, now, user, Some(now)).await?;
    let hers = session::Column::UserId.eq(user_id);
    let ended = end(txn, now, hers, RevokedReason::Locked).await?;
    let entry = Entry::of(user_id, ActivityKind::AccountLocked, &ClientInfo::default());
    activity::record(&**txn, now, entry).await?;
    Ok((user, ended))
}

/// Unlocks an account; returns its person. One that is not locked stays so.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn unlock_user(txn: &Txn, now: DateTime<Utc>, user_id: Uuid) -> Result<user::Model> {
    let user = role::find(txn, user_id).await?;
    if user.locked_at.is_none() {
        return Ok(user);
    }
    let user = set(txn, now, user, None).await?;
    let entry = Entry::of(
        user_id,
        ActivityKind::AccountUnlocked,
        &ClientInfo::default(),
    );
    activity::record(&**txn, now, entry).await?;
    Ok(user)
}

async fn set(
    txn: &Txn,
    now: DateTime<Utc>,
    user: user::Model,
    locked_at: Option<DateTime<Utc>>,
) -> Result<user::Model> {
    let mut row = user.into_active_model();
    row.locked_at = Set(locked_at);
    row.updated_at = Set(now);
    Ok(row.update(&**txn).await?)
}

/// Refuses somebody whose account is locked, in the transaction that would begin her session: it holds the
/// row, so that a lock comes before it or sees the session.
pub(super) async fn refuse_locked(txn: &Txn, user_id: Uuid) -> Result<()> {
    let locked: Option<Option<DateTime<Utc>>> = user::Entity::find()
        .select_only()
        .column(user::Column::LockedAt)
        .filter(user::Column::Id.eq(user_id))
        .lock(LockType::Share)
        .into_tuple()
        .one(&**txn)
        .await?;
    match locked {
        Some(None) => Ok(()),
        Some(Some(_)) => {
            let text = "This account is locked. Tell whoever runs this server.";
            Err(Refusal::new(ErrorCode::AccountLocked, text).into())
        }
        None => Err(Error::Unauthenticated),
    }
}
