//! A bank that is removed: gone here at once, told to everybody who looks on, and given up at the
//! provider however long that takes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

const REMOVE: &str = "/item/remove";
const KEPT: &str = "SELECT count(*) FROM items WHERE length(access_token) > 0";
const LONG: &[(&str, &str)] = &[("ACCESS_TOKEN_TTL", "30d"), ("REFRESH_TOKEN_TTL", "60d")];
/// Longer than anything waits between two tries.
const LATER: Duration = Duration::from_hours(7);

/// Removes her bank while the provider refuses to let go of it.
async fn refused(app: &TestApp, ana: &Person, item: &str, code: &str) {
    let fault = json!({"kind": "error", "code": code, "endpoint": REMOVE});
    app.bank.faults(json!([fault])).await;
    ana.remove(item).await;
    assert!(ana.transactions().await.is_empty());
    waits(app, 1).await;
}

/// Waits until the removal has failed so often, and looks that the token is still there.
async fn waits(app: &TestApp, attempt: u32) {
    let so = format!("kind = 'linking.remove' AND state = 'waiting' AND attempt = {attempt}");
    app.until("jobs", &so).await;
    assert_eq!(app.count(KEPT).await, 1);
}

async fn is_given_up(app: &TestApp) {
    app.idle().await;
    assert_eq!(app.bank.items().await[0]["removed"], true);
    assert_eq!(app.count(KEPT).await, 0);
}

#[tokio::test]
async fn a_login_is_given_up_once_the_servers_own_credentials_are_right_again() {
    let app = TestApp::with(LONG).await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    refused(&app, &ana, &item, "INVALID_API_KEYS").await;
    for attempt in 2..=4 {
        app.clock.advance(LATER);
        waits(&app, attempt).await;
    }
    app.bank.faults(json!([])).await;
    app.clock.advance(LATER);
    is_given_up(&app).await;
}

#[tokio::test]
async fn in_the_wrong_environment_no_login_is_forgotten() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    let wrong = [
        ("PLAID_ENV", "production"),
        ("PLAID_CLIENT_ID", "client"),
        ("PLAID_SECRET", "secret"),
    ];
    let app = app.restart_with(&wrong).await;
    refused(&app, &ana, &item, "INVALID_ACCESS_TOKEN").await;
    assert_eq!(app.bank.item().await["removed"], false);

    app.bank.faults(json!([])).await;
    let right = [
        ("PLAID_ENV", "local"),
        ("PLAID_CLIENT_ID", ""),
        ("PLAID_SECRET", ""),
    ];
    let app = app.restart_with(&right).await;
    app.clock.advance(LATER);
    is_given_up(&app).await;
}

#[tokio::test]
async fn a_login_the_provider_does_not_know_is_given_up_already() {
    for code in [
        "ITEM_NOT_FOUND",
        "ITEM_CONCURRENTLY_DELETED",
        "INVALID_ACCESS_TOKEN",
    ] {
        let app = TestApp::start().await;
        let ana = app.person("ana").await;
        let item = ana.link(&app.bank, "user_good").await;
        let fault = json!({"kind": "error", "code": code, "endpoint": REMOVE});
        app.bank.faults(json!([fault])).await;
        ana.remove(&item).await;
        app.idle().await;
        assert_eq!(app.count(KEPT).await, 0, "{code}");
    }
}

#[tokio::test]
async fn a_removal_whose_job_was_lost_is_asked_for_again() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    refused(&app, &ana, &item, "PLANNED_MAINTENANCE").await;
    // As a job ends under which the third worker died.
    app.meddle("UPDATE jobs SET state = 'dead', finished_at = 1 WHERE kind = 'linking.remove'")
        .await;
    app.bank.faults(json!([])).await;
    app.passes(Duration::from_mins(11), "linking.sweep").await;
    is_given_up(&app).await;
}

#[tokio::test]
async fn the_transactions_of_a_removed_bank_are_told_under_the_number_of_its_removal() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let item = ana.link(&app.bank, "user_transactions_100").await;
    let changed = "subscription($after: String) { transactionsChanged(after: $after) { \
                   cursor item { id removedAt } added modified removed } }";
    let updated = "subscription { itemUpdated { cursor item { removedAt } } }";
    let mut rows = ana.watch(changed, json!({})).await;
    let mut items = ana.watch(updated, json!({})).await;
    let mut stranger = bob.watch(changed, json!({})).await;
    let before = items.next().await["itemUpdated"]["cursor"].take();
    let feed = "query($after: String) { transactionChanges(after: $after, first: 500) { \
                pageInfo { endCursor } nodes { __typename } } }";
    let mirrored = ana.ask(feed, json!({})).await["transactionChanges"].take();

    ana.remove(&item).await;
    let told = rows.next().await["transactionsChanged"].take();
    let removal = items.next().await["itemUpdated"].take();
    assert_eq!(told["cursor"], removal["cursor"]);
    assert_eq!(
        told["item"],
        json!({"id": item, "removedAt": removal["item"]["removedAt"]})
    );
    assert_eq!(
        (&told["added"], &told["modified"], &told["removed"]),
        (&json!(0), &json!(0), &json!(100))
    );
    let mut late = ana.watch(changed, json!({"after": before})).await;
    assert_eq!(late.next().await["transactionsChanged"], told);
    let after = json!({"after": mirrored["pageInfo"]["endCursor"]});
    let gone = ana.ask(feed, after).await["transactionChanges"]["nodes"].take();
    let tombstone = |node: &Value| node["__typename"] == "TransactionRemoved";
    assert_eq!(gone.as_array().unwrap().len(), 100);
    assert!(gone.as_array().unwrap().iter().all(tombstone));
    stranger.silent().await;
}

#[tokio::test]
async fn a_sync_that_its_banks_removal_ends_is_told_to_be_cancelled() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    let slow = json!({"kind": "latency", "ms": 60_000, "endpoint": "/transactions/sync"});
    app.bank.faults(json!([slow])).await;
    let sync = "mutation($id: ID!) { syncItem(input: {itemId: $id}) { syncJob { id } } }";
    let asked = ana.ask(sync, json!({"id": item})).await;
    app.until("sync_jobs", "status = 'running'").await;
    let follow =
        "subscription($id: ID!) { syncJobUpdated(syncJobId: $id) { cursor syncJob { status } } }";
    let id = json!({"id": asked["syncItem"]["syncJob"]["id"]});
    let mut jobs = ana.watch(follow, id).await;
    let begun = jobs.next().await;
    assert_eq!(begun["syncJobUpdated"]["syncJob"]["status"], "RUNNING");
    let updated = "subscription { itemUpdated { cursor } }";
    let mut items = ana.watch(updated, json!({})).await;
    items.next().await;
    ana.remove(&item).await;
    let told = jobs.next().await["syncJobUpdated"].take();
    assert_eq!(told["syncJob"]["status"], "CANCELLED");
    let removal = items.next().await["itemUpdated"].take();
    assert_eq!(told["cursor"], removal["cursor"]);
}
