//! A login at a bank, as an administrator sees it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use entity::item;

use super::user::{self, AdminUser};
use crate::{
    error::Result,
    graphql::{
        ContextExt, id,
        institution::Institution,
        item::{Item, LinkStatus, Provider, TransactionsStatus},
        scalar::DateTime,
    },
};

/// A login at a bank, as an administrator sees it: how it stands, and nothing of what it opens.
#[derive(Clone, Debug)]
pub struct AdminItem(pub Arc<item::Model>);

impl From<item::Model> for AdminItem {
    fn from(row: item::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// A login at a bank, as an administrator sees it: how it stands, and nothing of what it opens.
#[Object]
impl AdminItem {
    /// The item's id, as its person sees it.
    async fn item_id(&self) -> ID {
        id::encode(id::ITEM, self.0.id)
    }

    /// Whose it is.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<AdminUser>> {
        user::of(ctx, Some(self.0.user_id)).await
    }

    /// Who connects this server to the bank.
    async fn provider(&self) -> Provider {
        self.0.provider.into()
    }

    /// The bank. Absent until the provider has told which one it is.
    async fn institution(&self, ctx: &Context<'_>) -> Result<Option<Institution>> {
        let Some(id) = self.0.institution_id else {
            return Ok(None);
        };
        let row = ctx.loaders().institution.load_one(id).await?;
        Ok(row.map(Institution))
    }

    /// The health of the login.
    async fn link_status(&self) -> LinkStatus {
        self.0.link_status.into()
    }

    /// The provider's own code for what is wrong with the login.
    async fn link_error_code(&self) -> Option<String> {
        Item(self.0.clone()).plain_error_code().map(str::to_owned)
    }

    /// How much of the item's transactions is here.
    async fn transactions_status(&self) -> TransactionsStatus {
        self.0.transactions_status.into()
    }

    /// When a sync last succeeded.
    async fn last_synced_at(&self) -> Option<DateTime> {
        self.0.last_synced_at.map(DateTime)
    }

    /// When it is synced by itself, if nobody asks before; absent while only its person can help.
    async fn sync_due_at(&self) -> Option<DateTime> {
        self.0.sync_due_at.map(DateTime)
    }

    /// How many syncs have failed for good since the last that succeeded.
    async fn failed_syncs(&self) -> i32 {
        self.0.failed_syncs
    }

    /// When the bank was linked.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}
