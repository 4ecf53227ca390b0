//! Who is an administrator. A role is in no token: it is asked of the database wherever it matters, so that
//! it holds for the next request. At least one administrator can always sign in, once there is one.

use chrono::{DateTime, Utc};
use entity::{
    activity::ActivityKind,
    user::{self, Role},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};
use uuid::Uuid;

use crate::{
    activity::{self, Entry},
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    viewer::ClientInfo,
};

/// What is said of an id that no person has.
pub const NOBODY: &str = "Nobody has this id.";

/// The condition of the index on administrators, word for word.
const ADMINS: &str = "role = 'admin'";

/// Makes somebody an administrator; returns her as she is then.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn promote_user(txn: &Txn, now: DateTime<Utc>, user_id: Uuid) -> Result<user::Model> {
    let user = find(txn, user_id).await?;
    set(txn, now, user, Role::Admin).await
}

/// Makes an administrator somebody like all others; returns her as she is then.
///
/// # Errors
/// `NOT_FOUND`; `INVALID_STATE` for the last administrator who can sign in.
pub async fn demote_user(txn: &Txn, now: DateTime<Utc>, user_id: Uuid) -> Result<user::Model> {
    queue(txn).await?;
    let user = find(txn, user_id).await?;
    if user.role == Role::Admin {
        refuse_last(txn, user_id).await?;
    }
    set(txn, now, user, Role::User).await
}

async fn set(txn: &Txn, now: DateTime<Utc>, user: user::Model, role: Role) -> Result<user::Model> {
    if user.role == role {
        return Ok(user);
    }
    let kind = match role {
        Role::Admin => ActivityKind::Promoted,
        Role::User => ActivityKind::Demoted,
    };
    let mut row = user.into_active_model();
    row.role = Set(role);
    row.updated_at = Set(now);
    let user = row.update(&**txn).await?;
    let entry = Entry::of(user.id, kind, &ClientInfo::default());
    activity::record(&**txn, now, entry).await?;
    Ok(user)
}

/// Lets somebody leave, unless she is the last administrator who can sign in.
///
/// # Errors
/// `INVALID_STATE`.
pub async fn let_go(txn: &Txn, user_id: Uuid) -> Result<()> {
    let admin = user::Entity::find()
        .filter(user::Column::Id.eq(user_id))
        .filter(user::Column::Role.eq(Role::Admin));
    if admin.one(&**txn).await?.is_none() {
        return Ok(());
    }
    queue(txn).await?;
    refuse_last(txn, user_id).await
}

/// Waits for whoever else takes an administrator away: two at once could take the last two.
pub(super) async fn queue(txn: &Txn) -> Result<()> {
    txn.lock("administrators").await
}

/// Refuses to take away the last administrator who can sign in.
pub(super) async fn refuse_last(txn: &Txn, user_id: Uuid) -> Result<()> {
    let other: Option<Uuid> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(Expr::cust(ADMINS))
        .filter(user::Column::LockedAt.is_null())
        .filter(user::Column::Id.ne(user_id))
        .limit(1)
        .into_tuple()
        .one(&**txn)
        .await?;
    if other.is_some() {
        return Ok(());
    }
    let text = "This is the last administrator who can sign in: promote somebody else first.";
    Err(Refusal::new(ErrorCode::InvalidState, text)
        .on("userId")
        .into())
}

/// A person by her row, which is held until the transaction ends.
pub(super) async fn find(txn: &Txn, user_id: Uuid) -> Result<user::Model> {
    let rows = user::Entity::find()
        .filter(user::Column::Id.eq(user_id))
        .filter(user::Column::DeletedAt.is_null())
        .lock(LockType::NoKeyUpdate);
    rows.one(&**txn).await?.ok_or_else(nobody)
}

fn nobody() -> Error {
    Refusal::new(ErrorCode::NotFound, NOBODY)
        .on("userId")
        .into()
}
