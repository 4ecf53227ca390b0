//! What the provider sends.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn a_signed_webhook_brings_new_transactions_to_a_subscriber() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item().await["item_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut watch = ana
        .watch(
            "subscription { transactionsChanged { cursor added item { id } } }",
            json!({}),
        )
        .await;
    let mut stranger = app
        .person("bob")
        .await
        .watch("subscription { transactionsChanged { added } }", json!({}))
        .await;

    app.bank
        .change(&there, json!({"add": [{"name": "Coffee", "amount": 4.10}]}))
        .await;

    assert_eq!(watch.next().await["transactionsChanged"]["added"], 1);
    assert!(
        ana.transactions()
            .await
            .iter()
            .any(|row| row["name"] == "Coffee")
    );
    stranger.silent().await;
}

#[tokio::test]
async fn a_forged_webhook_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item().await["item_id"]
        .as_str()
        .unwrap()
        .to_owned();
    for fault in [
        "wrong_algorithm",
        "unknown_key",
        "old_issue",
        "changed_body",
        "missing",
    ] {
        app.bank
            .settings(json!({"webhooks": {"signature": fault, "attempts": 1}}))
            .await;
        app.bank
            .change(&there, json!({"add": [{"name": "Coffee", "amount": 4.10}]}))
            .await;
        let sent = app.bank.webhooks_settled().await;
        let result = &sent.last().unwrap()["attempts"][0]["result"];
        assert_eq!(*result, "401", "{fault}");
    }
    assert!(
        ana.transactions()
            .await
            .iter()
            .all(|row| row["name"] != "Coffee")
    );
}

#[tokio::test]
async fn a_webhook_that_comes_before_its_item_is_kept_for_it() {
    let app = TestApp::start().await;
    app.bank
        .settings(json!({"webhooks": {"before_exchange": true}}))
        .await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_good").await;
    let sent = app.bank.webhooks_settled().await;
    assert!(!sent.is_empty());
    assert!(
        sent.iter().all(|webhook| webhook["state"] == "delivered"),
        "{sent:?}"
    );
}

#[tokio::test]
async fn webhooks_are_sent_to_where_the_server_is_now() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let elsewhere = "http://127.0.0.1:9/webhooks/plaid";
    let token = app.bank.public_token("user_good", elsewhere).await;
    let linked = ana.exchange(&token).await;
    let job = linked["syncJob"]["id"].as_str().unwrap();
    assert_eq!(ana.sync_job_ends(job).await["status"], "SUCCEEDED");
    assert_eq!(
        app.bank.item().await["webhook"],
        format!("{}/webhooks/plaid", app.url)
    );
}
