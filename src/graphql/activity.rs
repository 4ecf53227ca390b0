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

    /// A word more, such as the name of the bank, which outlives the item, or of a sign-in provider, or the id of an
    /// export.
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
    /// Somebody tried to sign in with a wrong password, or while the account was locked.
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
    /// Somebody who was signed in tried to change the password, the address or the second factor, and did not know the
    /// password.
    PasswordChangeFailed,
    /// Somebody who was signed in tried to delete the account and could not prove to be its person.
    AccountDeletionFailed,
    /// A copy of all data was asked for.
    DataExportRequested,
    /// A copy of all data was downloaded.
    DataExportDownloaded,
    /// A bank was to be linked, and was not; `detail` says why.
    ItemLinkFailed,
    /// The password was set anew with a token from a mail.
    PasswordReset,
    /// The e-mail address was proven to be the person's.
    EmailVerified,
    /// Another e-mail address was asked for; it counts once it is proven.
    EmailChangeRequested,
    /// Another e-mail address took the old one's place.
    EmailChanged,
    /// The second factor was switched on.
    TotpEnabled,
    /// The second factor was switched off.
    TotpDisabled,
    /// Somebody who knew the password gave a wrong code of the second factor.
    SecondFactorFailed,
    /// A recovery code stood in for the second factor; `detail` says how many are left.
    RecoveryCodeUsed,
    /// New recovery codes took the place of the old ones.
    RecoveryCodesRegenerated,
    /// An identity was linked; `detail` names the provider.
    IdentityLinked,
    /// An identity was unlinked; `detail` names the provider.
    IdentityUnlinked,
    /// Somebody tried to link an identity, or to sign in with one that has your address, and was refused: what came
    /// back from the provider was not acceptable, a code was not hers, or the password was wrong.
    IdentityRefused,
    /// A bank was linked.
    ItemLinked,
    /// Somebody gave new credentials for a bank.
    CredentialsUpdated,
    /// Somebody answered what a bank asked.
    ChallengeAnswered,
    /// A login at a bank was repaired.
    ItemRepaired,
    /// A bank needs the person; the item's `requiredAction` says for what.
    ItemNeedsAttention,
    /// A bank was removed.
    ItemRemoved,
    /// The person asked for a sync.
    SyncRequested,
    /// A sync brought changes.
    SyncSucceeded,
    /// A sync failed for good.
    SyncFailed,
    /// An administrator looked at the account; `detail` says at what.
    AccountViewed,
    /// An administrator did something for the account; `detail` says what.
    AdminActed,
    /// An administrator locked the account.
    AccountLocked,
    /// An administrator unlocked the account.
    AccountUnlocked,
    /// An administrator ended all sessions.
    SessionsEndedByAdmin,
    /// The person became an administrator.
    Promoted,
    /// The person is an administrator no more.
    Demoted,
}
