//! Link: what a session is begun with, and what comes of it. Plaid's own page is always asked for, so
//! that a client without a page of its own can link too. <https://plaid.com/docs/api/link/>

use secrecy::{ExposeSecret, SecretString};

use super::{COUNTRIES, wire};
use crate::providers::{LinkRequest, LinkResult, LinkedAccount};

/// What every item is linked for.
const PRODUCTS: [&str; 1] = ["transactions"];

/// Two years, the most there is. It cannot be raised once an item is linked, and the default is 90.
/// <https://plaid.com/docs/api/link/#link-token-create-request-transactions-days-requested>
const DAYS_REQUESTED: u16 = 730;

/// The language of Link's pages.
const LANGUAGE: &str = "en";

/// `/link/token/create` for a new bank, or for the repair of one: then Plaid wants no products.
/// <https://plaid.com/docs/link/update-mode/>
pub(super) fn request<'a>(
    client_name: &'a str,
    request: &'a LinkRequest,
) -> wire::LinkTokenCreate<'a> {
    let access_token = request.access_token.as_ref();
    let is_new = access_token.is_none();
    wire::LinkTokenCreate {
        client_name,
        language: LANGUAGE,
        country_codes: &COUNTRIES,
        user: wire::LinkUser {
            client_user_id: &request.client_user_id,
        },
        products: is_new.then_some(&PRODUCTS[..]),
        transactions: is_new.then_some(wire::LinkTransactions {
            days_requested: DAYS_REQUESTED,
        }),
        webhook: request.webhook.as_deref(),
        access_token: access_token.map(ExposeSecret::expose_secret),
        update: (!is_new && request.account_selection).then_some(wire::LinkUpdate {
            account_selection_enabled: true,
        }),
        redirect_uri: request.redirect_uri.as_deref(),
        hosted_link: wire::HostedLink {
            completion_redirect_uri: request.completion_redirect_uri.as_deref(),
        },
    }
}

/// The banks of a session. Older Plaid accounts are told only the last one, in another place.
pub(super) fn banks(session: wire::LinkSession) -> Vec<LinkResult> {
    let results = session.results.map(|results| results.item_add_results);
    let mut banks: Vec<LinkResult> = results.into_iter().flatten().map(bank).collect();
    let known = |token: &SecretString| {
        let token = token.expose_secret();
        token.is_empty()
            || banks
                .iter()
                .any(|bank| bank.public_token.expose_secret() == token)
    };
    if let Some(success) = session.on_success.filter(|s| !known(&s.public_token)) {
        let metadata = success.metadata.unwrap_or_default();
        banks.push(bank(wire::ItemAdded {
            public_token: success.public_token,
            institution: metadata.institution,
            accounts: metadata.accounts,
        }));
    }
    banks
}

fn bank(added: wire::ItemAdded) -> LinkResult {
    let accounts = added.accounts.into_iter().map(|account| LinkedAccount {
        name: account.name.0.unwrap_or_default(),
        mask: account.mask.0,
    });
    LinkResult {
        public_token: added.public_token,
        institution_id: added.institution.and_then(|bank| bank.institution_id.0),
        accounts: accounts.collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::stub::Stub, *};
    use crate::{
        clock::Clock,
        providers::{Provider, TokenExchange},
    };

    const CREATED: &str = r#"{"link_token":"link-sandbox-1","expiration":"2026-01-05T10:00:00Z",
                              "hosted_link_url":"https://hosted","request_id":"r"}"#;

    /// What Plaid is asked when a link token is made of this request.
    async fn link_request(request: LinkRequest) -> Value {
        let stub = Stub::saying(200, CREATED).await;
        let link = stub
            .plaid(&Clock::default())
            .create_link_token(&request)
            .await;
        let link = link.unwrap();
        let hosted = link.hosted_link_url.unwrap();
        assert_eq!(hosted.expose_secret(), "https://hosted");
        assert_eq!(link.expiration.to_rfc3339(), "2026-01-05T10:00:00+00:00");
        stub.calls().remove(0).2
    }

    #[tokio::test]
    async fn a_new_link_asks_for_transactions_and_a_repair_for_no_product() {
        let new = link_request(LinkRequest {
            client_user_id: "u1".into(),
            webhook: Some("https://us/webhooks/plaid".into()),
            completion_redirect_uri: Some("https://spa".into()),
            account_selection: true,
            ..LinkRequest::default()
        });
        assert_eq!(
            new.await,
            json!({"client_name": "Passbook", "language": "en", "country_codes": ["US", "CA"],
                   "user": {"client_user_id": "u1"}, "products": ["transactions"],
                   "transactions": {"days_requested": 730}, "webhook": "https://us/webhooks/plaid",
                   "hosted_link": {"completion_redirect_uri": "https://spa"}})
        );
        let mut repair = LinkRequest {
            client_user_id: "u1".into(),
            access_token: Some("access-sandbox-1".into()),
            redirect_uri: Some("https://spa".into()),
            ..LinkRequest::default()
        };
        let mut expected = json!({"client_name": "Passbook", "language": "en", "country_codes": ["US", "CA"],
                                  "user": {"client_user_id": "u1"}, "access_token": "access-sandbox-1",
                                  "redirect_uri": "https://spa", "hosted_link": {}});
        repair.account_selection = true;
        expected["update"] = json!({"account_selection_enabled": true});
        assert_eq!(link_request(repair).await, expected);
    }

    #[tokio::test]
    async fn the_banks_of_a_session_are_told_once_each() {
        let stub = Stub::saying(
            200,
            r#"{"link_token":"l","link_sessions":[
                {"link_session_id":"s0","results":null,"on_success":null,"exit":{"error":null}},
                {"link_session_id":"s1","results":{"item_add_results":[
                    {"public_token":"p1","institution":{"name":"B","institution_id":"ins_1"},
                     "accounts":[{"id":"a","name":"Checking","mask":"0000","type":"depository"},{"name":null,"mask":null}]},
                    {"public_token":"p2","institution":null,"accounts":[]}]},
                 "on_success":{"public_token":"p2","metadata":{}}},
                {"link_session_id":"s2","on_success":{"public_token":"p3","metadata":
                    {"institution":{"institution_id":"ins_3"},"accounts":[{"name":"Old"}]}}}]}"#,
        );
        let stub = stub.await;
        let banks = stub
            .plaid(&Clock::default())
            .link_results(&"l".into())
            .await
            .unwrap();
        let told = banks.iter().map(|bank| {
            let names: Vec<&str> = bank
                .accounts
                .iter()
                .map(|account| account.name.as_str())
                .collect();
            (
                bank.public_token.expose_secret(),
                bank.institution_id.as_deref(),
                names,
            )
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ("p1", Some("ins_1"), vec!["Checking", ""]),
                ("p2", None, vec![]),
                ("p3", Some("ins_3"), vec!["Old"]),
            ]
        );
        let none = Stub::saying(200, r#"{"link_token":"l","link_sessions":null}"#).await;
        assert!(
            none.plaid(&Clock::default())
                .link_results(&"l".into())
                .await
                .unwrap()
                .is_empty()
        );
    }
}
