//! One login at one bank.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject, Union};
use chrono::{TimeDelta, Utc};
use entity::item;

use super::{
    ContextExt, account::Account, challenge::AnswerChallengeAction, id, institution::Institution,
    loaders::Key, scalar::DateTime, sync_job::SyncJob,
};
use crate::error::Result;

/// How long before the end of a consent the person is asked to renew it.
const CONSENT_NOTICE: TimeDelta = TimeDelta::days(14);

/// How many accounts a login is taken to open when it is told what a query costs.
const USUAL_ACCOUNTS: usize = 5;

/// One login at one bank, with the accounts it opens.
#[derive(Clone, Debug)]
pub struct Item(pub Arc<item::Model>);

impl From<item::Model> for Item {
    fn from(row: item::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// One login at one bank, with the accounts it opens.
#[Object]
impl Item {
    /// The item's id, the same for its whole life.
    pub(crate) async fn id(&self) -> ID {
        id::encode(id::ITEM, self.0.id)
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
        Ok(ctx
            .loaders()
            .institution
            .load_one(id)
            .await?
            .map(Institution))
    }

    /// The accounts this login opens, oldest first.
    #[graphql(complexity = "USUAL_ACCOUNTS * child_complexity + 1")]
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whether to list closed accounts too; not if absent.")]
        include_closed: Option<bool>,
    ) -> Result<Vec<Account>> {
        let key = Key::new(ctx.viewer()?, self.0.id);
        let rows = ctx.loaders().accounts_of_item.load_one(key).await?;
        let wanted = |row: &Arc<_>| include_closed == Some(true) || Account::is_open(row);
        let rows = rows.unwrap_or_default().into_iter();
        Ok(rows.filter(wanted).map(Account).collect())
    }

    /// The health of the login.
    async fn link_status(&self) -> LinkStatus {
        self.0.link_status.into()
    }

    /// The provider's own code for what is wrong with the login, such as `ITEM_LOGIN_REQUIRED`: for
    /// support and logs. Decide by `linkStatus` and `requiredAction` instead; codes differ between
    /// providers and change without notice.
    async fn link_error_code(&self) -> Option<&str> {
        self.plain_error_code()
    }

    /// What is wrong with the login, in the provider's sentence for people; absent if nothing is, or if
    /// the provider says nothing.
    async fn link_error_message(&self) -> Option<&str> {
        self.0.link_message.as_deref()
    }

    /// How much of the item's transactions is here.
    async fn transactions_status(&self) -> TransactionsStatus {
        self.0.transactions_status.into()
    }

    /// What the person has to do so that this item goes on working; absent if nothing. Where several
    /// things are to be done, the most urgent: a new sign-in or an answer, then a consent that ends soon,
    /// then new accounts. A disconnected item has none, since only linking the bank anew helps.
    async fn required_action(&self, ctx: &Context<'_>) -> Result<Option<RequiredAction>> {
        if self.0.link_status == item::LinkStatus::Challenged {
            let key = Key::new(ctx.viewer()?, self.0.id);
            let row = ctx.loaders().challenge.load_one(key).await?;
            return row.map(|row| AnswerChallengeAction::of(&row)).transpose();
        }
        Ok(required_action(&self.0, ctx.app().clock.now()))
    }

    /// When a sync last succeeded.
    async fn last_synced_at(&self) -> Option<DateTime> {
        self.0.last_synced_at.map(DateTime)
    }

    /// The newest sync of this item, running or not.
    async fn latest_sync_job(&self, ctx: &Context<'_>) -> Result<Option<SyncJob>> {
        let key = Key::new(ctx.viewer()?, self.0.id);
        let row = ctx.loaders().latest_sync_job.load_one(key).await?;
        Ok(row.map(SyncJob))
    }

    /// When you removed the bank: set only on the last event about it.
    async fn removed_at(&self) -> Option<DateTime> {
        self.0.removed_at.map(DateTime)
    }

    /// When the bank was linked.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

impl Item {
    /// The provider's code, if it looks like one.
    pub(super) fn plain_error_code(&self) -> Option<&str> {
        let code = self.0.link_error.as_deref()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        (code.len() <= 80 && code.bytes().all(plain)).then_some(code)
    }
}

/// Who connects this server to banks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "item::Provider")]
pub enum Provider {
    /// Plaid.
    Plaid,
    /// MX.
    Mx,
}

/// The health of a login at a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "item::LinkStatus")]
pub enum LinkStatus {
    /// The provider is still signing in.
    Processing,
    /// All is well.
    Success,
    /// The user name or the password is wrong.
    InvalidCredentials,
    /// The bank asks a question.
    Challenged,
    /// The person must sign in at the bank again.
    LoginRequired,
    /// Access has ended for good: link the bank anew.
    Disconnected,
    /// Something else is wrong, as `linkErrorMessage` says. The server goes on trying, unless
    /// `requiredAction` says that the person has to do something first.
    Error,
}

/// How much of an item's transactions is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "item::TransactionsStatus")]
pub enum TransactionsStatus {
    /// The provider is still collecting history; what it has is here.
    Downloading,
    /// All the history the provider has is here.
    Complete,
    /// The last sync failed for good; what came before it is here.
    Failed,
}

/// What the person has to do so that an item goes on working. Members will be added: ask for
/// `__typename`, and show a plain notice for one you do not know.
#[derive(Clone, Debug, PartialEq, Eq, Union)]
pub enum RequiredAction {
    /// Sign in at the bank again.
    Reauthenticate(ReauthenticateAction),
    /// Answer what the bank asks.
    AnswerChallenge(AnswerChallengeAction),
    /// Renew a consent.
    ConsentExpiring(ConsentExpiringAction),
    /// Choose among new accounts.
    NewAccounts(NewAccountsAction),
}

/// The person must sign in at the bank again. Call `createLinkToken` with this item's id and open
/// Link with the token, or send the person to the hosted page. An app that asks for credentials itself
/// may call `updateCredentials` instead, if the bank's `credentialFields` has any.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct ReauthenticateAction {
    /// What to pass to `createLinkToken`.
    pub item_id: ID,
    /// Why.
    pub reason: ReauthenticateReason,
}

/// Why a new sign-in is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ReauthenticateReason {
    /// The bank has ended the old sign-in, or asks for another step.
    LoginRequired,
    /// The user name or the password is wrong.
    InvalidCredentials,
}

/// The consent to read this bank ends soon, or has just ended. Call `createLinkToken` with this
/// item's id and open Link with the token to renew it.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct ConsentExpiringAction {
    /// What to pass to `createLinkToken`.
    pub item_id: ID,
    /// When it ends.
    pub expires_at: DateTime,
}

/// The bank has accounts the person has not shared yet. Call `createLinkToken` with this item's id
/// and open Link with the token to choose among them.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct NewAccountsAction {
    /// What to pass to `createLinkToken`.
    pub item_id: ID,
}

fn required_action(item: &item::Model, now: chrono::DateTime<Utc>) -> Option<RequiredAction> {
    use item::LinkStatus::{Disconnected, Error, InvalidCredentials, LoginRequired};
    let item_id = id::encode(id::ITEM, item.id);
    let reason = match item.link_status {
        Disconnected => return None,
        Error if item.person_can_help => Some(ReauthenticateReason::LoginRequired),
        LoginRequired => Some(ReauthenticateReason::LoginRequired),
        InvalidCredentials => Some(ReauthenticateReason::InvalidCredentials),
        _ => None,
    };
    if let Some(reason) = reason {
        return Some(ReauthenticateAction { item_id, reason }.into());
    }
    let ends_soon = |end: &chrono::DateTime<Utc>| *end - now <= CONSENT_NOTICE;
    if let Some(end) = item.consent_expires_at.filter(ends_soon) {
        let expires_at = DateTime(end);
        return Some(
            ConsentExpiringAction {
                item_id,
                expires_at,
            }
            .into(),
        );
    }
    item.new_accounts
        .then(|| NewAccountsAction { item_id }.into())
}
