//! The outside: banks, reached through a provider, exchange rates (`rates`), and who somebody is elsewhere (`oidc`). A provider's words, signs and error codes stop
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
mod guard;
mod http;
mod lenient;
pub mod mx;
pub mod oidc;
pub mod plaid;
pub mod rates;

/// ISO 4217's code for no currency, where a bank names none.
pub const NO_CURRENCY: &str = "XXX";

/// A way to reach banks.
#[async_trait]
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// Begins a link session for a person, or the repair of an item.
    async fn create_link_token(&self, request: &LinkRequest) -> Result<LinkToken, ProviderError>;

    /// How an item stands.
    async fn item(&self, access_token: &SecretString) -> Result<ItemState, ProviderError>;

    /// A bank by the provider's id.
    async fn institution(&self, institution_id: &str) -> Result<Institution, ProviderError>;

    /// The accounts of an item with their balances, closed ones too where the provider tells of them.
    async fn accounts(&self, access_token: &SecretString) -> Result<Vec<Account>, ProviderError>;

    /// One page of what changed since a cursor; no cursor means from the beginning.
    async fn changes(
        &self,
        access_token: &SecretString,
        cursor: Option<&str>,
    ) -> Result<Page, ProviderError>;

    /// Changes where the provider sends webhooks about an item. Only for providers that are told so
    /// item by item; see [`crate::app::App::webhook_url`].
    async fn update_webhook(
        &self,
        _access_token: &SecretString,
        _url: &str,
    ) -> Result<(), ProviderError> {
        Ok(())
    }

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

    /// Linking by a token that the provider's own page gives out, where there is that.
    fn token_exchange(&self) -> Option<&dyn TokenExchange> {
        None
    }

    /// Linking by credentials that pass through us, where there is that.
    fn credential_login(&self) -> Option<&dyn CredentialLogin> {
        None
    }
}

/// Linking by public tokens: the provider's page gives one out, and it is exchanged for an item.
#[async_trait]
pub trait TokenExchange: Send + Sync {
    /// What came of a link session so far: the banks the person finished.
    async fn link_results(
        &self,
        link_token: &SecretString,
    ) -> Result<Vec<LinkResult>, ProviderError>;

    /// Turns the public token of a finished session into an item. Not repeatable at every provider.
    async fn exchange(&self, public_token: &SecretString) -> Result<Linked, ProviderError>;
}

/// Linking by credentials: a login is there at once, and the provider signs in after that. How it
/// goes, [`Provider::item`] tells. Credentials and answers are never kept, and in no error.
///
/// What is asked about a person ([`ErrorClass::Gone`](crate::error::ErrorClass::Gone)) who is not known,
/// or only to another environment, is asked again when [`CredentialLogin::user`] has made her known.
#[async_trait]
pub trait CredentialLogin: Send + Sync {
    /// Has the provider know a person by an opaque name of ours; the provider's id of her, the same
    /// however often it is asked.
    async fn user(&self, name: &str) -> Result<String, ProviderError>;

    /// Banks whose names have a text in them, a page of [`INSTITUTIONS_PAGE`] from 1 on.
    async fn institutions(&self, search: &str, page: u32) -> Result<Institutions, ProviderError>;

    /// What a bank asks for when a person signs in, in the order it asks.
    async fn credential_fields(
        &self,
        institution_id: &str,
    ) -> Result<Vec<CredentialField>, ProviderError>;

    /// Makes a login.
    ///
    /// # Errors
    /// [`ErrorClass::Conflict`](crate::error::ErrorClass::Conflict) if there is one of this name, or
    /// of these credentials.
    async fn create(&self, login: &NewLogin) -> Result<NewLinked, ProviderError>;

    /// The logins of a person as they stand, removed ones not among them. What a bank asks is not told here.
    async fn logins(&self, provider_user_id: &str) -> Result<Vec<Login>, ProviderError>;

    /// The bank's own sign-in page for a login that waits for it, and where that returns to. The page
    /// that was given out before is void.
    async fn oauth_window(
        &self,
        access_token: &SecretString,
        redirect_uri: Option<&str>,
    ) -> Result<Option<SecretString>, ProviderError>;

    /// Replaces the credentials of a login and has the provider sign in with them.
    async fn update(
        &self,
        access_token: &SecretString,
        credentials: &[Secret],
    ) -> Result<(), ProviderError>;

    /// Answers what the bank asks.
    async fn answer(
        &self,
        access_token: &SecretString,
        answers: &[Secret],
    ) -> Result<(), ProviderError>;

    /// Has the provider forget a person, with all her logins; one it does not know is forgotten already,
    /// unless only another environment knows her.
    async fn forget(&self, provider_user_id: &str) -> Result<(), ProviderError>;

    /// Has the provider ask the bank for news. It may do nothing, because it has asked lately: then the
    /// login does not become busy.
    async fn refresh(&self, access_token: &SecretString) -> Result<(), ProviderError>;
}

/// Banks in a page of [`CredentialLogin::institutions`].
pub const INSTITUTIONS_PAGE: u32 = 100;

/// A page of banks.
#[derive(Debug, Default)]
pub struct Institutions {
    /// The banks in the provider's order; none in the place of one that cannot be linked.
    pub rows: Vec<Option<Institution>>,
    /// How many there are on all pages, those that cannot be linked among them.
    pub total: u64,
}

/// One thing a bank asks for when a person signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialField {
    /// The provider's id of it.
    pub id: String,
    /// The provider's name of it, such as `LOGIN`.
    pub name: String,
    /// What the person is asked.
    pub label: String,
    /// How it is typed.
    pub kind: CredentialKind,
}

/// How a credential is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// In the open.
    Text,
    /// Hidden.
    Password,
    /// In some other way, in the open if nothing better is known.
    Other,
}

/// A credential or an answer: what it is for, and what the person typed.
#[derive(Debug)]
pub struct Secret {
    /// The provider's id of what was asked.
    pub id: String,
    /// What was typed.
    pub value: SecretString,
}

impl Secret {
    /// A copy, for whoever needs one of his own.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            id: self.id.clone(),
            value: self.value.clone(),
        }
    }
}

/// A login to make.
#[derive(Debug)]
pub struct NewLogin {
    /// The provider's id of the person.
    pub provider_user_id: String,
    /// The bank.
    pub institution_id: String,
    /// Our own name for the login, by which it is found again.
    pub name: String,
    /// What the person typed; nothing where the bank has a sign-in page of its own.
    pub credentials: Vec<Secret>,
    /// Where that page returns to.
    pub redirect_uri: Option<String>,
}

/// A login that was made.
#[derive(Debug)]
pub struct NewLinked {
    /// The login.
    pub linked: Linked,
    /// The bank's own sign-in page, where the person has to go.
    pub oauth_window: Option<SecretString>,
}

/// A login that is there.
#[derive(Debug)]
pub struct Login {
    /// The login.
    pub linked: Linked,
    /// Our own name for it, if we gave it one.
    pub name: Option<String>,
    /// The bank.
    pub institution_id: Option<String>,
    /// How it stands.
    pub state: ItemState,
}

/// A question of a bank's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The provider's id of it.
    pub id: String,
    /// The question.
    pub label: String,
    /// How it is answered.
    pub kind: ChallengeKind,
    /// What may be chosen.
    pub options: Vec<ChallengeOption>,
    /// A picture to look at, a `data:` address.
    pub image: Option<String>,
}

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChallengeKind {
    /// By typing.
    Text,
    /// By choosing.
    Options,
    /// By typing what a picture shows.
    Image,
    /// By choosing a picture.
    ImageOptions,
}

/// One of several answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeOption {
    /// What to answer.
    pub value: String,
    /// What to show.
    pub label: String,
    /// A picture to show, a `data:` address.
    pub image: Option<String>,
}

/// What a link session is for.
#[derive(Clone, Debug, Default)]
pub struct LinkRequest {
    /// An opaque name of the person, without personal data.
    pub client_user_id: String,
    /// The provider's id of the person, where it keeps people apart.
    pub provider_user_id: Option<String>,
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
    /// What opens the provider's Link in an app, where there is such a thing.
    pub link_token: Option<SecretString>,
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
    /// Whether transactions are still to come though something is wrong.
    pub downloading: bool,
    /// When the person's consent ends, where it does.
    pub consent_expires_at: Option<DateTime<Utc>>,
    /// Where the provider sends webhooks about it.
    pub webhook: Option<String>,
    /// What goes on with the login; a login that something goes on with has no fault.
    pub progress: Progress,
    /// What the bank asks, if the fault is that it asks.
    pub challenges: Vec<Challenge>,
}

/// What goes on with a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Nothing: it stands as the rest says.
    #[default]
    Settled,
    /// The provider signs in.
    SigningIn,
    /// The provider should be signing in or collecting, and is not: it may have to be asked.
    Stalled,
    /// The person is expected on the bank's own sign-in page.
    Awaited,
    /// The bank asks something, and what it asks is not told, or not so that it can be answered here.
    Asking,
    /// The provider is in, and collects.
    Collecting,
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
    /// Where its logo is, if the provider tells an address instead.
    pub logo_url: Option<String>,
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
    /// Whether the provider says that it is closed.
    pub closed: bool,
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
    /// Currency code; absent where the provider leaves it to the account.
    pub currency: Option<String>,
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
    /// The provider's ids of those that were left out and have one: they are there all the same.
    pub unreadable: Vec<String>,
    /// Where the next page begins; absent while the provider has nothing yet.
    pub next_cursor: Option<String>,
    /// Whether more pages follow in this round.
    pub has_more: bool,
    /// How far the provider is.
    pub readiness: Readiness,
    /// Which listing this is a page of, where pages have numbers.
    pub listing: Option<Listing>,
}

/// A listing whose pages have numbers. No row is on two of its pages, unless rows have moved between
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Which one of a reading it is.
    pub number: u8,
    /// How many rows it has on all its pages, as the provider says.
    pub entries: u64,
    /// How many rows this page has, as they were sent: one that comes twice counts twice.
    pub rows: u64,
    /// Says that it names every pending transaction since that day, so that one it does not name is
    /// gone.
    pub pending_since: Option<NaiveDate>,
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
    /// Whose item it is about, by the provider's id of the person, if told.
    pub provider_user_id: Option<String>,
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
