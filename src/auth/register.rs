//! Registering: at once, or once the address is proven, as the operator wants. In the second case nobody looks whether
//! the address has an account before the answer, which is the same for all; a mail to the address says the rest.

use async_graphql::InputObject;
use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    activity::ActivityKind,
    mail::MailKind,
    registration,
    user::{self, Role},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DbErr, EntityTrait, SqlErr};
use uuid::Uuid;

use super::{
    Auth,
    admit::{Admission, admit},
    rules::{self, Applicant},
    throttle, verify_email,
};
use crate::{
    activity::Entry,
    config::Registration,
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    feed,
    graphql::scalar::Date,
    mail::{self, PROOF, Post},
    mailer::Mailer,
    viewer::ClientInfo,
};

/// Who registers.
#[derive(InputObject)]
pub(super) struct RegisterInput {
    /// The e-mail address to sign in with. Case does not matter.
    pub(super) email: String,
    /// The password: 8 characters or more, at most 1024 bytes, none that is easy to guess.
    pub(super) password: String,
    /// Given name.
    pub(super) first_name: Option<String>,
    /// Family name.
    pub(super) last_name: Option<String>,
    /// Date of birth.
    pub(super) birth_date: Option<Date>,
}

/// What came of registering.
pub(super) enum Registered {
    /// There is an account, and its person is in.
    Here(Admission),
    /// A mail is on its way.
    Asked,
}

/// Registers a person.
pub(super) async fn register(
    auth: &Auth,
    input: RegisterInput,
    client: &ClientInfo,
) -> Result<Registered> {
    let app = &auth.app;
    let now = app.clock.now();
    let mode = app.config.mail.registration;
    if mode == Registration::Closed {
        return Err(closed());
    }
    // Whoever corrects a mistake uses up none of the accounts an address may make.
    throttle::choice(app, client).await?;
    let applicant = rules::applicant(&auth.passwords, input, now).await?;
    throttle::registration(app, client).await?;
    if mode == Registration::Verified {
        throttle::mail(app, "registration", &applicant.email_key, client).await?;
    }
    // Before the address is looked at: a taken one costs the same.
    let password_hash = auth.passwords.hash(&applicant.password).await?;
    if mode == Registration::Verified {
        ask(auth, applicant, password_hash, now).await?;
        return Ok(Registered::Asked);
    }
    let mut txn = app.db.begin().await?;
    let new = NewUser {
        email: applicant.email,
        email_key: applicant.email_key,
        password_hash,
        first_name: applicant.first_name,
        last_name: applicant.last_name,
        birth_date: applicant.birth_date,
        email_verified_at: None,
        role: Role::User,
    };
    let user = insert(&txn, now, new).await?;
    if app.mailer.as_ref().is_some_and(Mailer::delivers) {
        mail::post(&mut txn, app, verify_email::of(&user)).await?;
    }
    let entry = Entry::of(user.id, ActivityKind::Registered, client);
    let admission = admit(auth, txn, user, entry).await?;
    Ok(Registered::Here(admission))
}

/// What is told where nobody new is taken.
pub(super) fn closed() -> Error {
    let text = "This server takes nobody new: its operator has closed registration.";
    Refusal::new(ErrorCode::NotOffered, text).into()
}

/// Keeps what was typed until its address is proven.
async fn ask(
    auth: &Auth,
    applicant: Applicant,
    password_hash: String,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = registration::ActiveModel {
        id: Set(Uuid::now_v7()),
        email: Set(applicant.email),
        email_key: Set(applicant.email_key),
        password_hash: Set(password_hash),
        first_name: Set(applicant.first_name),
        last_name: Set(applicant.last_name),
        birth_date: Set(applicant.birth_date),
        expires_at: Set(now + PROOF),
        created_at: Set(now),
    };
    let mut txn = auth.app.db.begin().await?;
    let row = registration::Entity::insert(row)
        .exec_with_returning(&*txn)
        .await?;
    let mail = Post {
        kind: MailKind::Registration,
        user_id: None,
        registration_id: Some(row.id),
        email: &row.email,
        email_key: &row.email_key,
    };
    mail::post(&mut txn, &auth.app, mail).await?;
    txn.commit().await
}

/// Somebody whose account begins.
pub(super) struct NewUser {
    pub(super) email: String,
    pub(super) email_key: String,
    pub(super) password_hash: String,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) birth_date: Option<NaiveDate>,
    /// When the address was proven.
    pub(super) email_verified_at: Option<DateTime<Utc>>,
    pub(super) role: Role,
}

/// It holds the hash of a password, so nothing of it is shown.
impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser").finish_non_exhaustive()
    }
}

/// Writes somebody down, with an empty feed.
pub(super) async fn insert(txn: &Txn, now: DateTime<Utc>, new: NewUser) -> Result<user::Model> {
    let row = user::ActiveModel {
        id: Set(Uuid::now_v7()),
        email: Set(new.email),
        email_key: Set(new.email_key),
        email_verified_at: Set(new.email_verified_at),
        password_hash: Set(new.password_hash),
        first_name: Set(new.first_name),
        last_name: Set(new.last_name),
        birth_date: Set(new.birth_date),
        role: Set(new.role),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let user = row.insert(&**txn).await.map_err(taken)?;
    feed::open(txn, user.id).await?;
    Ok(user)
}

/// What the database says of an address that somebody else has.
pub(super) fn taken(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            let text = "This address already has an account. Sign in instead.";
            Refusal::new(ErrorCode::EmailTaken, text).on("email").into()
        }
        _ => error.into(),
    }
}
