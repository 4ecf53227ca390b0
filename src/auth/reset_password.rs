//! A new password for somebody who has forgotten hers, by mail. Whoever asks for the mail gets the same answer in the
//! same time whether or not the address has an account: nobody looks before the answer. Who has the mail sets a
//! password, and with it all sessions end; a second factor stays, and is asked for.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use entity::{
    activity::ActivityKind,
    identity, login_attempt,
    mail::{self as mail_row, MailKind},
    session::{self, RevokedReason},
    user,
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};
use uuid::Uuid;

use super::{
    Auth,
    admit::{Admission, admit},
    logout::revoke,
    rules, second_factor,
    strength::About,
    throttle,
};
use crate::{
    activity::{self, Entry},
    database::Txn,
    error::Result,
    mail::{self, Post},
    viewer::ClientInfo,
};

/// Who has forgotten her password.
#[derive(InputObject)]
pub(super) struct RequestPasswordResetInput {
    /// The address of the account.
    pub(super) email: String,
}

/// What sets a new password.
#[derive(InputObject)]
pub(super) struct ResetPasswordInput {
    /// The token from the mail.
    pub(super) token: String,
    /// The new password: 8 characters or more, at most 1024 bytes, none that is easy to guess.
    pub(super) password: String,
}

/// Sends a mail to the account with this address, if there is one.
pub(super) async fn request_password_reset(
    auth: &Auth,
    input: RequestPasswordResetInput,
    client: &ClientInfo,
) -> Result<()> {
    let app = &auth.app;
    mail::demand(app)?;
    let email = input.email.trim();
    let email_key = rules::email_key(email).ok_or_else(rules::no_address)?;
    throttle::mail(app, "reset", &email_key, client).await?;
    let mut txn = app.db.begin().await?;
    let asked = Post {
        kind: MailKind::ResetPassword,
        user_id: None,
        registration_id: None,
        email,
        email_key: &email_key,
    };
    mail::post(&mut txn, app, asked).await?;
    txn.commit().await
}

/// Sets a new password and lets its owner in.
pub(super) async fn reset_password(
    auth: &Auth,
    input: ResetPasswordInput,
    client: &ClientInfo,
) -> Result<Admission> {
    let app = &auth.app;
    let mail = mail::find(app, &input.token, &[MailKind::ResetPassword]).await?;
    let user_id = mail.user_id.ok_or_else(mail::invalid)?;
    let user = user::Entity::find_by_id(user_id).one(app.db.read()).await?;
    let user = user.ok_or_else(mail::invalid)?;
    let (passwords, about) = (&auth.passwords, About::of(&user));
    rules::demand_sound(passwords, "password", &input.password, &about).await?;
    let hash = passwords.hash(&input.password).await?;
    let txn = app.db.begin().await?;
    let (mut txn, user) = set(auth, txn, &mail, hash, client).await?;
    let told = Post {
        kind: MailKind::PasswordReset,
        user_id: Some(user.id),
        registration_id: None,
        email: &user.email,
        email_key: &user.email_key,
    };
    mail::post(&mut txn, app, told).await?;
    let all = session::Column::UserId.eq(user.id);
    revoke(auth, txn, all, RevokedReason::PasswordChanged, None).await?;
    let txn = app.db.begin().await?;
    let entry = Entry::of(user.id, ActivityKind::SignedIn, client);
    admit(auth, txn, user, entry).await
}

/// Takes away every other way into an account whose address nobody had proven: whoever made it need not be who
/// reads the mail.
async fn forget_others(txn: &Txn, user_id: Uuid, now: DateTime<Utc>) -> Result<user::Model> {
    identity::Entity::delete_many()
        .filter(identity::Column::UserId.eq(user_id))
        .exec(&**txn)
        .await?;
    second_factor::remove(txn, user_id, now).await
}

/// Writes the new password, for the address that the mail was sent to and no other.
async fn set(
    auth: &Auth,
    txn: Txn,
    mail: &mail_row::Model,
    hash: String,
    client: &ClientInfo,
) -> Result<(Txn, user::Model)> {
    let now = auth.app.clock.now();
    // The person before the mail, as whoever changes a password takes them.
    second_factor::locked(&txn, mail.user_id.unwrap_or_default()).await?;
    mail::spend(&txn, mail, now).await?;
    let verified = Expr::col(user::Column::EmailVerifiedAt).if_null(now);
    let rows = user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::value(hash))
        // Whoever has the token reads what is sent to the address.
        .col_expr(user::Column::EmailVerifiedAt, verified)
        .col_expr(user::Column::UpdatedAt, Expr::value(now))
        .filter(user::Column::Id.eq(mail.user_id))
        .filter(user::Column::EmailKey.eq(&mail.email_key))
        // A mail opens no locked account, not even for later.
        .filter(user::Column::LockedAt.is_null())
        .exec_with_returning(&*txn)
        .await?;
    let mut user = rows.into_iter().next().ok_or_else(mail::invalid)?;
    // It was set just now: until then nobody had proven the address.
    if user.email_verified_at == Some(now) {
        user = forget_others(&txn, user.id, now).await?;
    }
    mail::take_back(&txn, user.id, MailKind::ChangeEmail, now).await?;
    // Identities that somebody else is about to link.
    login_attempt::Entity::delete_many()
        .filter(login_attempt::Column::UserId.eq(user.id))
        .exec(&*txn)
        .await?;
    let entry = Entry::of(user.id, ActivityKind::PasswordReset, client);
    activity::record(&*txn, now, entry).await?;
    Ok((txn, user))
}
