//! Changing the password. All other devices are signed out by it: whoever changes it because somebody
//! else knew the old one wants them gone.

use async_graphql::InputObject;
use entity::{
    activity::ActivityKind,
    mail::MailKind,
    session::{self, RevokedReason},
    user,
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use super::{
    Auth,
    login::tell_afterwards,
    logout::revoke,
    password::{self, Verdict},
    rules,
    strength::About,
    throttle,
};
use crate::{
    activity::{self, Entry},
    error::{Error, ErrorCode, Refusal, Result},
    mail,
    viewer::{ClientInfo, Viewer},
};

/// The old password and the new one.
#[derive(InputObject)]
pub(super) struct ChangePasswordInput {
    /// The password as it is.
    pub(super) current_password: String,
    /// The password as it is to be: 8 characters or more, at most 1024 bytes, none that is easy to guess.
    pub(super) new_password: String,
}

/// Changes the viewer's password.
pub(super) async fn change_password(
    auth: &Auth,
    viewer: Viewer,
    input: ChangePasswordInput,
    client: &ClientInfo,
) -> Result<user::Model> {
    let user = user::Entity::find().filter(user::Column::Id.eq(viewer.user_id));
    let user = user.one(auth.app.db.read()).await?;
    let user = user.ok_or(Error::Unauthenticated)?;
    let (passwords, about) = (&auth.passwords, About::of(&user));
    rules::demand_sound(passwords, "newPassword", &input.new_password, &about).await?;
    if input.current_password.len() > rules::LONGEST_PASSWORD {
        return Err(rules::too_long("currentPassword").into());
    }
    let stored = password::stored(&user).ok_or_else(none)?;
    throttle::confirmation(&auth.app, user.id).await?;
    if passwords
        .verify(&input.current_password, Some(stored))
        .await?
        == Verdict::Wrong
    {
        tell_afterwards(auth, user.id, ActivityKind::PasswordChangeFailed, client);
        return Err(wrong());
    }
    let hash = passwords.hash(&input.new_password).await?;
    let now = auth.app.clock.now();
    let txn = auth.app.db.begin().await?;
    let changed = user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::value(hash))
        .col_expr(user::Column::UpdatedAt, Expr::value(now))
        .filter(user::Column::Id.eq(user.id))
        // The password may have been changed since it was compared.
        .filter(user::Column::PasswordHash.eq(&user.password_hash))
        .exec_with_returning(&*txn)
        .await?;
    let user = changed.into_iter().next().ok_or_else(wrong)?;
    let entry = Entry::of(user.id, ActivityKind::PasswordChanged, client);
    activity::record(&*txn, now, entry).await?;
    // What somebody else may have asked for with the old one.
    for kind in [MailKind::ChangeEmail, MailKind::ResetPassword] {
        mail::take_back(&txn, user.id, kind, now).await?;
    }
    let others = session::Column::UserId
        .eq(viewer.user_id)
        .and(session::Column::Id.ne(viewer.session_id));
    revoke(auth, txn, others, RevokedReason::PasswordChanged, None).await?;
    Ok(user)
}

fn none() -> Error {
    let text = "Your account has no password: you sign in through a provider, where you can change the one you have \
                there.";
    Refusal::new(ErrorCode::NoPassword, text).into()
}

fn wrong() -> Error {
    let text = "The current password is wrong.";
    Refusal::new(ErrorCode::InvalidCredentials, text)
        .on("currentPassword")
        .into()
}
