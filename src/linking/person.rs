//! A person as a provider knows her that keeps people apart. She is made there when she needs it
//! first, under an opaque name of ours, so that a lost answer makes no second one; and again when the
//! provider does not know her any more, since somebody deleted her there, or the server is in another of its
//! environments by now.

use entity::provider_user;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{LockType, OnConflict},
};
use uuid::Uuid;

use crate::{
    app::App,
    error::{Error, ErrorClass, ProviderError, Result},
    graphql::id,
    providers::{CredentialLogin, Login, ProviderKind},
    viewer::is_here,
};

/// A person at a provider.
#[derive(Clone, Copy)]
pub(super) struct Patron<'a> {
    pub(super) app: &'a App,
    pub(super) provider: ProviderKind,
    pub(super) user_id: Uuid,
}

impl<'a> Patron<'a> {
    /// Asks the provider something about her, with what it calls her. If it does not know her any more,
    /// it is asked once again when it does.
    pub(super) async fn ask<T, F>(
        self,
        what: impl Fn(&'a dyn CredentialLogin, String) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, ProviderError>>,
    {
        let login = self.app.credential_login(self.provider)?;
        let called = match known(self.app.db.read(), self.provider, self.user_id).await? {
            Some(called) => called,
            None => self.introduce(login).await?,
        };
        match what(login, called).await {
            Err(error) if error.class == ErrorClass::Gone => {
                tracing::warn!(user.id = %self.user_id, "a provider does not know a person any more; she is made known to it anew");
                let called = self.introduce(login).await?;
                Ok(what(login, called).await?)
            }
            outcome => Ok(outcome?),
        }
    }

    /// Her logins.
    pub(super) async fn logins(self) -> Result<Vec<Login>> {
        self.ask(|login, called| async move { login.logins(&called).await })
            .await
    }

    /// Has the provider know her, and remembers what it calls her.
    async fn introduce(self, login: &dyn CredentialLogin) -> Result<String> {
        use provider_user::Column as Row;
        let (app, user_id) = (self.app, self.user_id);
        // Whoever has left is to be forgotten, not made known.
        if !is_here(&*app.db.begin().await?, user_id).await? {
            return Err(Error::Unauthenticated);
        }
        let made = login.user(&id::encode(id::USER, user_id)).await?;
        let row = provider_user::ActiveModel {
            user_id: Set(user_id),
            provider: Set(self.provider),
            provider_user_id: Set(made.clone()),
            created_at: Set(app.clock.now()),
        };
        let overwrite = OnConflict::columns([Row::UserId, Row::Provider])
            .update_columns([Row::ProviderUserId, Row::CreatedAt])
            .to_owned();
        let txn = app.db.begin().await?;
        provider_user::Entity::insert(row)
            .on_conflict(overwrite)
            .exec_without_returning(&*txn)
            .await?;
        txn.commit().await?;
        Ok(made)
    }
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

/// Who is here and is called so by a provider.
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
    match rows.one(db).await? {
        Some(row) if is_here(db, row.user_id).await? => Ok(Some(row.user_id)),
        _ => Ok(None),
    }
}
