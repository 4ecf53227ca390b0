//! Plaid. `client` makes a call, `errors` says what a refusal means, `wire` has the fields; `link`,
//! `accounts` and `transactions` turn them into ours, and `lenient` reads what banks send. What Plaid
//! sends by itself is proved by `webhook` with `keys`, asked for within `allowance`, and read by
//! `notice`.
//!
//! Promises beyond those of every provider: one bad row costs no other; a token appears in no error
//! and no log, even if Plaid echoes it; a webhook is believed only under Plaid's own signature.
//! Refused: a generated client (amounts as floats, closed enums that fail on tomorrow's value), and
//! `/transactions/get` (no cursor, no removals).

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use axum::http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use self::{
    client::{Client, Endpoint},
    errors::PlaidError,
    keys::Keys,
};
use super::{
    Account, Delivery, Institution, ItemState, LinkRequest, LinkResult, LinkToken, Linked, Page,
    Provider, TokenExchange, WebhookRefusal, http::unanswered, lenient,
};
use crate::{
    clock::Clock,
    config::PlaidEnv,
    error::{Error, ErrorClass, ProviderError, Result},
    metrics::Metrics,
};

mod accounts;
mod allowance;
mod client;
mod errors;
mod keys;
mod link;
mod notice;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod tests;
mod transactions;
mod webhook;
mod wire;

const LINK_TOKEN_CREATE: Endpoint = Endpoint::new("/link/token/create");
const LINK_TOKEN_GET: Endpoint = Endpoint::new("/link/token/get");
/// Long, because an answer that is given up may have made an item that nobody knows of.
const EXCHANGE: Endpoint = Endpoint::within("/item/public_token/exchange", 60);
const ITEM_GET: Endpoint = Endpoint::new("/item/get");
const ITEM_WEBHOOK_UPDATE: Endpoint = Endpoint::new("/item/webhook/update");
const ITEM_REMOVE: Endpoint = Endpoint::new("/item/remove");
const INSTITUTION_GET: Endpoint = Endpoint::new("/institutions/get_by_id");
/// Answers from Plaid's cache; the long time-out is for the banks that are asked all the same.
const ACCOUNTS_GET: Endpoint = Endpoint::within("/accounts/get", 60);
const TRANSACTIONS_SYNC: Endpoint = Endpoint::new("/transactions/sync");

/// Where banks may be. In production Link shows only the countries that the Plaid account is approved
/// for. <https://plaid.com/docs/api/link/#link-token-create-request-country-codes>
const COUNTRIES: [&str; 2] = ["US", "CA"];

/// Rows in a page: the most there may be. Fewer pages meet fewer changes between them.
const PAGE_SIZE: u16 = 500;

/// Longest name that Link shows; for a longer one it says "This Application".
const CLIENT_NAME_MAX: usize = 30;

/// Largest logo that is kept, in base64: Plaid's are 152 pixels square.
const LOGO_MAX: usize = 256 * 1024;

/// How to reach Plaid.
pub struct PlaidSettings {
    /// Which environment it is.
    pub env: PlaidEnv,
    /// Where the environment is, such as `https://production.plaid.com`.
    pub base_url: String,
    /// Whose account at Plaid this is.
    pub client_id: SecretString,
    /// The account's secret in this environment.
    pub secret: SecretString,
    /// What Link calls us, at most 30 characters.
    pub client_name: String,
}

impl fmt::Debug for PlaidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlaidSettings({})", self.base_url)
    }
}

/// One environment of Plaid's; items, tokens and webhook keys never cross to another.
pub struct Plaid {
    client: Arc<Client>,
    keys: Keys,
    clock: Clock,
    env: PlaidEnv,
    client_name: String,
}

impl fmt::Debug for Plaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaid")
    }
}

impl Plaid {
    /// Prepares calls. Connects to nothing yet.
    pub fn new(settings: PlaidSettings, clock: Clock, metrics: Metrics) -> Result<Self> {
        let length = settings.client_name.chars().count();
        if !(1..=CLIENT_NAME_MAX).contains(&length) {
            return Err(Error::internal(
                "Plaid takes a client name of 1 to 30 characters",
            ));
        }
        let client = Client::new(
            &settings.base_url,
            &settings.client_id,
            settings.secret,
            clock.clone(),
            metrics,
        )?;
        let client = Arc::new(client);
        Ok(Self {
            keys: Keys::new(client.clone(), clock.clone()),
            client,
            clock,
            env: settings.env,
            client_name: settings.client_name,
        })
    }

    /// Whether a token was issued in our environment: they read `access-<environment>-…`.
    /// <https://plaid.com/docs/api/#api-keys-and-tokens>
    fn issued(&self, access_token: &SecretString) -> bool {
        let prefix = match self.env {
            PlaidEnv::Local | PlaidEnv::Sandbox => "access-sandbox-",
            PlaidEnv::Production => "access-production-",
        };
        access_token.expose_secret().starts_with(prefix)
    }
}

#[async_trait]
impl Provider for Plaid {
    async fn create_link_token(&self, request: &LinkRequest) -> Result<LinkToken, ProviderError> {
        let request = link::request(&self.client_name, request);
        let answer = self.client.post(LINK_TOKEN_CREATE, &request).await?;
        let created: wire::LinkTokenCreated = answer.read()?;
        Ok(LinkToken {
            expiration: lenient::moment(&created.expiration)
                .ok_or_else(|| unanswered("malformed", "the link token's expiration is no time"))?,
            link_token: Some(created.link_token.into()),
            hosted_link_url: created.hosted_link_url.0.map(SecretString::from),
        })
    }

    async fn item(&self, access_token: &SecretString) -> Result<ItemState, ProviderError> {
        let answer = self.client.post(ITEM_GET, &of_item(access_token)).await?;
        let item = answer.read::<wire::ItemGot<'_>>()?.item;
        let fault = item
            .error
            .and_then(|error| PlaidError::parse(error.get()))
            .map(|error| error.classed(false));
        Ok(ItemState {
            fault,
            institution_id: item.institution_id.0,
            consent_expires_at: lenient::moment(item.consent_expiration_time.as_str()),
            webhook: item.webhook.0,
            ..ItemState::default()
        })
    }

    async fn institution(&self, institution_id: &str) -> Result<Institution, ProviderError> {
        let request = wire::InstitutionGet {
            institution_id,
            country_codes: &COUNTRIES,
            options: wire::InstitutionOptions {
                include_optional_metadata: true,
            },
        };
        let answer = self.client.post(INSTITUTION_GET, &request).await?;
        let bank = answer.read::<wire::InstitutionGot>()?.institution;
        Ok(Institution {
            institution_id: bank.id,
            name: lenient::clean(&bank.name).unwrap_or_default(),
            url: bank.url.0,
            primary_color: bank.primary_color.0,
            logo_url: None,
            logo: bank
                .logo
                .filter(|logo| !logo.is_empty() && logo.len() <= LOGO_MAX),
            oauth: bank.oauth,
        })
    }

    async fn accounts(&self, access_token: &SecretString) -> Result<Vec<Account>, ProviderError> {
        let answer = self
            .client
            .post(ACCOUNTS_GET, &of_item(access_token))
            .await?;
        let rows = answer.read::<wire::AccountsGot<'_>>()?.accounts;
        let accounts: Vec<Account> = rows.iter().copied().filter_map(accounts::account).collect();
        if accounts.len() < rows.len() {
            let left_out = rows.len() - accounts.len();
            tracing::warn!(
                left_out,
                "Left out accounts of Plaid's that have no identifier"
            );
        }
        Ok(accounts)
    }

    async fn changes(
        &self,
        access_token: &SecretString,
        cursor: Option<&str>,
    ) -> Result<Page, ProviderError> {
        let request = wire::TransactionsSync {
            access_token: access_token.expose_secret(),
            cursor: cursor.filter(|cursor| !cursor.is_empty()),
            count: PAGE_SIZE,
        };
        let answer = self.client.post(TRANSACTIONS_SYNC, &request).await;
        let answer = answer.map_err(|error| blame_cursor(error, request.cursor))?;
        transactions::page(answer.read()?)
    }

    async fn update_webhook(
        &self,
        access_token: &SecretString,
        url: &str,
    ) -> Result<(), ProviderError> {
        let request = wire::WebhookUpdate {
            access_token: access_token.expose_secret(),
            webhook: url,
        };
        self.client.post(ITEM_WEBHOOK_UPDATE, &request).await?;
        Ok(())
    }

    async fn remove(&self, access_token: &SecretString) -> Result<(), ProviderError> {
        match self.client.post(ITEM_REMOVE, &of_item(access_token)).await {
            Err(error) if !errors::is_removed(&error, self.issued(access_token)) => Err(error),
            _ => Ok(()),
        }
    }

    async fn verify_webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Delivery, WebhookRefusal> {
        webhook::verify(&self.keys, self.clock.now(), headers, body).await
    }

    fn read_webhook(&self, body: &[u8]) -> Result<Delivery, WebhookRefusal> {
        notice::read(String::new(), body)
    }

    fn token_exchange(&self) -> Option<&dyn TokenExchange> {
        Some(self)
    }
}

#[async_trait]
impl TokenExchange for Plaid {
    async fn link_results(
        &self,
        link_token: &SecretString,
    ) -> Result<Vec<LinkResult>, ProviderError> {
        let request = wire::LinkTokenGet {
            link_token: link_token.expose_secret(),
        };
        let answer = self.client.post(LINK_TOKEN_GET, &request).await?;
        let state: wire::LinkTokenState = answer.read()?;
        Ok(state
            .link_sessions
            .into_iter()
            .flat_map(link::banks)
            .collect())
    }

    async fn exchange(&self, public_token: &SecretString) -> Result<Linked, ProviderError> {
        let request = wire::PublicTokenExchange {
            public_token: public_token.expose_secret(),
        };
        let mut answer = self.client.post(EXCHANGE, &request).await;
        // Plaid may have made the item although its answer was lost, and does not say what asking
        // again does then. Once more is the only way to still get it.
        if answer.as_ref().is_err_and(errors::is_lost) {
            answer = self.client.post(EXCHANGE, &request).await;
        }
        let exchanged: wire::Exchanged = answer?.read()?;
        Ok(Linked {
            provider_item_id: exchanged.item_id,
            access_token: exchanged.access_token,
        })
    }
}

fn of_item(access_token: &SecretString) -> wire::OfItem<'_> {
    wire::OfItem {
        access_token: access_token.expose_secret(),
    }
}

/// Of the fields of `/transactions/sync` only the cursor differs from call to call. If one is refused
/// while a cursor was sent, the cursor is another item's or damaged; should it be another field after
/// all, the call without a cursor fails as our bug.
fn blame_cursor(error: ProviderError, cursor: Option<&str>) -> ProviderError {
    match cursor {
        Some(_) if error.code == "INVALID_FIELD" => ProviderError {
            class: ErrorClass::ResetCursor,
            ..error
        },
        _ => error,
    }
}
