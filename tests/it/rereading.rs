//! A history that is read again from its beginning: what the bank no longer tells is gone.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    mirror::Mirror,
    support::{Person, TestApp},
};

const LONG: &[(&str, &str)] = &[("ACCESS_TOKEN_TTL", "30d"), ("REFRESH_TOKEN_TTL", "60d")];

/// Fifty rows here, none any more at the bank, and a cursor that leads nowhere.
async fn emptied(app: &TestApp, ana: &Person) -> String {
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    let rows = app.bank.oracle(&there).await;
    let ids: Vec<&Value> = rows.iter().map(|row| &row["transaction_id"]).collect();
    let changes = json!({"remove": ids, "notify": false});
    app.bank.change(&there, changes).await;
    let expired = json!({"event": "expire_cursors"});
    app.bank.event(&there, expired).await;
    item
}

/// Lets a sync run out of attempts while the provider is still collecting.
async fn gives_up_waiting(app: &TestApp, ana: &Person, item: &str) {
    app.bank
        .settings(json!({"not_ready_calls": 1_000_000}))
        .await;
    let sync = "mutation($id: ID!) { syncItem(input: {itemId: $id}) { syncJob { id } } }";
    ana.ask(sync, json!({"id": item})).await;
    for attempt in 1..12 {
        let so = format!("kind = 'sync.item' AND state = 'waiting' AND attempt = {attempt}");
        app.until("jobs", &so).await;
        app.clock.advance(Duration::from_mins(2));
    }
    assert_eq!(ana.quiet().await[0]["status"], "SUCCEEDED");
    app.bank.settings(json!({"not_ready_calls": 0})).await;
}

#[tokio::test]
async fn a_history_that_is_empty_at_the_bank_is_empty_here() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = emptied(&app, &ana).await;
    let mut mirror = Mirror::default();
    mirror.catch_up(&ana).await;
    let changed = "subscription { transactionsChanged { added modified removed } }";
    let mut changed = ana.watch(changed, json!({})).await;

    assert_eq!(ana.sync(&item).await["progress"]["removed"], 50);
    let told = json!({"added": 0, "modified": 0, "removed": 50});
    assert_eq!(changed.next().await["transactionsChanged"], told);
    assert!(ana.transactions().await.is_empty());
    mirror.catch_up(&ana).await;
    mirror.equals_what_is_there(&ana).await;
}

#[tokio::test]
async fn a_history_that_is_still_collected_takes_nothing_away() {
    let app = TestApp::with(LONG).await;
    let ana = app.person("ana").await;
    let item = emptied(&app, &ana).await;
    gives_up_waiting(&app, &ana, &item).await;
    assert_eq!(ana.transactions().await.len(), 50);

    assert_eq!(ana.sync(&item).await["progress"]["removed"], 50);
    assert!(ana.transactions().await.is_empty());
}

#[tokio::test]
async fn a_provider_that_collects_anew_costs_no_cursor() {
    let app = TestApp::with(LONG).await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    gives_up_waiting(&app, &ana, &item).await;
    let untouched = json!({"pages": 1, "added": 0, "modified": 0, "removed": 0});
    assert_eq!(ana.sync(&item).await["progress"], untouched);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_again_stays_as_it_was() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_transactions_100").await;
    let rows = ana.transactions().await.len();
    let expired = json!({"event": "expire_cursors"});
    app.bank.event(&app.bank.item_id().await, expired).await;
    let odd = json!({"kind": "anomaly", "name": "no_date"});
    app.bank.faults(json!([odd])).await;
    assert_eq!(ana.sync(&item).await["progress"]["removed"], 0);
    assert_eq!(ana.transactions().await.len(), rows);
}

#[tokio::test]
async fn a_history_that_is_read_again_and_is_the_same_is_no_change() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_transactions_100").await;
    let (rows, there) = (ana.transactions().await, app.bank.item_id().await);
    app.bank.webhooks_settled().await;
    app.idle().await;
    let changed = "subscription { transactionsChanged { added modified removed } }";
    let mut changed = ana.watch(changed, json!({})).await;
    let expired = json!({"event": "expire_cursors"});
    app.bank.event(&there, expired.clone()).await;
    let untouched = json!({"pages": 1, "added": 0, "modified": 0, "removed": 0});
    assert_eq!(ana.sync(&item).await["progress"], untouched);
    assert_eq!(ana.transactions().await, rows);
    changed.silent().await;
    // One that did change is told alone, though all are read.
    let id = app.bank.oracle(&there).await[0]["transaction_id"].clone();
    let one = json!({"modify": [{"transaction_id": id, "amount": 77.5}], "notify": false});
    app.bank.change(&there, one).await;
    app.bank.event(&there, expired).await;
    let untouched = json!({"added": 0, "modified": 1, "removed": 0});
    ana.sync(&item).await;
    assert_eq!(changed.next().await["transactionsChanged"], untouched);
}
