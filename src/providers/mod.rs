//! The outside: banks, reached through a provider, exchange rates (`rates`), and who somebody is elsewhere
//! (`oidc`). A provider's words, signs and error codes stop here; above this room everybody speaks the types
//! of `banking`, `link`, `login` and `delivery`.
//!
//! Promises of every implementation: one call is one HTTP exchange with its own time-out; no secret
//! enters an error or a log; amounts are exact and carry our sign (negative leaves the account);
//! values the provider adds tomorrow do not break today's decoder.

use async_trait::async_trait;
use axum::http::HeaderMap;
pub use entity::{account::AccountKind, item::Provider as ProviderKind};
use secrecy::SecretString;

pub use self::{
    banking::{
        Account, INSTITUTIONS_PAGE, Institution, Institutions, Listing, Page, Readiness,
        Transaction,
    },
    delivery::{Delivery, Notice, Subject, WebhookRefusal},
    link::{ItemState, LinkRequest, LinkResult, LinkToken, Linked, LinkedAccount, Progress},
    login::{
        Challenge, ChallengeKind, ChallengeOption, CredentialField, CredentialKind, Login,
        NewLinked, NewLogin, Secret,
    },
};
use crate::error::ProviderError;

pub mod alphavantage;
mod banking;
mod delivery;
mod guard;
mod http;
mod lenient;
mod link;
mod login;
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
