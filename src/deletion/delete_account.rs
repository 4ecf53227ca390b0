//! What happens at once when an account is deleted.

use chrono::{DateTime, Utc};
use entity::{
    activity::ActivityKind,
    identity,
    user::{self, Role},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    prelude::{Date, DateTimeUtc},
    sea_query::Expr,
};
use uuid::Uuid;

use super::job::DeleteAccount;
use crate::{
    app::App,
    auth::{self, Auth},
    database::Txn,
    error::{Error, Result},
    jobs::{When, enqueue},
    linking,
    viewer::{ClientInfo, Viewer},
};

/// Deletes the account of the viewer; returns her row id.
pub(super) async fn delete_account(
    app: &App,
    auth: &Auth,
    viewer: Viewer,
    password: Option<&str>,
    client: &ClientInfo,
) -> Result<Uuid> {
    let user_id = viewer.user_id;
    let failed = ActivityKind::AccountDeletionFailed;
    let proof = auth.confirm(viewer, password, failed, client).await?;
    let now = app.clock.now();
    let mut txn = app.db.begin().await?;
    auth::let_go(&txn, user_id).await?;
    // Banks before the person, as whoever links one takes them.
    linking::leave(&mut txn, app, user_id).await?;
    proof.stands(&txn).await?;
    if !mark(&txn, user_id, now).await? {
        return Err(Error::Unauthenticated);
    }
    // At once, so that she can come back with the same account elsewhere.
    identity::Entity::delete_many()
        .filter(identity::Column::UserId.eq(user_id))
        .exec(&*txn)
        .await?;
    enqueue(&mut txn, app, &DeleteAccount { user_id }, When::default()).await?;
    auth.sign_out_for_good(txn, user_id).await?;
    tracing::info!(user.id = %user_id, "an account is being deleted");
    Ok(user_id)
}

/// Leaves nothing of a person but her id; whether she was here.
async fn mark(txn: &Txn, user_id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    use user::Column as Row;
    let marked = user::Entity::update_many()
        .col_expr(Row::DeletedAt, Expr::value(now))
        .col_expr(Row::UpdatedAt, Expr::value(now))
        .col_expr(Row::Email, Expr::value(""))
        // No address has this form, so nobody is kept from any.
        .col_expr(Row::EmailKey, Expr::value(user_id.to_string()))
        .col_expr(Row::EmailVerifiedAt, Expr::value(None::<DateTimeUtc>))
        .col_expr(Row::PasswordHash, Expr::value(""))
        .col_expr(Row::Role, Expr::value(Role::User))
        .col_expr(Row::FirstName, Expr::value(None::<String>))
        .col_expr(Row::LastName, Expr::value(None::<String>))
        .col_expr(Row::BirthDate, Expr::value(None::<Date>))
        .filter(Row::Id.eq(user_id))
        .filter(Row::DeletedAt.is_null())
        .exec(&**txn)
        .await?;
    Ok(marked.rows_affected == 1)
}
