//! Logins the provider has made for us and that nobody could be given yet.

use std::time::Duration;

use serde_json::json;

use crate::support::{Person, TestApp};

const EXCHANGE: &str = "/item/public_token/exchange";
const SWEEP: &str = "linking.sweep";

/// An exchange that came through at the bank and could not be stored here.
async fn exchanged(app: &TestApp, ana: &Person) -> String {
    let webhook = format!("{}/webhooks/plaid", app.url);
    let token = app.bank.public_token("user_good", &webhook).await;
    app.meddle("ALTER TABLE sync_jobs RENAME TO elsewhere")
        .await;
    let offer =
        "mutation($t: String!) { exchangePublicToken(input: {publicToken: $t}) { item { id } } }";
    let failed = ana.error(offer, json!({"t": token})).await;
    assert_eq!(failed, "INTERNAL_SERVER_ERROR");
    token
}

#[tokio::test]
async fn an_exchange_that_could_not_be_stored_goes_on_at_the_next_offer() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let token = exchanged(&app, &ana).await;
    app.meddle("ALTER TABLE elsewhere RENAME TO sync_jobs")
        .await;

    let linked = ana.exchange(&token).await;
    assert!(linked["item"].is_object(), "{linked}");
    ana.quiet().await;
    assert!(!ana.transactions().await.is_empty());
    assert_eq!(app.bank.calls(EXCHANGE).await.len(), 1);
    let stranger = app.person("bob").await.exchange(&token).await;
    assert_eq!(stranger["userErrors"][0]["code"], "PUBLIC_TOKEN_INVALID");
}

#[tokio::test]
async fn an_exchange_nobody_asks_for_again_is_stored_by_the_server_itself() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let token = exchanged(&app, &ana).await;
    app.meddle("ALTER TABLE elsewhere RENAME TO sync_jobs")
        .await;
    let app = app.crash().await;
    let items = "subscription { itemUpdated { item { id } } }";
    let mut items = ana.watch(items, json!({})).await;

    app.passes(Duration::from_mins(11), SWEEP).await;
    let told = items.next().await["itemUpdated"]["item"].take();
    ana.quiet().await;
    assert_eq!(ana.exchange(&token).await["item"], told);
    assert!(!ana.transactions().await.is_empty());
    assert_eq!(app.bank.calls(EXCHANGE).await.len(), 1);
}

#[tokio::test]
async fn a_login_that_can_never_be_stored_is_given_up_at_the_bank() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let token = exchanged(&app, &ana).await;
    app.passes(Duration::from_mins(11), SWEEP).await;
    app.idle().await;
    assert_eq!(app.bank.items().await[0]["removed"], true);
    app.meddle("ALTER TABLE elsewhere RENAME TO sync_jobs")
        .await;

    let again = ana.exchange(&token).await;
    assert_eq!(
        again["userErrors"][0]["code"], "PUBLIC_TOKEN_INVALID",
        "{again}"
    );
    let items = ana.ask("{ items { nodes { id } } }", json!({})).await;
    assert_eq!(items["items"]["nodes"], json!([]));
    let kept = "SELECT count(*) FROM items WHERE length(access_token) > 0";
    assert_eq!(app.count(kept).await, 0);
}

#[tokio::test]
async fn a_login_that_cannot_even_be_kept_is_given_up_at_once() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let webhook = format!("{}/webhooks/plaid", app.url);
    let token = app.bank.public_token("user_good", &webhook).await;
    let slow = json!({"kind": "latency", "ms": 1000, "endpoint": EXCHANGE});
    app.bank.faults(json!([slow])).await;
    let break_off = async {
        app.until("exchanges", "started_at IS NOT NULL").await;
        app.meddle("ALTER TABLE exchanges RENAME TO elsewhere")
            .await;
    };
    let offer =
        "mutation($t: String!) { exchangePublicToken(input: {publicToken: $t}) { item { id } } }";
    let (failed, ()) = tokio::join!(ana.error(offer, json!({"t": token})), break_off);
    assert_eq!(failed, "INTERNAL_SERVER_ERROR");
    assert_eq!(app.bank.items().await[0]["removed"], true);
    let items = ana.ask("{ items { nodes { id } } }", json!({})).await;
    assert_eq!(items["items"]["nodes"], json!([]));
}
