//! Subscriptions: snapshot, resume, and what strangers get.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn what_was_missed_comes_first() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    let document =
        "subscription($after: String) { transactionsChanged(after: $after) { cursor added } }";
    let mut watch = ana.watch(document, json!({})).await;
    let one = json!({"add": [{"name": "One", "amount": 1}], "notify": false});
    app.bank.change(&there, one).await;
    ana.sync(&item).await;
    let first = watch.next().await;
    drop(watch);

    let two = json!({"add": [{"name": "Two", "amount": 2}, {"name": "Three", "amount": 3}], "notify": false});
    app.bank.change(&there, two).await;
    ana.sync(&item).await;
    let mut again = ana
        .watch(
            document,
            json!({"after": first["transactionsChanged"]["cursor"]}),
        )
        .await;
    assert_eq!(again.next().await["transactionsChanged"]["added"], 2);
    again.silent().await;

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

#[tokio::test]
async fn a_subscription_goes_on_where_it_was_after_the_server_began_anew() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    let document =
        "subscription($after: String) { transactionsChanged(after: $after) { cursor added } }";
    let mut watch = ana.watch(document, json!({})).await;
    let one = json!({"add": [{"name": "One", "amount": 1}], "notify": false});
    app.bank.change(&there, one).await;
    ana.sync(&item).await;
    let cursor = watch.next().await["transactionsChanged"]["cursor"].clone();

    let app = app.restart().await;
    let three = json!({"add": [{"name": "A", "amount": 1}, {"name": "B", "amount": 2}, {"name": "C", "amount": 3}], "notify": false});
    app.bank.change(&there, three).await;
    ana.sync(&item).await;
    let mut again = ana.watch(document, json!({"after": cursor})).await;
    assert_eq!(again.next().await["transactionsChanged"]["added"], 3);
    again.silent().await;
}

#[tokio::test]
async fn a_cursor_the_feed_never_reached_begins_anew() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_good").await;
    let document = "subscription($after: String) { itemUpdated(after: $after) { cursor } }";
    let mut watch = ana.watch(document, json!({})).await;
    let cursor = watch.next().await["itemUpdated"]["cursor"].clone();
    // As a database stands that was restored from yesterday's backup.
    app.meddle("UPDATE feeds SET seq = 1").await;
    let mut again = ana.watch(document, json!({"after": cursor})).await;
    let refused = again.message().await;
    assert_eq!(
        refused["payload"][0]["extensions"]["code"],
        "CURSOR_EXPIRED"
    );
}

#[tokio::test]
async fn a_cursor_whose_events_are_forgotten_begins_anew() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "30d"), ("REFRESH_TOKEN_TTL", "30d")]).await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_good").await;
    let document = "subscription($after: String) { itemUpdated(after: $after) { cursor } }";
    let mut watch = ana.watch(document, json!({})).await;
    let cursor = watch.next().await["itemUpdated"]["cursor"].clone();
    let repair = json!({"event": "pending_expiration"});
    app.bank.event(&app.bank.item_id().await, repair).await;
    watch.next().await;
    let last = app.count("SELECT max(seq) FROM feed_events").await;
    app.clock.advance(Duration::from_hours(8 * 24));
    // What the syncs of those days have told stays.
    let old = format!("SELECT count(*) FROM feed_events WHERE seq <= {last}");
    app.becomes(&old, 0).await;
    let mut again = ana.watch(document, json!({"after": cursor})).await;
    let refused = again.message().await;
    assert_eq!(
        refused["payload"][0]["extensions"]["code"],
        "CURSOR_EXPIRED"
    );
}
