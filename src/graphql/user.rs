//! People.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use entity::user;

use super::{
    ContextExt, id,
    identity::Identity,
    scalar::{Date, DateTime},
};
use crate::error::Result;

/// A person who signs in.
#[derive(Clone)]
pub struct User(pub Arc<user::Model>);

impl From<user::Model> for User {
    fn from(row: user::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// The row holds the hash of a password, so only its key is shown.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("User").field(&self.0.id).finish()
    }
}

/// A person who signs in.
#[Object]
impl User {
    /// Names this person among all objects; opaque.
    pub(super) async fn id(&self) -> ID {
        id::encode(id::USER, self.0.id)
    }

    /// The e-mail address, as it was typed at registration or told by a sign-in provider.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// Given name.
    async fn first_name(&self) -> Option<&str> {
        self.0.first_name.as_deref()
    }

    /// Family name.
    async fn last_name(&self) -> Option<&str> {
        self.0.last_name.as_deref()
    }

    /// Date of birth.
    async fn birth_date(&self) -> Option<Date> {
        self.0.birth_date.map(Date)
    }

    /// The accounts elsewhere that let the person in, oldest first.
    async fn identities(&self, ctx: &Context<'_>) -> Result<Vec<Identity>> {
        let rows = ctx.loaders().identities_of_user.load_one(self.0.id).await?;
        Ok(rows.unwrap_or_default().into_iter().map(Identity).collect())
    }

    /// When the person registered.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}
