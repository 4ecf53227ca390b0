//! Syncs whose worker dies, freezes, or is told to stop.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Person, TestApp, Watch};

const FOLLOW: &str = "subscription($id: ID!) { syncJobUpdated(syncJobId: $id) { syncJob { status attempt \
                      progress { added } error { code action retryable } } } }";
const ASK: &str = "mutation($id: ID!) { syncItem(input: {itemId: $id}) { syncJob { id } } }";

/// Follows a job until it has this status.
async fn becomes(jobs: &mut Watch, status: &str) -> Value {
    loop {
        let mut event = jobs.next().await;
        let job = event["syncJobUpdated"]["syncJob"].take();
        if job["status"] == status {
            return job;
        }
    }
}

/// A sync that has begun, with one row to fetch from a bank that takes its time.
async fn begun(app: &TestApp, ana: &Person, slow: Value) -> Value {
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    app.bank
        .change(
            &there,
            json!({"add": [{"name": "Late", "amount": 1}], "notify": false}),
        )
        .await;
    app.bank.faults(json!([slow])).await;
    let asked = ana.ask(ASK, json!({"id": item})).await;
    let id = asked["syncItem"]["syncJob"]["id"].clone();
    let mut jobs = ana.watch(FOLLOW, json!({"id": id})).await;
    becomes(&mut jobs, "RUNNING").await;
    id
}

fn slow(ms: u64) -> Value {
    json!({"kind": "latency", "ms": ms, "endpoint": "/transactions/sync"})
}

#[tokio::test]
async fn a_sync_whose_worker_died_is_run_again() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let job = begun(&app, &ana, slow(60_000)).await;
    let app = app.crash().await;
    app.bank.faults(json!([])).await;
    let mut jobs = ana.watch(FOLLOW, json!({"id": job})).await;
    let ended = becomes(&mut jobs, "SUCCEEDED").await;
    assert_eq!(
        (&ended["attempt"], &ended["progress"]["added"]),
        (&json!(2), &json!(1))
    );
    let late = ana
        .transactions()
        .await
        .into_iter()
        .filter(|row| row["name"] == "Late");
    assert_eq!(late.count(), 1);
    assert!(app.person("bob").await.transactions().await.is_empty());
}

#[tokio::test]
async fn the_third_worker_that_dies_is_the_last() {
    let mut app = TestApp::start().await;
    let ana = app.person("ana").await;
    let job = begun(&app, &ana, slow(60_000)).await;
    for attempt in [2, 3] {
        app = app.crash().await;
        let mut jobs = ana.watch(FOLLOW, json!({"id": job})).await;
        while becomes(&mut jobs, "RUNNING").await["attempt"] != attempt {}
    }
    let app = app.crash().await;
    let mut jobs = ana.watch(FOLLOW, json!({"id": job})).await;
    let ended = becomes(&mut jobs, "FAILED").await;
    let told = json!({"code": "SERVER_ERROR", "action": "CONTACT_OPERATOR", "retryable": false});
    assert_eq!((&ended["attempt"], &ended["error"]), (&json!(3), &told));
    // It keeps nobody else from syncing, and can be asked for again.
    app.bank.faults(json!([])).await;
    let bob = app.person("bob").await;
    bob.link(&app.bank, "user_good").await;
    let item =
        ana.ask("{ items { nodes { id } } }", json!({})).await["items"]["nodes"][0]["id"].take();
    assert_eq!(
        ana.sync(item.as_str().unwrap()).await["status"],
        "SUCCEEDED"
    );
}

#[tokio::test]
async fn a_worker_that_was_taken_for_dead_commits_nothing() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let job = begun(
        &app,
        &ana,
        json!({"kind": "latency", "ms": 500, "endpoint": "/transactions/sync", "count": 1}),
    )
    .await;
    // As another worker leaves the job that takes it over and dies in its turn.
    let taken = app.meddle("UPDATE jobs SET fence = fence + 1, worker = 1, lease_until = 0 WHERE state = 'running'").await;
    assert_eq!(taken, 1);
    let mut jobs = ana.watch(FOLLOW, json!({"id": job})).await;
    let ended = becomes(&mut jobs, "SUCCEEDED").await;
    assert_eq!(
        ended["attempt"], 2,
        "the first attempt must not have committed"
    );
    let late = ana
        .transactions()
        .await
        .into_iter()
        .filter(|row| row["name"] == "Late");
    assert_eq!(late.count(), 1);
}

#[tokio::test]
async fn a_server_that_stops_hands_its_jobs_back_uncharged() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let job = begun(&app, &ana, slow(60_000)).await;
    let app = app.restart().await;
    app.bank.faults(json!([])).await;
    let mut jobs = ana.watch(FOLLOW, json!({"id": job})).await;
    assert_eq!(becomes(&mut jobs, "SUCCEEDED").await["attempt"], 1);
}

#[tokio::test]
async fn a_job_that_cannot_be_read_keeps_no_other() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let job = begun(&app, &ana, slow(60_000)).await;
    app.meddle("UPDATE jobs SET payload = '{}' WHERE state = 'running'")
        .await;
    let app = app.crash().await;
    app.bank.faults(json!([])).await;
    app.idle().await;
    let bob = app.person("bob").await;
    bob.link(&app.bank, "user_good").await;
    let job = ana
        .ask(
            "query($id: ID!) { syncJob(id: $id) { id } }",
            json!({"id": job}),
        )
        .await;
    assert!(job["syncJob"].is_object());
}

#[tokio::test]
async fn a_sync_asked_for_while_its_bank_is_removed_is_cancelled() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    let document = "mutation($id: ID!) { removeItem(input: {itemId: $id}) { removedItemId } }";
    ana.ask(document, json!({"id": item})).await;
    app.idle().await;
    // As the two transactions leave it when the request commits last.
    app.meddle("UPDATE sync_jobs SET status = 'queued', finished_at = NULL")
        .await;
    app.meddle("UPDATE jobs SET state = 'waiting', finished_at = NULL, run_at = 0 WHERE kind = 'sync.item'").await;
    app.clock.advance(Duration::from_secs(6));
    app.idle().await;
    let jobs = ana
        .ask("{ syncJobs { nodes { status finishedAt } } }", json!({}))
        .await;
    assert_eq!(
        jobs["syncJobs"]["nodes"][0]["status"], "CANCELLED",
        "{jobs}"
    );
}

#[tokio::test]
async fn what_comes_while_a_sync_runs_is_synced_after_it() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let read = async || app.bank.calls("/transactions/sync").await.len();
    let late = json!({"kind": "latency", "ms": 1500, "endpoint": "/accounts/get", "nth": 2});
    app.bank.faults(json!([late])).await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let (there, before) = (app.bank.item_id().await, read().await);
    ana.ask(ASK, json!({"id": item})).await;
    // It has read the transactions and waits for the accounts.
    while read().await == before {}
    let news = json!({"add": [{"name": "Last word", "amount": 1}]});
    app.bank.change(&there, news).await;
    app.bank.webhooks_settled().await;
    let jobs = ana.quiet().await;
    assert_eq!(jobs.len(), 3, "{jobs:?}");
    let rows = ana.transactions().await;
    assert!(rows.iter().any(|row| row["name"] == "Last word"));
}
