//! Proving an address. The mail proves the mailbox, and the session or the password proves the person: it takes
//! both. So nobody who clicks on what a stranger had sent her gives him a proven account in her name, and nobody gets
//! an account with a stranger's password in it.

use async_graphql::InputObject;
use entity::{
    activity::ActivityKind,
    mail::{self as mail_row, MailKind},
    registration,
    user::{self, Role},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{
    Auth,
    admit::{Admission, admit},
    login::tell_afterwards,
    password::{self, Verdict},
    register::{self, NewUser},
    rules,
    second_factor::locked,
    session::refuse_ended,
    throttle,
};
use crate::{
    activity::{self, Entry},
    config::Registration,
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    mail::{self, Post},
    viewer::{ClientInfo, Viewer, is_here},
};

/// What proves an address.
#[derive(InputObject)]
pub(super) struct VerifyEmailInput {
    /// The token from the mail.
    pub(super) token: String,
    /// The password of the account, or the one chosen at registering. Not needed of the person who is signed in.
    pub(super) password: Option<String>,
}

/// What came of proving an address.
pub(super) enum Verified {
    /// The person was signed in already.
    Here(Box<user::Model>),
    /// She was not, and is let in by it.
    Admitted(Admission),
}

/// Sends the viewer a mail that proves her address. Once it is proven, nothing happens.
pub(super) async fn request_email_verification(
    auth: &Auth,
    viewer: Viewer,
    client: &ClientInfo,
) -> Result<user::Model> {
    let user = user::Entity::find_by_id(viewer.user_id)
        .filter(user::Column::DeletedAt.is_null())
        .one(auth.app.db.read());
    let user = user.await?.ok_or(Error::Unauthenticated)?;
    if user.email_verified_at.is_some() {
        return Ok(user);
    }
    mail::demand(&auth.app)?;
    throttle::mail(&auth.app, "verification", &user.email_key, client).await?;
    let mut txn = auth.app.db.begin().await?;
    if !is_here(&*txn, user.id).await? {
        return Err(Error::Unauthenticated);
    }
    mail::post(&mut txn, &auth.app, of(&user)).await?;
    txn.commit().await?;
    Ok(user)
}

/// The mail that proves the address of an account.
pub(super) fn of(user: &user::Model) -> Post<'_> {
    Post {
        kind: MailKind::VerifyEmail,
        user_id: Some(user.id),
        registration_id: None,
        email: &user.email,
        email_key: &user.email_key,
    }
}

/// Takes the token of a mail.
pub(super) async fn verify_email(
    auth: &Auth,
    viewer: Option<Viewer>,
    input: VerifyEmailInput,
    client: &ClientInfo,
) -> Result<Verified> {
    let kinds = [
        MailKind::Registration,
        MailKind::VerifyEmail,
        MailKind::ChangeEmail,
    ];
    let mail = mail::find(&auth.app, &input.token, &kinds).await?;
    let password = input.password.as_deref();
    let Some(user_id) = mail.user_id else {
        let admission = come_to_life(auth, &mail, password, client).await?;
        return Ok(Verified::Admitted(admission));
    };
    let here = viewer.filter(|viewer| viewer.user_id == user_id);
    let known = user::Entity::find_by_id(user_id).one(auth.app.db.read());
    let known = known.await?.ok_or_else(mail::invalid)?;
    if here.is_none() {
        know(auth, &mail, password::stored(&known), password, client).await?;
    }
    let txn = auth.app.db.begin().await?;
    // The person before the mail, as whoever sets a password takes them. Who has left has no mail to answer.
    let user = locked(&txn, user_id).await.map_err(|error| match error {
        Error::Unauthenticated => mail::invalid(),
        other => other,
    })?;
    if let Some(viewer) = here {
        refuse_ended(&txn, viewer).await?;
    }
    let mut user = prove(auth, &txn, &mail, &user, client).await?;
    if here.is_some() {
        txn.commit().await?;
        return Ok(Verified::Here(Box::new(user)));
    }
    // What was compared, which may not be the password any more.
    user.password_hash = known.password_hash;
    let entry = Entry::of(user.id, ActivityKind::SignedIn, client);
    let admission = admit(auth, txn, user, entry).await?;
    Ok(Verified::Admitted(admission))
}

/// Makes an account of a registration.
async fn come_to_life(
    auth: &Auth,
    mail: &mail_row::Model,
    password: Option<&str>,
    client: &ClientInfo,
) -> Result<Admission> {
    if auth.app.config.mail.registration == Registration::Closed {
        return Err(register::closed());
    }
    let id = mail.registration_id.unwrap_or_default();
    let row = registration::Entity::find_by_id(id).one(auth.app.db.read());
    let row = row.await?.ok_or_else(mail::invalid)?;
    know(auth, mail, Some(&row.password_hash), password, client).await?;
    let now = auth.app.clock.now();
    let txn = auth.app.db.begin().await?;
    mail::spend(&txn, mail, now).await?;
    registration::Entity::delete_by_id(row.id)
        .exec(&*txn)
        .await?;
    let person = NewUser {
        email: row.email,
        email_key: row.email_key,
        password_hash: row.password_hash,
        first_name: row.first_name,
        last_name: row.last_name,
        birth_date: row.birth_date,
        email_verified_at: Some(now),
        role: Role::User,
    };
    let user = register::insert(&txn, now, person).await?;
    let entry = Entry::of(user.id, ActivityKind::Registered, client);
    admit(auth, txn, user, entry).await
}

/// Writes down that an address is a person's, or becomes it.
async fn prove(
    auth: &Auth,
    txn: &Txn,
    mail: &mail_row::Model,
    user: &user::Model,
    client: &ClientInfo,
) -> Result<user::Model> {
    let now = auth.app.clock.now();
    mail::spend(txn, mail, now).await?;
    let (kind, was) = match mail.kind {
        MailKind::ChangeEmail => (ActivityKind::EmailChanged, &user.email_key),
        _ => (ActivityKind::EmailVerified, &mail.email_key),
    };
    let rows = user::Entity::update_many()
        .col_expr(user::Column::Email, Expr::value(&mail.email))
        .col_expr(user::Column::EmailKey, Expr::value(&mail.email_key))
        .col_expr(user::Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(user::Column::UpdatedAt, Expr::value(now))
        .filter(user::Column::Id.eq(user.id))
        // What proves an address the account no longer has proves nothing.
        .filter(user::Column::EmailKey.eq(was))
        .filter(user::Column::DeletedAt.is_null())
        .filter(user::Column::LockedAt.is_null())
        .exec_with_returning(&**txn)
        .await
        .map_err(register::taken)?;
    let user = rows.into_iter().next().ok_or_else(mail::invalid)?;
    let entry = Entry::of(user.id, kind, client);
    activity::record(&**txn, now, entry).await?;
    Ok(user)
}

/// Makes sure that whoever has the mail knows the password too.
async fn know(
    auth: &Auth,
    mail: &mail_row::Model,
    stored: Option<&str>,
    password: Option<&str>,
    client: &ClientInfo,
) -> Result<()> {
    let text = "Give the password that goes with this address, or sign in first.";
    let password = password.ok_or_else(|| wrong(text))?;
    if password.len() > rules::LONGEST_PASSWORD {
        return Err(rules::too_long("password").into());
    }
    throttle::proof(&auth.app, mail.id).await?;
    match auth.passwords.verify(password, stored).await? {
        Verdict::Wrong => {
            if let Some(user_id) = mail.user_id {
                tell_afterwards(auth, user_id, ActivityKind::SignInFailed, client);
            }
            Err(another())
        }
        Verdict::Right | Verdict::Outdated => Ok(()),
    }
}

fn another() -> Error {
    wrong(
        "This is not the password that goes with this address. Who has another registers anew, or asks for a new \
         password.",
    )
}

fn wrong(text: &str) -> Error {
    Refusal::new(ErrorCode::InvalidCredentials, text)
        .on("password")
        .into()
}
