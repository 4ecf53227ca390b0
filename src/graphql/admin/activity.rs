//! An entry of somebody's log, as an administrator sees it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use entity::activity;

use super::user::{self, AdminUser};
use crate::{
    error::Result,
    graphql::{activity::ActivityKind, id, scalar::DateTime},
};

/// An entry of a person's log, as an administrator sees it.
#[derive(Clone, Debug)]
pub struct AdminActivity(pub Arc<activity::Model>);

impl From<activity::Model> for AdminActivity {
    fn from(row: activity::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// An entry of a person's log, as an administrator sees it.
#[Object]
impl AdminActivity {
    /// Whose log it is in.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<AdminUser>> {
        user::of(ctx, Some(self.0.user_id)).await
    }

    /// What happened.
    async fn kind(&self) -> ActivityKind {
        self.0.kind.into()
    }

    /// When.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// The item it was about, by the id its person sees; absent if none.
    async fn item_id(&self) -> Option<ID> {
        self.0.item_id.map(|row| id::encode(id::ITEM, row))
    }

    /// The network address the client connected from, where a client was involved.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// What the client called itself, where a client was involved.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }
}
