//! The person's own log.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use entity::activity;

use super::{ContextExt, id, item::Item, loaders::Key, scalar::DateTime};
use crate::error::Result;

/// One entry of the person's own log: what happened to the account, when, and from where.
#[derive(Clone, Debug)]
pub struct Activity(pub Arc<activity::Model>);

impl From<activity::Model> for Activity {
    fn from(row: activity::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// One entry of the person's own log: what happened to the account, when, and from where.
#[Object]
impl Activity {
    /// The entry's id.
    pub(crate) async fn id(&self) -> ID {
        id::encode(id::ACTIVITY, self.0.id)
    }

    /// What happened.
    async fn kind(&self) -> ActivityKind {
        self.0.kind.into()
    }

    /// When.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// The item it was about; absent if none, or if it is removed by now.
    async fn item(&self, ctx: &Context<'_>) -> Result<Option<Item>> {
        let Some(item) = self.0.item_id else {
            return Ok(None);
        };
        let key = Key::new(ctx.viewer()?, item);
        Ok(ctx.loaders().item.load_one(key).await?.map(Item))
    }

    /// A word more, such as the name of the bank, which outlives the item, or of a sign-in provider.
    async fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
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

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "activity::ActivityKind")]
pub enum ActivityKind {
    /// The person registered.
    Registered,
    /// Somebody signed in with the right password, or with an identity; then `detail` names the provider.
    SignedIn,
    /// Somebody tried to sign in with a wrong password.
    SignInFailed,
    /// The person signed out.
    SignedOut,
    /// The person signed out of all devices.
    SignedOutEverywhere,
    /// The person ended a session from another device.
    SessionEnded,
    /// A session was ended because its refresh token was used twice: somebody may have copied it.
    SessionRevoked,
    /// The name or the birthday was changed.
    ProfileUpdated,
    /// The password was changed.
    PasswordChanged,
    /// Somebody who was signed in tried to change the password and did not know it.
    PasswordChangeFailed,
    /// An identity was linked; `detail` names the provider.
    IdentityLinked,
    /// An identity was unlinked; `detail` names the provider.
    IdentityUnlinked,
    /// An identity was to be linked, and what came back from the provider was not acceptable.
    IdentityRefused,
    /// A bank was linked.
    ItemLinked,
    /// A login at a bank was repaired.
    ItemRepaired,
    /// A bank needs the person; the item's `requiredAction` says for what.
    ItemNeedsAttention,
    /// A bank was removed.
    ItemRemoved,
    /// A sync brought changes.
    SyncSucceeded,
    /// A sync failed for good.
    SyncFailed,
}
