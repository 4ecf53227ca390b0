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
    errors::{PlaidError, unanswered},
    keys::Keys,
};
use super::{
    Account, Delivery, Institution, ItemState, LinkRequest, LinkResult, LinkToken, Linked, Page,
    Provider, WebhookRefusal,
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
mod lenient;
mod link;
mod notice;
#[cfg(test)]
mod stub;
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
            link_token: created.link_token.into(),
            hosted_link_url: created.hosted_link_url.0.map(SecretString::from),
        })
    }

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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::body::Body;
    use futures_util::stream;
    use serde_json::{Value, json};

    use super::{
        stub::{Stub, response},
        *,
    };

    fn token() -> SecretString {
        "access-sandbox-1".into()
    }

    #[tokio::test]
    async fn a_lost_exchange_is_asked_for_once_more_and_a_refused_one_is_not() {
        for (losses, status, calls) in [(1, 200, 2), (2, 200, 2), (0, 400, 1), (1, 400, 2)] {
            let asked = Arc::new(AtomicUsize::new(0));
            let stub = Stub::answering(move |_, _| {
                let turn = asked.fetch_add(1, Ordering::Relaxed);
                async move {
                    let cut = stream::iter([Err::<&str, _>(std::io::Error::other("cut"))]);
                    match status {
                        _ if turn < losses => response(200, Body::from_stream(cut)),
                        200 => {
                            response(200, r#"{"access_token":"access-sandbox-1","item_id":"i1"}"#)
                        }
                        _ => response(
                            400,
                            r#"{"error_type":"INVALID_INPUT","error_code":"INVALID_PUBLIC_TOKEN"}"#,
                        ),
                    }
                }
            });
            let stub = stub.await;
            let linked = stub.plaid(&Clock::default()).exchange(&"p1".into()).await;
            assert_eq!(stub.calls().len(), calls);
            match linked {
                Ok(linked) => assert_eq!((losses, linked.provider_item_id.as_str()), (1, "i1")),
                Err(error) if status == 400 => assert_eq!(error.class, ErrorClass::Token),
                Err(error) => assert!(losses == 2 && errors::is_lost(&error)),
            }
        }
    }

    #[tokio::test]
    async fn a_call_that_succeeds_can_report_a_fault() {
        let stub = Stub::saying(
            200,
            r#"{"item":{"item_id":"i1","institution_id":"ins_1","webhook":"","consent_expiration_time":
                "2026-03-01T00:00:00Z","error":{"error_type":"ITEM_ERROR","error_code":"ITEM_LOGIN_REQUIRED",
                "error_message":"m","display_message":"Sign in again"}},"status":null,"request_id":"r"}"#,
        );
        let state = stub
            .await
            .plaid(&Clock::default())
            .item(&token())
            .await
            .unwrap();
        let fault = state.fault.unwrap();
        assert_eq!(
            (fault.class, fault.display_message.as_deref()),
            (ErrorClass::Login, Some("Sign in again"))
        );
        assert_eq!(
            (state.institution_id.as_deref(), state.webhook),
            (Some("ins_1"), None)
        );
        assert!(state.consent_expires_at.is_some());
        let stub = Stub::saying(200, r#"{"item":{"item_id":"i1","error":null}}"#).await;
        let state = stub.plaid(&Clock::default()).item(&token()).await.unwrap();
        assert!(state.fault.is_none() && state.consent_expires_at.is_none());
    }

    #[tokio::test]
    async fn a_bank_is_read_with_its_looks() {
        let stub = Stub::saying(
            200,
            r##"{"institution":{"institution_id":"ins_1","name":"First\u0000 Bank","oauth":true,"url":null,
                "primary_color":"#1f1f1f","logo":"iVBOR","products":[],"country_codes":["US"]}}"##,
        );
        let stub = stub.await;
        let bank = stub
            .plaid(&Clock::default())
            .institution("ins_1")
            .await
            .unwrap();
        assert_eq!((bank.name.as_str(), bank.oauth), ("First Bank", true));
        assert_eq!((bank.url, bank.logo.as_deref()), (None, Some("iVBOR")));
        let asked = &stub.calls()[0].2;
        assert_eq!(asked["options"], json!({"include_optional_metadata": true}));
    }

    #[tokio::test]
    async fn one_bad_account_costs_no_other() {
        let stub = Stub::saying(
            200,
            r#"{"accounts":[{"account_id":"a1","name":"A"},7],"item":{}}"#,
        )
        .await;
        let accounts = stub
            .plaid(&Clock::default())
            .accounts(&token())
            .await
            .unwrap();
        assert_eq!(accounts.len(), 1);
        let stub = Stub::saying(200, r#"{"accounts":null}"#).await;
        let error = stub
            .plaid(&Clock::default())
            .accounts(&token())
            .await
            .unwrap_err();
        assert_eq!(error.code, "malformed");
    }

    #[tokio::test]
    async fn the_first_page_is_asked_for_without_a_cursor() {
        let page = r#"{"added":[],"modified":[],"removed":[],"next_cursor":"","has_more":false,"accounts":[]}"#;
        for (cursor, expected) in [
            (None, Value::Null),
            (Some(""), Value::Null),
            (Some("c1"), "c1".into()),
        ] {
            let stub = Stub::saying(200, page).await;
            let page = stub
                .plaid(&Clock::default())
                .changes(&token(), cursor)
                .await
                .unwrap();
            assert_eq!(page.next_cursor, None);
            let asked = &stub.calls()[0].2;
            assert_eq!(
                (&asked["cursor"], &asked["count"]),
                (&expected, &500.into())
            );
            assert_eq!(asked.get("cursor").is_some(), !expected.is_null());
        }
    }

    #[tokio::test]
    async fn half_a_page_is_no_page() {
        for page in [
            r#"{"added":[],"modified":[],"removed":[],"next_cursor":null,"has_more":false}"#,
            r#"{"added":[],"modified":[],"next_cursor":"c","has_more":false}"#,
            r#"{"added":null,"modified":[],"removed":[],"next_cursor":"c","has_more":false}"#,
            r#"{"added":[],"modified":[],"removed":[],"next_cursor":"c","has_more":"no"}"#,
            r#"{"added":[NaN],"modified":[],"removed":[],"next_cursor":"c","has_more":false}"#,
        ] {
            let stub = Stub::saying(200, page).await;
            let error = stub
                .plaid(&Clock::default())
                .changes(&token(), None)
                .await
                .unwrap_err();
            assert_eq!(
                (error.code.as_str(), error.class),
                ("malformed", ErrorClass::Retry(None))
            );
        }
    }

    #[tokio::test]
    async fn a_refused_field_is_the_cursors_fault_if_there_was_one() {
        let body = r#"{"error_type":"INVALID_REQUEST","error_code":"INVALID_FIELD",
                       "error_message":"cursor not associated with access_token"}"#;
        let stub = Stub::saying(400, body).await;
        let plaid = stub.plaid(&Clock::default());
        for (cursor, class) in [
            (Some("c1"), ErrorClass::ResetCursor),
            (None, ErrorClass::Bug),
        ] {
            assert_eq!(
                plaid.changes(&token(), cursor).await.unwrap_err().class,
                class
            );
        }
    }

    #[tokio::test]
    async fn what_is_gone_already_is_removed() {
        let body = |code: &str| format!(r#"{{"error_type":"ITEM_ERROR","error_code":"{code}"}}"#);
        for (body, gone, gone_elsewhere) in [
            (body("ITEM_NOT_FOUND"), true, true),
            (body("ITEM_CONCURRENTLY_DELETED"), true, true),
            (body("INVALID_ACCESS_TOKEN"), true, false),
            (body("INVALID_API_KEYS"), false, false),
            (body("USER_PERMISSION_REVOKED"), false, false),
            (body("INTERNAL_SERVER_ERROR"), false, false),
            ("<html>".to_owned(), false, false),
        ] {
            let said = body.clone();
            let stub = Stub::answering(move |_, _| {
                let said = said.clone();
                async move { response(400, said) }
            });
            let plaid = stub.await.plaid(&Clock::default());
            for (token, gone) in [
                (token(), gone),
                ("access-production-1".into(), gone_elsewhere),
            ] {
                assert_eq!(plaid.remove(&token).await.is_ok(), gone, "{body}");
            }
        }
        let stub = Stub::saying(200, r#"{"request_id":"r"}"#).await;
        assert!(stub.plaid(&Clock::default()).remove(&token()).await.is_ok());
    }

    #[tokio::test]
    async fn nothing_shows_the_credentials() {
        let stub = Stub::saying(200, "{}").await;
        assert_eq!(format!("{:?}", stub.plaid(&Clock::default())), "Plaid");
    }
}
