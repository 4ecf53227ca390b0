//! Registering.

use async_graphql::InputObject;
use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    activity::ActivityKind,
    user::{self, Role},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DbErr, SqlErr};
use uuid::Uuid;

use super::{
    Auth, rules,
    session::{self, Grant},
    throttle,
};
use crate::{
    activity::{self, Entry},
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    feed,
    graphql::scalar::Date,
    viewer::ClientInfo,
};

/// Who registers.
#[derive(InputObject)]
pub(super) struct RegisterInput {
    /// The e-mail address to sign in with. Case does not matter.
    pub(super) email: String,
    /// The password: 8 characters or more, at most 1024 bytes, none of the commonest.
    pub(super) password: String,
    /// Given name.
    pub(super) first_name: Option<String>,
    /// Family name.
    pub(super) last_name: Option<String>,
    /// Date of birth.
    pub(super) birth_date: Option<Date>,
}

/// Registers a person and signs in.
pub(super) async fn register(
    auth: &Auth,
    input: RegisterInput,
    client: &ClientInfo,
) -> Result<Grant> {
    let now = auth.app.clock.now();
    let applicant = rules::applicant(input, now).map_err(Error::Refused)?;
    throttle::registration(&auth.app, client).await?;
    // Before the address is looked at: a taken one costs the same.
    let password_hash = auth.passwords.hash(&applicant.password).await?;
    let new = NewUser {
        email: applicant.email,
        email_key: applicant.email_key,
        password_hash,
        first_name: applicant.first_name,
        last_name: applicant.last_name,
        birth_date: applicant.birth_date,
        role: Role::User,
    };
    let txn = auth.app.db.begin().await?;
    let user = insert(&txn, now, new).await?;
    let session = session::begin(auth, &txn, user.id, client).await?;
    let entry = Entry::of(user.id, ActivityKind::Registered, client);
    activity::record(&*txn, now, entry).await?;
    txn.commit().await?;
    session::grant(auth, user, &session)
}

/// The row of somebody new.
pub(super) struct NewUser {
    pub(super) email: String,
    pub(super) email_key: String,
    pub(super) password_hash: String,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) birth_date: Option<NaiveDate>,
    pub(super) role: Role,
}

/// The row holds the hash of a password, so nothing of it is shown.
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

fn taken(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            let text = "This address already has an account. Sign in instead.";
            Refusal::new(ErrorCode::EmailTaken, text).on("email").into()
        }
        _ => error.into(),
    }
}
