//! Signed-in devices.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use entity::session;

use super::{ContextExt, id, scalar::DateTime};
use crate::error::Result;

/// A device that is, or was, signed in.
#[derive(Clone)]
pub struct Session(pub Arc<session::Model>);

impl From<session::Model> for Session {
    fn from(row: session::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// The row holds what refresh tokens are made of, so only its key is shown.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Session").field(&self.0.id).finish()
    }
}

/// A device that is, or was, signed in.
#[Object]
impl Session {
    /// The session's id.
    pub(super) async fn id(&self) -> ID {
        id::encode(id::SESSION, self.0.id)
    }

    /// Whether it is the session of this request.
    async fn current(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.viewer()?.session_id == self.0.id)
    }

    /// What the client called itself when it last signed in or refreshed.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }

    /// The network address it last signed in or refreshed from.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// When it signed in.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last signed in or refreshed. An access token may have been used since, for as long as
    /// one lives.
    async fn last_used_at(&self) -> DateTime {
        DateTime(self.0.rotated_at)
    }

    /// When it is over unless it is refreshed before.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }

    /// When it was ended before its time; absent while it is not.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.revoked_at.map(DateTime)
    }
}
