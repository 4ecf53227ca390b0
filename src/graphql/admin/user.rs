//! A person, as an administrator sees her.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use entity::user;

use crate::{
    error::Result,
    graphql::{ContextExt, id, scalar::DateTime, user::Role},
};

/// A person, as an administrator sees her: what it takes to help her sign in, and none of what she has.
#[derive(Clone)]
pub struct AdminUser(pub Arc<user::Model>);

impl From<user::Model> for AdminUser {
    fn from(row: user::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// The row holds the hash of a password, so only its key is shown.
impl std::fmt::Debug for AdminUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AdminUser").field(&self.0.id).finish()
    }
}

/// A person, as an administrator sees her: what it takes to help her sign in, and none of what she has.
#[Object]
impl AdminUser {
    /// The person's id, as she sees it herself.
    async fn user_id(&self) -> ID {
        id::encode(id::USER, self.0.id)
    }

    /// The e-mail address, as it was typed at registration.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// What the person may do.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// Since when the account is locked; absent if it is not.
    async fn locked_at(&self) -> Option<DateTime> {
        self.0.locked_at.map(DateTime)
    }

    /// When the person registered.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When the person last signed in. Sessions that ended a month ago are forgotten: absent if she has
    /// had none since.
    async fn last_signed_in_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>> {
        let last = ctx.loaders().admin.last_sign_in.load_one(self.0.id);
        Ok(last.await?.map(DateTime))
    }

    /// How many banks the person has linked.
    async fn item_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let count = ctx.loaders().admin.item_count.load_one(self.0.id);
        Ok(count.await?.unwrap_or_default())
    }
}

/// The person a row is about, if she is still here.
pub(super) async fn of(
    ctx: &Context<'_>,
    user_id: Option<uuid::Uuid>,
) -> Result<Option<AdminUser>> {
    let Some(user_id) = user_id else {
        return Ok(None);
    };
    let row = ctx.loaders().admin.user.load_one(user_id).await?;
    Ok(row.map(AdminUser))
}
