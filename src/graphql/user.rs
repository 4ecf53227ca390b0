//! People.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
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

    /// Whether it was proven, by a mail, that the person reads what is sent to the address.
    async fn email_verified(&self) -> bool {
        self.0.email_verified_at.is_some()
    }

    /// Whether signing in takes a code of an authenticator app beside the password.
    async fn totp_enabled(&self) -> bool {
        self.0.totp_enabled_at.is_some()
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

    /// What the person may do here. It is asked of the database with each request: a change holds at once.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// Whether the person can sign in with a password. Whoever cannot signs in elsewhere; `requestPasswordReset` gives her one.
    async fn has_password(&self) -> bool {
        !self.0.password_hash.is_empty()
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

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "user::Role")]
pub enum Role {
    /// What concerns the person alone.
    User,
    /// Also `admin` and the mutations of administrators.
    Admin,
}
