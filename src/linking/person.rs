//! A person as a provider knows her that keeps people apart. She is made there when she needs it
//! first, under an opaque name of ours, so that a lost answer makes no second one.

use entity::provider_user;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{LockType, OnConflict},
};
use uuid::Uuid;

use crate::{
    app::App,
    error::Result,
    graphql::id,
    providers::{CredentialLogin, ProviderKind},
};

/// What a provider calls a person; she is made there if need be.
pub(super) async fn provider_user(
    app: &App,
    provider: ProviderKind,
    login: &dyn CredentialLogin,
    user_id: Uuid,
) -> Result<String> {
    if let Some(known) = known(app.db.read(), provider, user_id).await? {
        return Ok(known);
    }
    let made = login.user(&id::encode(id::USER, user_id)).await?;
    let row = provider_user::ActiveModel {
        user_id: Set(user_id),
        provider: Set(provider),
        provider_user_id: Set(made.clone()),
        created_at: Set(app.clock.now()),
    };
    let txn = app.db.begin().await?;
    provider_user::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&*txn)
        .await?;
    txn.commit().await?;
    Ok(made)
}

/// What a provider calls a person, if it knows her.
pub(super) async fn known(
    db: &impl ConnectionTrait,
    provider: ProviderKind,
    user_id: Uuid,
) -> Result<Option<String>> {
    let rows = provider_user::Entity::find()
        .filter(provider_user::Column::UserId.eq(user_id))
        .filter(provider_user::Column::Provider.eq(provider));
    Ok(rows.one(db).await?.map(|row| row.provider_user_id))
}

/// Whom a provider calls so.
pub(crate) async fn person_called(
    db: &impl ConnectionTrait,
    provider: ProviderKind,
    provider_user_id: &str,
) -> Result<Option<Uuid>> {
    let rows = provider_user::Entity::find()
        .filter(provider_user::Column::Provider.eq(provider))
        .filter(provider_user::Column::ProviderUserId.eq(provider_user_id))
        // She stays until whoever asks has written what it is about.
        .lock(LockType::KeyShare);
    Ok(rows.one(db).await?.map(|row| row.user_id))
}
