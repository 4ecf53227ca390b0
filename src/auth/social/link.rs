//! Linking an identity, and letting go of one.

use async_graphql::{ID, InputObject};
use chrono::{DateTime, Utc};
use entity::{activity::ActivityKind, identity, mail::MailKind, user};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, IntoActiveModel,
    ModelTrait, PaginatorTrait, QueryFilter, QuerySelect, SqlErr, sea_query::LockType,
};
use uuid::Uuid;

use super::{
    provider_name,
    redeem::{LinkIdentityInput, Offer, Proven, find, invalid, redeem, refuse_unknown},
};
use crate::{
    activity::{self, Entry},
    auth::{Auth, lock::refuse_locked, password, rules, session::refuse_ended},
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    graphql::id,
    mail::{self, Post},
    providers::oidc::{Issuer, Person},
    viewer::{ClientInfo, Owned, Viewer},
};

/// Which identity.
#[derive(InputObject)]
pub(in crate::auth) struct UnlinkIdentityInput {
    /// The identity to unlink.
    pub(in crate::auth) identity_id: ID,
}

/// Redeems a code for an identity of the viewer's. One she has already is simply returned.
pub(in crate::auth) async fn link_identity(
    auth: &Auth,
    viewer: Viewer,
    input: LinkIdentityInput,
    client: &ClientInfo,
) -> Result<identity::Model> {
    refuse_unknown(auth, &input.code).await?;
    let mut txn = auth.app.db.begin().await?;
    // Since the request was let in, the account may have been deleted or locked, or the session ended.
    let user = held(&txn, viewer).await?;
    refuse_locked(&txn, viewer.user_id).await?;
    refuse_ended(&txn, viewer).await?;
    let offer = Offer {
        code: &input.code,
        verifier: &input.code_verifier,
        viewer: Some(viewer),
        client,
    };
    let linked = match redeem(auth, &txn, &offer).await? {
        None => Err(invalid()),
        Some(proven) => link(auth, &mut txn, user, proven, client).await,
    };
    if matches!(linked, Ok(_) | Err(Error::Refused(_))) {
        // The code is used up whatever came of it.
        txn.commit().await?;
    }
    linked
}

/// The viewer, whose row nobody else changes until the transaction ends.
async fn held(txn: &Txn, viewer: Viewer) -> Result<user::Model> {
    let user = user::Entity::find_by_id(viewer.user_id)
        .filter(user::Column::DeletedAt.is_null())
        .lock(LockType::NoKeyUpdate);
    user.one(&**txn).await?.ok_or(Error::Unauthenticated)
}

async fn link(
    auth: &Auth,
    txn: &mut Txn,
    user: user::Model,
    proven: Proven,
    client: &ClientInfo,
) -> Result<identity::Model> {
    match find(txn, &proven.person).await? {
        Some(known) if known.user_id == user.id => return Ok(known),
        Some(_) => return Err(taken().into()),
        None => {}
    }
    let now = auth.app.clock.now();
    let name = provider_name(&auth.app, &proven.provider);
    let row = identity::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(user.id),
        provider: Set(proven.provider),
        issuer: Set(proven.person.issuer.clone()),
        subject: Set(proven.person.subject.clone()),
        email: Set(rules::likely_email(proven.person.email.as_deref())),
        linked_at: Set(now),
    };
    let row = row.insert(&**txn).await.map_err(overtaken)?;
    let user = fill(txn, user, &proven.person, now, client).await?;
    let entry = Entry {
        detail: Some(name),
        ..Entry::of(user.id, ActivityKind::IdentityLinked, client)
    };
    activity::record(&**txn, now, entry).await?;
    tell(auth, txn, &user, MailKind::IdentityLinked).await?;
    Ok(row)
}

/// Takes over what the issuer knows of her where she has said nothing herself.
async fn fill(
    txn: &Txn,
    user: user::Model,
    person: &Person,
    now: DateTime<Utc>,
    client: &ClientInfo,
) -> Result<user::Model> {
    let mut row = user.clone().into_active_model();
    let first_name = rules::likely_name(person.first_name.as_deref());
    let last_name = rules::likely_name(person.last_name.as_deref());
    let birth_date = rules::likely_birth_date(person.birth_date.as_deref(), now);
    row.first_name
        .set_if_not_equals(user.first_name.clone().or(first_name));
    row.last_name
        .set_if_not_equals(user.last_name.clone().or(last_name));
    row.birth_date
        .set_if_not_equals(user.birth_date.or(birth_date));
    if !row.is_changed() {
        return Ok(user);
    }
    row.updated_at = Set(now);
    let user = row.update(&**txn).await?;
    let entry = Entry::of(user.id, ActivityKind::ProfileUpdated, client);
    activity::record(&**txn, now, entry).await?;
    Ok(user)
}

/// Tells her by mail, if this server sends any: what is linked outlives sessions and passwords.
async fn tell(auth: &Auth, txn: &mut Txn, user: &user::Model, kind: MailKind) -> Result<()> {
    if auth.app.mailer.is_none() {
        return Ok(());
    }
    let told = Post {
        kind,
        user_id: Some(user.id),
        registration_id: None,
        email: &user.email,
        email_key: &user.email_key,
    };
    mail::post(txn, &auth.app, told).await
}

/// Lets go of an identity of the viewer's, unless it is her only way in.
pub(in crate::auth) async fn unlink_identity(
    auth: &Auth,
    viewer: Viewer,
    id: &str,
    client: &ClientInfo,
) -> Result<Uuid> {
    let none = || Error::not_found("identityId", "identity");
    let id = id::decode(id::IDENTITY, id).ok_or_else(none)?;
    let mut txn = auth.app.db.begin().await?;
    // Two at once must not each take the other for the one that stays.
    let user = held(&txn, viewer).await?;
    let row = identity::Entity::owned_by(viewer).filter(identity::Column::Id.eq(id));
    let row = row.one(&*txn).await?.ok_or_else(none)?;
    if password::stored(&user).is_none() && is_last(auth, &txn, viewer, &row).await? {
        return Err(last().into());
    }
    let entry = Entry {
        detail: Some(provider_name(&auth.app, &row.provider)),
        ..Entry::of(viewer.user_id, ActivityKind::IdentityUnlinked, client)
    };
    row.delete(&*txn).await?;
    activity::record(&*txn, auth.app.clock.now(), entry).await?;
    tell(auth, &mut txn, &user, MailKind::IdentityUnlinked).await?;
    txn.commit().await?;
    Ok(id)
}

/// Whether an identity lets its person in, and no other does: one of an issuer that is not in the settings any more
/// opens nothing.
async fn is_last(auth: &Auth, txn: &Txn, viewer: Viewer, row: &identity::Model) -> Result<bool> {
    let issuers: Vec<&str> = auth.app.issuers.iter().map(Issuer::url).collect();
    if !issuers.contains(&row.issuer.as_str()) {
        return Ok(false);
    }
    let others = identity::Entity::owned_by(viewer)
        .filter(identity::Column::Id.ne(row.id))
        .filter(identity::Column::Issuer.is_in(issuers));
    Ok(others.count(&**txn).await? == 0)
}

fn taken() -> Refusal {
    let text =
        "This identity is linked to another account. Sign in with it, and unlink it there first.";
    Refusal::new(ErrorCode::IdentityTaken, text)
}

fn last() -> Refusal {
    let text =
        "It is the only way into your account, which has no password. Link another identity first.";
    Refusal::new(ErrorCode::LastSignIn, text).on("identityId")
}

fn overtaken(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            let text = "This identity is being linked by another request. Try again.";
            Error::BadInput(text.to_owned())
        }
        _ => error.into(),
    }
}
