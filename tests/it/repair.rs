//! A login that stops working, and what makes it work again.

use serde_json::{Value, json};

use crate::support::{Person, TestApp, Watch};

const ITEM: &str = "subscription($id: ID!) { itemUpdated(itemId: $id) { item { linkStatus \
                    requiredAction { __typename ... on ReauthenticateAction { itemId reason } } } } }";

/// The next state of an item that is so.
async fn becomes(items: &mut Watch, status: &str) -> Value {
    loop {
        let mut event = items.next().await;
        let item = event["itemUpdated"]["item"].take();
        if item["linkStatus"] == status {
            return item;
        }
    }
}

async fn linked(app: &TestApp, ana: &Person) -> (String, String) {
    let item = ana.link(&app.bank, "user_good").await;
    (item, app.bank.item_id().await)
}

#[tokio::test]
async fn a_login_is_repaired_on_the_hosted_page_and_goes_on_where_it_was() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (item, there) = linked(&app, &ana).await;
    let before = ana.transactions().await;
    let mut items = ana.watch(ITEM, json!({"id": item})).await;
    app.bank
        .event(
            &there,
            json!({"event": "error", "code": "ITEM_LOGIN_REQUIRED"}),
        )
        .await;
    let told = becomes(&mut items, "LOGIN_REQUIRED").await;
    let action =
        json!({"__typename": "ReauthenticateAction", "itemId": item, "reason": "LOGIN_REQUIRED"});
    assert_eq!(told["requiredAction"], action);
    assert_eq!(ana.transactions().await, before, "data stays");

    let page = ana.hosted_link(Some(&item)).await;
    app.bank.walk(&page, None, "pass_good").await;
    let told = becomes(&mut items, "SUCCESS").await;
    assert_eq!(told["requiredAction"], Value::Null);
    let jobs = ana.quiet().await;
    assert_eq!(
        (&jobs[0]["trigger"], &jobs[0]["status"]),
        (&json!("REPAIR"), &json!("SUCCEEDED"))
    );
    assert_eq!(
        jobs[0]["progress"]["added"], 0,
        "it went on from its cursor"
    );
    assert_eq!(ana.transactions().await, before);
    assert_eq!(app.bank.calls("/item/public_token/exchange").await.len(), 1);
}

#[tokio::test]
async fn a_repair_that_was_left_has_repaired_nothing() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (item, there) = linked(&app, &ana).await;
    let mut items = ana.watch(ITEM, json!({"id": item})).await;
    items.next().await;
    app.bank
        .event(&there, json!({"event": "pending_expiration"}))
        .await;
    assert_eq!(
        items.next().await["itemUpdated"]["item"]["requiredAction"]["__typename"],
        "ConsentExpiringAction"
    );
    let page = ana.hosted_link(Some(&item)).await;
    app.bank.fill(&page, &[("action", "exit")]).await;
    app.bank.webhooks_settled().await;
    app.idle().await;
    assert_eq!(
        ana.item(&item).await["requiredAction"]["__typename"],
        "ConsentExpiringAction"
    );
    let log = ana.ask("{ activity { nodes { kind } } }", json!({})).await;
    assert!(!log.to_string().contains("ITEM_REPAIRED"), "{log}");
}

#[tokio::test]
async fn a_login_the_bank_mends_by_itself_is_well_again() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (item, there) = linked(&app, &ana).await;
    let mut items = ana.watch(ITEM, json!({"id": item})).await;
    app.bank
        .event(
            &there,
            json!({"event": "error", "code": "ITEM_LOGIN_REQUIRED"}),
        )
        .await;
    becomes(&mut items, "LOGIN_REQUIRED").await;
    app.bank.event(&there, json!({"event": "repair"})).await;
    becomes(&mut items, "SUCCESS").await;
    let mut stranger = app
        .person("bob")
        .await
        .watch(ITEM, json!({"id": item}))
        .await;
    assert_eq!(stranger.message().await["type"], "error");
}

#[tokio::test]
async fn a_repair_nobody_told_us_of_is_found_by_asking_for_a_sync() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (item, there) = linked(&app, &ana).await;
    let mut items = ana.watch(ITEM, json!({"id": item})).await;
    let ending = json!({"event": "pending_disconnect"});
    app.bank.event(&there, ending).await;
    let broken = json!({"event": "error", "code": "ITEM_LOGIN_REQUIRED"});
    app.bank.event(&there, broken).await;
    becomes(&mut items, "LOGIN_REQUIRED").await;
    ana.quiet().await;

    let refused = ana.sync(&item).await;
    let told = (&refused["status"], &refused["error"]["code"]);
    assert_eq!(
        told,
        (&json!("FAILED"), &json!("REAUTHENTICATION_REQUIRED"))
    );
    let still = ana.item(&item).await;
    assert_eq!(still["linkStatus"], "LOGIN_REQUIRED");
    assert_eq!(
        still["requiredAction"]["__typename"],
        "ReauthenticateAction"
    );

    // As after update mode in Plaid Link in an app: no webhook tells of it.
    app.bank.settings(json!({"webhooks": {"drop": 1.0}})).await;
    app.bank.event(&there, json!({"event": "repair"})).await;
    assert_eq!(ana.sync(&item).await["status"], "SUCCEEDED");
    let well = ana.item(&item).await;
    assert_eq!(
        (&well["linkStatus"], &well["requiredAction"]),
        (&json!("SUCCESS"), &Value::Null)
    );
    let log = ana.ask("{ activity { nodes { kind } } }", json!({})).await;
    assert!(log.to_string().contains("ITEM_REPAIRED"), "{log}");
}

#[tokio::test]
async fn what_the_person_should_do_is_told_for_each_warning() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (item, there) = linked(&app, &ana).await;
    let token = app.bank.item().await["access_token"].clone();
    let action = async || ana.item(&item).await["requiredAction"]["__typename"].clone();
    let mut items = ana.watch(ITEM, json!({"id": item})).await;
    items.next().await;
    let fire = json!({"access_token": token, "webhook_type": "ITEM", "webhook_code": "NEW_ACCOUNTS_AVAILABLE"});
    app.bank.ask("/sandbox/item/fire_webhook", fire).await;
    items.next().await;
    assert_eq!(action().await, "NewAccountsAction");
    app.bank
        .event(&there, json!({"event": "pending_disconnect"}))
        .await;
    items.next().await;
    assert_eq!(action().await, "ConsentExpiringAction");

    let accounts = ana.item(&item).await["accounts"].as_array().unwrap().len();
    app.bank
        .walk(&ana.hosted_link(Some(&item)).await, None, "pass_good")
        .await;
    app.bank.webhooks_settled().await;
    while action().await != Value::Null {
        items.next().await;
    }
    ana.quiet().await;
    assert_eq!(
        ana.item(&item).await["accounts"].as_array().unwrap().len(),
        accounts + 1
    );
}

#[tokio::test]
async fn an_item_that_is_gone_at_the_bank_is_disconnected_and_keeps_its_data() {
    for event in [
        json!({"event": "vanish"}),
        json!({"event": "error", "code": "USER_PERMISSION_REVOKED"}),
    ] {
        let app = TestApp::start().await;
        let ana = app.person("ana").await;
        let (item, there) = linked(&app, &ana).await;
        let rows = ana.transactions().await.len();
        app.bank.event(&there, event).await;
        app.bank.webhooks_settled().await;
        let document = "mutation($id: ID!) { syncItem(input: {itemId: $id}) { syncJob { id } } }";
        ana.ask(document, json!({"id": item})).await;
        let jobs = ana.quiet().await;
        assert_eq!(jobs[0]["error"]["code"], "ITEM_DISCONNECTED", "{jobs:?}");
        let told = ana.item(&item).await;
        assert_eq!(
            (&told["linkStatus"], &told["requiredAction"]),
            (&json!("DISCONNECTED"), &Value::Null)
        );
        assert_eq!(ana.transactions().await.len(), rows);
        let document = "mutation($id: ID!) { createLinkToken(input: {itemId: $id}) { linkToken userErrors { code } } }";
        let refused = ana.ask(document, json!({"id": item})).await;
        assert_eq!(
            refused["createLinkToken"]["userErrors"][0]["code"],
            "ITEM_DISCONNECTED"
        );
    }
}
