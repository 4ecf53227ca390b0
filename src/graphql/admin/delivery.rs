//! What a provider has sent.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use entity::webhook;

use super::user::{self, AdminUser};
use crate::{
    error::Result,
    graphql::{id, item::Provider, scalar::DateTime},
};

/// A webhook that a provider has sent, after its signature was checked. It is kept for a month; its body is
/// shown to nobody.
#[derive(Clone)]
pub struct WebhookDelivery(pub Arc<webhook::Model>);

impl From<webhook::Model> for WebhookDelivery {
    fn from(row: webhook::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// The row holds a sealed body, so only its key is shown.
impl std::fmt::Debug for WebhookDelivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("WebhookDelivery").field(&self.0.id).finish()
    }
}

/// A webhook that a provider has sent, after its signature was checked. It is kept for a month; its body is
/// shown to nobody.
#[Object]
impl WebhookDelivery {
    /// The delivery's id.
    async fn delivery_id(&self) -> ID {
        id::encode(id::DELIVERY, self.0.id)
    }

    /// Who sent it.
    async fn provider(&self) -> Provider {
        self.0.provider.into()
    }

    /// Its type and code in the provider's words, such as `TRANSACTIONS.SYNC_UPDATES_AVAILABLE`.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// What became of it.
    async fn status(&self) -> WebhookStatus {
        self.0.state.into()
    }

    /// Whose data it touched, once that is known.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<AdminUser>> {
        user::of(ctx, self.0.user_id).await
    }

    /// When it came.
    async fn received_at(&self) -> DateTime {
        DateTime(self.0.received_at)
    }

    /// When it took effect; absent if it has not.
    async fn applied_at(&self) -> Option<DateTime> {
        self.0.applied_at.map(DateTime)
    }
}

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "webhook::WebhookState")]
pub enum WebhookStatus {
    /// Nobody here knows what it is about yet: it takes effect when somebody does.
    Parked,
    /// It took effect.
    Applied,
    /// There is nothing to do for it.
    Ignored,
    /// A day has passed, and nobody here knew what it was about.
    Expired,
}
