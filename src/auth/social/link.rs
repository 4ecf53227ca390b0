//! Linking an identity, and letting go of one.

use async_graphql::{ID, InputObject};
use entity::{activity::ActivityKind, identity, user};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, ModelTrait,
    PaginatorTrait, QueryFilter, QuerySelect, SqlErr,
};
use uuid::Uuid;

use super::{
    provider_name,
    redeem::{LinkIdentityInput, Proven, find, invalid, redeem},
};
use crate::{
    activity::{self, Entry},
    auth::{Auth, lock::refuse_locked, password, rules},
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    graphql::id,
    viewer::{ClientInfo, Owned, Viewer, is_here},
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
    let txn = auth.app.db.begin().await?;
    // Since the request was let in, the account may have been deleted or locked.
    if !is_here(&*txn, viewer.user_id).await? {
        return Err(Error::Unauthenticated);
    }
    refuse_locked(&txn, viewer.user_id).await?;
    let proven = redeem(auth, &txn, &input.code, &input.code_verifier, Some(viewer)).await?;
    let linked = match proven {
        None => Err(invalid()),
        Some(proven) => link(auth, &txn, viewer, proven, client).await,
    };
    if matches!(linked, Ok(_) | Err(Error::Refused(_))) {
        // The code is used up whatever came of it.
        txn.commit().await?;
    }
    linked
}

async fn link(
    auth: &Auth,
    txn: &Txn,
    viewer: Viewer,
    proven: Proven,
    client: &ClientInfo,
) -> Result<identity::Model> {
    match find(txn, &proven.person).await? {
        Some(known) if known.user_id == viewer.user_id => return Ok(known),
        Some(_) => return Err(taken().into()),
        None => {}
    }
    let now = auth.app.clock.now();
    let name = provider_name(&auth.app, &proven.provider);
    let row = identity::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(viewer.user_id),
        provider: Set(proven.provider),
        issuer: Set(proven.person.issuer),
        subject: Set(proven.person.subject),
        email: Set(rules::likely_email(proven.person.email.as_deref())),
        linked_at: Set(now),
    };
    let row = row.insert(&**txn).await.map_err(overtaken)?;
    let entry = Entry {
        detail: Some(name),
        ..Entry::of(viewer.user_id, ActivityKind::IdentityLinked, client)
    };
    activity::record(&**txn, now, entry).await?;
    Ok(row)
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
    let txn = auth.app.db.begin().await?;
    // Two at once must not each take the other for the one that stays.
    let user = user::Entity::find().filter(user::Column::Id.eq(viewer.user_id));
    let user = user.lock_exclusive().one(&*txn).await?;
    let user = user.ok_or(Error::Unauthenticated)?;
    let theirs = identity::Entity::owned_by(viewer);
    let row = theirs
        .clone()
        .filter(identity::Column::Id.eq(id))
        .one(&*txn)
        .await?;
    let row = row.ok_or_else(none)?;
    if password::stored(&user).is_none() && theirs.count(&*txn).await? < 2 {
        return Err(last().into());
    }
    let entry = Entry {
        detail: Some(provider_name(&auth.app, &row.provider)),
        ..Entry::of(viewer.user_id, ActivityKind::IdentityUnlinked, client)
    };
    row.delete(&*txn).await?;
    activity::record(&*txn, auth.app.clock.now(), entry).await?;
    txn.commit().await?;
    Ok(id)
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
