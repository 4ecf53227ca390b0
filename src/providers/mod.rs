//! The outside: banks, reached through a provider, and exchange rates (`rates`). A provider's words, signs and error codes stop
//! here; above this room everybody speaks the types below.
//!
//! Promises of every implementation: one call is one HTTP exchange with its own time-out; no secret
//! enters an error or a log; amounts are exact and carry our sign (negative leaves the account);
//! values the provider adds tomorrow do not break today's decoder.

use async_trait::async_trait;
use axum::http::HeaderMap;
use chrono::{DateTime, NaiveDate, Utc};
pub use entity::{account::AccountKind, item::Provider as ProviderKind};
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::error::ProviderError;

pub mod alphavantage;
pub mod plaid;
pub mod rates;

/// A way to reach banks.
#[async_trait]
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// Begins a link session for a person, or the repair of an item.
    async fn create_link_token(&self, request: &LinkRequest) -> Result<LinkToken, ProviderError>;

    /// What came of a link session so far: the banks the person finished.
    async fn link_results(
        &self,
        link_token: &SecretString,
    ) -> Result<Vec<LinkResult>, ProviderError>;

    /// Turns the public token of a finished session into an item. Not repeatable at every provider.
    async fn exchange(&self, public_token: &SecretString) -> Result<Linked, ProviderError>;

    /// How an item stands.
    async fn item(&self, access_token: &SecretString) -> Result<ItemState, ProviderError>;

    /// A bank by the provider's id.
    async fn institution(&self, institution_id: &str) -> Result<Institution, ProviderError>;

    /// The open accounts of an item with their balances.
    async fn accounts(&self, access_token: &SecretString) -> Result<Vec<Account>, ProviderError>;

    /// One page of what changed since a cursor; no cursor means from the beginning.
    async fn changes(
        &self,
        access_token: &SecretString,
        cursor: Option<&str>,
    ) -> Result<Page, ProviderError>;

    /// Changes where the provider sends webhooks about an item.
    async fn update_webhook(
        &self,
        access_token: &SecretString,
        url: &str,
    ) -> Result<(), ProviderError>;

    /// Gives an item up at the provider. Removing what is gone already succeeds; what is only unknown,
    /// as every item is to another environment, is not gone.
    async fn remove(&self, access_token: &SecretString) -> Result<(), ProviderError>;

    /// Checks that a webhook is the provider's own and says what it means.
    async fn verify_webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Delivery, WebhookRefusal>;

    /// Reads again a body that was verified when it came.
    fn read_webhook(&self, body: &[u8]) -> Result<Delivery, WebhookRefusal>;
}

/// What a link session is for.
#[derive(Debug, Default)]
pub struct LinkRequest {
    /// An opaque name of the person, without personal data.
    pub client_user_id: String,
    /// The item to repair; absent for a new link.
    pub access_token: Option<SecretString>,
    /// Whether a repair lets the person choose accounts anew.
    pub account_selection: bool,
    /// Where a bank's own sign-in page returns to.
    pub redirect_uri: Option<String>,
    /// Where the hosted page returns to.
    pub completion_redirect_uri: Option<String>,
    /// Where the provider sends webhooks.
    pub webhook: Option<String>,
}

/// A link session that was begun.
#[derive(Debug)]
pub struct LinkToken {
    /// What opens the provider's Link.
    pub link_token: SecretString,
    /// The provider's own page for it; whoever has the address is the person.
    pub hosted_link_url: Option<SecretString>,
    /// After this the token is dead.
    pub expiration: DateTime<Utc>,
}

/// One bank a person finished linking, not exchanged yet.
#[derive(Debug)]
pub struct LinkResult {
    /// What is exchanged.
    pub public_token: SecretString,
    /// The bank.
    pub institution_id: Option<String>,
    /// The accounts that were shared.
    pub accounts: Vec<LinkedAccount>,
}

/// Enough of an account to tell whether we have it already.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LinkedAccount {
    /// Name for people.
    pub name: String,
    /// The last few characters of its number.
    pub mask: Option<String>,
}

/// An item the provider has made for us.
#[derive(Debug)]
pub struct Linked {
    /// The provider's id of it.
    pub provider_item_id: String,
    /// What opens it.
    pub access_token: SecretString,
}

/// How an item stands at the provider.
#[derive(Debug, Default)]
pub struct ItemState {
    /// The bank.
    pub institution_id: Option<String>,
    /// What is wrong with the login, if anything: a call that succeeded can still report it.
    pub fault: Option<ProviderError>,
    /// When the person's consent ends, where it does.
    pub consent_expires_at: Option<DateTime<Utc>>,
    /// Where the provider sends webhooks about it.
    pub webhook: Option<String>,
}

/// A bank.
#[derive(Debug)]
pub struct Institution {
    /// The provider's id of it.
    pub institution_id: String,
    /// Name for people.
    pub name: String,
    /// Home page.
    pub url: Option<String>,
    /// Brand colour, `#rrggbb`.
    pub primary_color: Option<String>,
    /// PNG, base64.
    pub logo: Option<String>,
    /// Whether people sign in on the bank's own pages.
    pub oauth: bool,
}

/// An account as the provider reports it.
#[derive(Clone, Debug)]
pub struct Account {
    /// The provider's id of it.
    pub provider_account_id: String,
    /// Name for people.
    pub name: String,
    /// The bank's own name for it.
    pub official_name: Option<String>,
    /// The last few characters of its number.
    pub mask: Option<String>,
    /// What sort of account it is.
    pub kind: AccountKind,
    /// Finer sort, in the provider's words.
    pub subtype: Option<String>,
    /// Currency of the balances.
    pub currency: Option<String>,
    /// Current balance: money held, or money owed for credit and loans.
    pub current: Option<Decimal>,
    /// What can be spent now.
    pub available: Option<Decimal>,
    /// Credit limit or overdraft.
    pub limit: Option<Decimal>,
    /// When the bank told these balances, where the provider says so.
    pub balances_at: Option<DateTime<Utc>>,
}

/// A transaction as the provider reports it, with our sign.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The provider's id of it; another one while pending than when posted.
    pub provider_transaction_id: String,
    /// The id it had while it was pending, if the provider names it.
    pub provider_pending_id: Option<String>,
    /// The account it is in.
    pub provider_account_id: String,
    /// Signed amount: negative leaves the account.
    pub amount: Decimal,
    /// Currency code.
    pub currency: String,
    /// The day it counts for.
    pub date: NaiveDate,
    /// The day the person made it.
    pub authorized_date: Option<NaiveDate>,
    /// The moment, where the bank tells it.
    pub datetime: Option<DateTime<Utc>>,
    /// The bank's text.
    pub name: String,
    /// The merchant, cleaned up.
    pub merchant_name: Option<String>,
    /// Broad category.
    pub category_primary: Option<String>,
    /// Fine category.
    pub category_detailed: Option<String>,
    /// Whether it may still change or vanish.
    pub pending: bool,
    /// How it was paid.
    pub payment_channel: Option<String>,
    /// Where it happened, as JSON text with the keys of `graphql::transaction::Location`; absent if nothing is known.
    pub location: Option<String>,
    /// Who else took part, as JSON text, a list with the keys of `graphql::transaction::Counterparty`; absent if nobody.
    pub counterparties: Option<String>,
}

/// One page of changes.
#[derive(Debug)]
pub struct Page {
    /// New and changed transactions, in the provider's order.
    pub upserts: Vec<Transaction>,
    /// The provider's ids of those that are gone.
    pub removed: Vec<String>,
    /// Rows the provider sent that cannot be true (no id, no amount, no date): left out and counted.
    pub rejected: u32,
    /// Where the next page begins; absent while the provider has nothing yet.
    pub next_cursor: Option<String>,
    /// Whether more pages follow in this round.
    pub has_more: bool,
    /// How far the provider is.
    pub readiness: Readiness,
}

/// How far the provider is with an item's transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Nothing yet.
    NotReady,
    /// Recent transactions are there, history is not.
    Recent,
    /// Everything the provider will have is there.
    Complete,
}

/// A webhook that is genuine.
#[derive(Debug)]
pub struct Delivery {
    /// Hash of what makes this delivery one of a kind: an exact replay has the same.
    pub delivery_key: String,
    /// `TYPE.CODE`, for the log and the inbox.
    pub code: String,
    /// What it is about.
    pub subject: Subject,
    /// What it means for us.
    pub notice: Notice,
}

/// What a webhook is about.
#[derive(Debug)]
pub enum Subject {
    /// An item, by the provider's id.
    Item(String),
    /// A link session, by its token.
    Link(SecretString),
    /// Nothing we keep.
    Nothing,
}

/// What a webhook means. It says where to look, and carries only what the provider tells nowhere else.
#[derive(Debug)]
pub enum Notice {
    /// There is news, or the login changed: read the item again.
    Look,
    /// The login works again.
    Repaired,
    /// The person must renew consent by then, if a date is told.
    ConsentExpires(Option<DateTime<Utc>>),
    /// The bank has accounts that are not shared yet.
    NewAccounts,
    /// One account is not shared any more, by the provider's id.
    AccountRevoked(String),
    /// A hosted link session ended with these public tokens.
    SessionFinished(Vec<SecretString>),
    /// Nothing to do.
    Ignore,
}

/// Why a webhook is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefusal {
    /// Not the provider's own; the word is for the log. HTTP 401.
    #[error("forged: {0}")]
    Forged(&'static str),
    /// Genuine, but not what a webhook looks like. HTTP 400.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// It cannot be checked now; the provider should send it again. HTTP 503.
    #[error("cannot be checked now")]
    Unverifiable,
}
