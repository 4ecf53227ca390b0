//! What nobody asks for: the server looks after its items by itself, and after hopeless ones less.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

const LONG: &[(&str, &str)] = &[("ACCESS_TOKEN_TTL", "30d"), ("REFRESH_TOKEN_TTL", "60d")];

/// Lets hours pass in steps of ten minutes, each with its sweep and what comes of it.
async fn hours(app: &TestApp, hours: u32) {
    for _ in 0..hours * 6 {
        app.passes(Duration::from_mins(10), "sync.sweep").await;
        app.idle().await;
    }
}

async fn swept(ana: &Person) -> usize {
    let jobs = ana.quiet().await;
    jobs.iter()
        .filter(|job| job["trigger"] == "SCHEDULE")
        .count()
}

/// A linked item whose syncs fail from now on.
async fn failing(app: &TestApp, ana: &Person, code: &str) -> String {
    let item = ana.link(&app.bank, "user_transactions_100").await;
    let fault = json!({"kind": "error", "code": code, "endpoint": "/transactions/sync"});
    app.bank.faults(json!([fault])).await;
    item
}

#[tokio::test]
async fn an_item_that_goes_on_failing_is_tried_at_growing_distances() {
    let app = TestApp::with(LONG).await;
    let ana = app.person("ana").await;
    failing(&app, &ana, "INVALID_API_KEYS").await;
    app.passes(Duration::from_hours(25), "sync.sweep").await;
    app.idle().await;
    // Again after one hour, and two hours after that.
    hours(&app, 4).await;
    assert_eq!(swept(&ana).await, 3);

    app.bank.faults(json!([])).await;
    hours(&app, 4).await;
    let jobs = ana.quiet().await;
    let told = (&jobs[0]["trigger"], &jobs[0]["status"]);
    assert_eq!(told, (&json!("SCHEDULE"), &json!("SUCCEEDED")));
    assert_eq!(swept(&ana).await, 4);
}

#[tokio::test]
async fn an_item_that_waits_for_its_owner_is_left_alone() {
    let app = TestApp::with(LONG).await;
    let ana = app.person("ana").await;
    let item = failing(&app, &ana, "ITEM_LOGIN_REQUIRED").await;
    assert_eq!(ana.sync(&item).await["status"], "FAILED");
    for _ in 0..3 {
        app.passes(Duration::from_hours(25), "sync.sweep").await;
        app.idle().await;
    }
    assert_eq!(swept(&ana).await, 0);
}

#[tokio::test]
async fn an_item_nobody_tells_about_is_synced_once_a_day() {
    let app = TestApp::with(LONG).await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_transactions_dynamic").await;
    app.bank.settings(json!({"webhooks": {"drop": 1.0}})).await;
    let there = app.bank.item_id().await;
    let late = json!({"add": [{"name": "Late", "amount": 1}]});
    app.bank.change(&there, late).await;
    hours(&app, 2).await;
    assert_eq!(swept(&ana).await, 0);
    app.passes(Duration::from_hours(23), "sync.sweep").await;
    app.idle().await;
    hours(&app, 2).await;
    assert_eq!(swept(&ana).await, 1);
    let is_late = |row: &Value| row["name"] == "Late";
    assert!(ana.transactions().await.iter().any(is_late));
}
