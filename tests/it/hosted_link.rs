//! A bank linked on the provider's own page: nobody offers a token, the server hears of it.

use serde_json::json;

use crate::support::TestApp;

const ITEMS: &str = "subscription { itemUpdated { item { id linkStatus } } }";

#[tokio::test]
async fn a_bank_linked_on_the_hosted_page_is_exchanged_by_the_server_itself() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let mut items = ana.watch(ITEMS, json!({})).await;
    let mut stranger = bob.watch(ITEMS, json!({})).await;
    let page = ana.hosted_link(None).await;
    assert!(
        app.bank
            .page(&format!("{page}?q=platy"))
            .await
            .contains("First Platypus Bank")
    );
    app.bank
        .walk(&page, Some("ins_109508"), "mfa_questions_1_1")
        .await;

    let event = items.next().await;
    let id = event["itemUpdated"]["item"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let jobs = ana.quiet().await;
    assert_eq!(jobs.last().unwrap()["trigger"], "LINK");
    assert!(
        jobs.iter().all(|job| job["status"] == "SUCCEEDED"),
        "{jobs:?}"
    );
    assert_eq!(ana.item(&id).await["linkStatus"], "SUCCESS");
    let theirs = app.bank.oracle(&app.bank.item_id().await).await;
    assert_eq!(ana.transactions().await.len(), theirs.len());
    let exchanges = app.bank.calls("/item/public_token/exchange").await;
    assert_eq!(
        exchanges.len(),
        1,
        "each token once, however many webhooks named it"
    );
    let from =
        "SELECT count(*) FROM activities WHERE kind = 'item_linked' AND address = '127.0.0.1'";
    assert_eq!(app.count(from).await, 1, "where the page was asked for");
    stranger.silent().await;
    assert!(bob.transactions().await.is_empty());
}

#[tokio::test]
async fn who_leaves_the_page_has_linked_nothing() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut items = ana.watch(ITEMS, json!({})).await;
    let page = ana.hosted_link(None).await;
    app.bank
        .fill(&page, &[("institution_id", "ins_109508")])
        .await;
    app.bank
        .fill(
            &page,
            &[("username", "user_good"), ("password", "error_ITEM_LOCKED")],
        )
        .await;
    app.bank.fill(&page, &[("action", "exit")]).await;
    let sent = app.bank.webhooks_settled().await;
    assert!(
        sent.iter().all(|webhook| webhook["state"] == "delivered"),
        "{sent:?}"
    );
    items.silent().await;
    assert!(
        app.bank
            .calls("/item/public_token/exchange")
            .await
            .is_empty()
    );
}
