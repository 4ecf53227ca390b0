//! Linking a bank, once and for all.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn linking_a_bank_brings_its_accounts_and_transactions() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;

    let data = ana
        .ask(
            "query($id: ID!) { item(id: $id) { linkStatus transactionsStatus lastSyncedAt requiredAction { __typename } \
             institution { name } accounts { name mask type balances { current { amount currency } } } \
             latestSyncJob { status trigger } } }",
            json!({"id": item}),
        )
        .await;
    let item = &data["item"];
    assert_eq!(item["linkStatus"], "SUCCESS");
    assert_eq!(item["transactionsStatus"], "COMPLETE");
    assert_eq!(item["institution"]["name"], "First Platypus Bank");
    assert_eq!(
        item["latestSyncJob"],
        json!({"status": "SUCCEEDED", "trigger": "LINK"})
    );
    assert!(item["lastSyncedAt"].is_string() && item["requiredAction"].is_null());
    let checking = item["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["mask"] == "0000")
        .unwrap();
    assert_eq!(
        checking["balances"]["current"],
        json!({"amount": "110.00", "currency": "USD"})
    );

    let bank = app.bank.item().await;
    let theirs = app.bank.oracle(bank["item_id"].as_str().unwrap()).await;
    assert_eq!(ana.transactions().await.len(), theirs.len());
    assert!(!theirs.is_empty());
    assert!(app.person("bob").await.transactions().await.is_empty());
}

#[tokio::test]
async fn the_same_public_token_always_gives_the_same_answer() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let token = app
        .bank
        .public_token("user_good", &format!("{}/webhooks/plaid", app.url))
        .await;

    let first = ana.exchange(&token).await;
    let again = ana.exchange(&token).await;
    assert_eq!(first["item"]["id"], again["item"]["id"]);
    assert_eq!(first["syncJob"]["id"], again["syncJob"]["id"]);
    assert_eq!(app.bank.items().await.len(), 1);

    let stranger = app.person("bob").await.exchange(&token).await;
    assert_eq!(stranger["userErrors"][0]["code"], "PUBLIC_TOKEN_INVALID");
    assert!(stranger["item"].is_null());
}

#[tokio::test]
async fn a_removed_bank_is_gone_here_at_once_and_there_in_the_end() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    let bob = app.person("bob").await;
    let document = "mutation($input: RemoveItemInput!) { removeItem(input: $input) { removedItemId userErrors { code } } }";

    let foreign = bob.ask(document, json!({"input": {"itemId": item}})).await;
    assert_eq!(
        foreign["removeItem"]["userErrors"],
        json!([{"code": "NOT_FOUND"}])
    );

    let changes = "subscription { itemUpdated { item { id linkStatus } } }";
    let mut watch = ana.watch(changes, json!({})).await;
    watch.next().await;
    let removed = ana.ask(document, json!({"input": {"itemId": item}})).await;
    assert_eq!(
        removed["removeItem"],
        json!({"removedItemId": item, "userErrors": []})
    );
    assert!(ana.transactions().await.is_empty());
    let data = ana
        .ask(
            "query($id: ID!) { item(id: $id) { id } accounts { nodes { id } } }",
            json!({"id": item}),
        )
        .await;
    assert_eq!(data, json!({"item": null, "accounts": {"nodes": []}}));
    assert_eq!(
        watch.next().await["itemUpdated"]["item"]["linkStatus"],
        "DISCONNECTED"
    );
    app.idle().await;
    assert_eq!(app.bank.calls("/item/remove").await.len(), 1);
    assert!(
        app.bank
            .items()
            .await
            .iter()
            .all(|item| item["removed"] == true)
    );
    let kept = "SELECT count(*) FROM items WHERE length(access_token) > 0";
    assert_eq!(app.count(kept).await, 0, "its token is forgotten");
}
