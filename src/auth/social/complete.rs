//! Signing in with an identity; whoever comes with a new one gets an account.

use entity::{
    activity::ActivityKind,
    identity,
    user::{self, Role},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter, SqlErr,
};
use uuid::Uuid;

use super::{
    Refused, provider_name,
    redeem::{CompleteSocialLoginInput, Offer, Proven, find, invalid, redeem, refuse_unknown},
};
use crate::{
    activity::Entry,
    auth::{
        Auth,
        admit::{Admission, admit},
        lock::refuse_locked,
        register, rules,
    },
    config::Registration,
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    feed,
    providers::oidc::Person,
    viewer::ClientInfo,
};

/// Redeems a code for a session.
pub(in crate::auth) async fn complete_social_login(
    auth: &Auth,
    input: CompleteSocialLoginInput,
    client: &ClientInfo,
) -> Result<Admission> {
    refuse_unknown(auth, &input.code).await?;
    match enter(auth, &input, client).await {
        // Nothing was kept, the code is as good as before, and whoever was first is there now.
        Err(Stop::Overtaken) => enter(auth, &input, client).await,
        other => other,
    }
    .map_err(Error::from)
}

/// Why nobody gets in.
enum Stop {
    /// Another request made the same account at the same time.
    Overtaken,
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<DbErr> for Stop {
    fn from(error: DbErr) -> Self {
        Self::Error(error.into())
    }
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Overtaken => Self::internal("an account was made twice at once, twice"),
            Stop::Error(error) => error,
        }
    }
}

async fn enter(
    auth: &Auth,
    input: &CompleteSocialLoginInput,
    client: &ClientInfo,
) -> Result<Admission, Stop> {
    let txn = auth.app.db.begin().await?;
    let offer = Offer {
        code: &input.code,
        verifier: &input.code_verifier,
        viewer: None,
        client,
    };
    let proven = redeem(auth, &txn, &offer).await?;
    let found = match &proven {
        None => Err(invalid().into()),
        Some(proven) => person_of(auth, &txn, proven, client).await,
    };
    let (user, provider, kind) = match (found, proven) {
        (Ok((user, kind)), Some(proven)) => (user, proven.provider, kind),
        (Err(Stop::Error(refused @ Error::Refused(_))), _) => {
            // The code is used up all the same.
            txn.commit().await?;
            return Err(refused.into());
        }
        (Err(stop), _) => return Err(stop),
        (Ok(_), None) => return Err(invalid().into()),
    };
    let entry = Entry {
        detail: Some(provider_name(&auth.app, &provider)),
        ..Entry::of(user.id, kind, client)
    };
    Ok(admit(auth, txn, user, entry).await?)
}

/// Whose identity it is; somebody new, if it is nobody's.
async fn person_of(
    auth: &Auth,
    txn: &Txn,
    proven: &Proven,
    client: &ClientInfo,
) -> Result<(user::Model, ActivityKind), Stop> {
    if let Some(identity) = find(txn, &proven.person).await? {
        let user = user::Entity::find()
            .filter(user::Column::Id.eq(identity.user_id))
            .filter(user::Column::DeletedAt.is_null());
        let user = user.one(&**txn).await?.ok_or_else(invalid)?;
        // Here, where a refusal costs the code all the same.
        refuse_locked(txn, user.id).await?;
        return Ok((user, ActivityKind::SignedIn));
    }
    if auth.app.config.mail.registration == Registration::Closed {
        return Err(register::closed().into());
    }
    let told = |user_id, why| Refused {
        provider: &proven.provider,
        user_id,
        why,
        client,
    };
    let Some((email, email_key)) = address(&proven.person) else {
        // It may be anybody's, so it is told in nobody's log.
        let told = told(None, "the issuer does not vouch for the address");
        told.log();
        return Err(unverified().into());
    };
    let known = user::Entity::find().filter(user::Column::EmailKey.eq(&email_key));
    if let Some(known) = known.one(&**txn).await? {
        let told = told(Some(known.id), "the address has an account");
        told.record(auth, txn).await?;
        return Err(taken().into());
    }
    let user = newcomer(auth, &proven.person, email, email_key);
    let user = user.insert(&**txn).await.map_err(overtaken)?;
    feed::open(txn, user.id).await?;
    let identity = identity::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(user.id),
        provider: Set(proven.provider.clone()),
        issuer: Set(proven.person.issuer.clone()),
        subject: Set(proven.person.subject.clone()),
        email: Set(Some(user.email.clone())),
        linked_at: Set(user.created_at),
    };
    identity.insert(&**txn).await.map_err(overtaken)?;
    Ok((user, ActivityKind::Registered))
}

/// An account as the issuer describes its owner. What of it cannot be is left out, since she is not
/// here to correct it.
fn newcomer(auth: &Auth, person: &Person, email: String, email_key: String) -> user::ActiveModel {
    let now = auth.app.clock.now();
    user::ActiveModel {
        id: Set(Uuid::now_v7()),
        email: Set(email),
        email_key: Set(email_key),
        email_verified_at: Set(Some(now)),
        password_hash: Set(String::new()),
        first_name: Set(rules::likely_name(person.first_name.as_deref())),
        last_name: Set(rules::likely_name(person.last_name.as_deref())),
        birth_date: Set(rules::likely_birth_date(person.birth_date.as_deref(), now)),
        role: Set(Role::User),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    }
}

/// The address an account can be made with: one that the issuer has verified.
fn address(person: &Person) -> Option<(String, String)> {
    let email = person
        .email
        .as_deref()
        .map(str::trim)
        .filter(|_| person.email_verified);
    let key = email.and_then(rules::email_key);
    email.map(str::to_owned).zip(key)
}

/// The same whether or not somebody has the address here.
fn unverified() -> Error {
    let text = "The provider does not say that your e-mail address is verified. Verify it there and try again; \
                or sign in here in another way, and link the provider with `linkIdentity`.";
    Refusal::new(ErrorCode::EmailUnverified, text).into()
}

fn taken() -> Error {
    let text = "This address already has an account. Sign in to it as before, and link the provider with \
                `linkIdentity`; then it lets you in.";
    Refusal::new(ErrorCode::EmailTaken, text).into()
}

fn overtaken(error: DbErr) -> Stop {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Stop::Overtaken,
        _ => error.into(),
    }
}
