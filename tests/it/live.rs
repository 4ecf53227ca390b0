//! Subscriptions: snapshot, resume, and the end of a session.

use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn what_was_missed_comes_first() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item().await["item_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let document =
        "subscription($after: String) { transactionsChanged(after: $after) { cursor added } }";
    let mut watch = ana.watch(document, json!({})).await;
    app.bank
        .change(&there, json!({"add": [{"name": "One", "amount": 1}]}))
        .await;
    let first = watch.next().await;
    drop(watch);

    app.bank
        .change(
            &there,
            json!({"add": [{"name": "Two", "amount": 2}, {"name": "Three", "amount": 3}]}),
        )
        .await;
    let mut again = ana
        .watch(
            document,
            json!({"after": first["transactionsChanged"]["cursor"]}),
        )
        .await;
    assert_eq!(again.next().await["transactionsChanged"]["added"], 2);

    let cursor = &first["transactionsChanged"]["cursor"];
    let mut thief = app
        .person("bob")
        .await
        .watch(document, json!({"after": cursor}))
        .await;
    let refused = thief.message().await;
    assert_eq!(refused["type"], "error");
    assert_eq!(
        refused["payload"][0]["extensions"]["code"],
        "BAD_USER_INPUT"
    );
}

#[tokio::test]
async fn logging_out_closes_the_sockets_of_the_session_and_no_other() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let document = "subscription { itemUpdated { item { id } } }";
    let mut watch = ana.watch(document, json!({})).await;
    let mut other = app.person("bob").await.watch(document, json!({})).await;
    ana.ask(
        "mutation { logoutEverywhere { userErrors { code } } }",
        json!({}),
    )
    .await;
    assert_eq!(watch.closed().await, 4403);
    assert_eq!(
        ana.error("{ viewer { id } }", json!({})).await,
        "UNAUTHENTICATED"
    );
    other.silent().await;
}

#[tokio::test]
async fn strangers_follow_nothing() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    let bob = app.person("bob").await;
    let document = "subscription($id: ID!) { syncJobUpdated(itemId: $id) { cursor } }";
    let mut answers: Vec<Value> = Vec::new();
    for id in [
        item.as_str(),
        "item_01arz3ndektsv4rrffq69g5fav",
        "nonsense",
        "",
    ] {
        let mut refused = bob.watch(document, json!({"id": id})).await.message().await;
        refused["payload"][0]["extensions"]["requestId"].take();
        answers.push(refused);
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    assert_eq!(answers[0]["payload"][0]["extensions"]["code"], "NOT_FOUND");
}
