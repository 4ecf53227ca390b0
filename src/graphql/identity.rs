//! Accounts elsewhere that people sign in with, and who offers that.

use std::sync::Arc;

use async_graphql::{ID, Object, SimpleObject};
use entity::identity;

use super::{id, scalar::DateTime};

/// An account a person has at a sign-in provider, linked to the account here: it lets her in.
#[derive(Clone, Debug)]
pub struct Identity(pub Arc<identity::Model>);

impl From<identity::Model> for Identity {
    fn from(row: identity::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// An account a person has at a sign-in provider, linked to the account here: it lets her in.
#[Object]
impl Identity {
    /// The identity's id.
    pub(super) async fn id(&self) -> ID {
        id::encode(id::IDENTITY, self.0.id)
    }

    /// The provider, by its `id` in `identityProviders` when it was linked.
    async fn provider(&self) -> &str {
        &self.0.provider
    }

    /// Who vouches for it: the address of the OpenID Connect issuer.
    async fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The e-mail address of the account there when it was linked, if the provider told one.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// When it was linked.
    async fn linked_at(&self) -> DateTime {
        DateTime(self.0.linked_at)
    }
}

/// Somebody who vouches for people, so that they can sign in here with an account they have there.
#[derive(Clone, Debug, SimpleObject)]
pub struct IdentityProvider {
    /// What `startSocialLogin` calls it: a name the operator chose.
    pub id: String,
    /// What people call it.
    pub name: String,
}
