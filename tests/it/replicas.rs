//! Several servers on one database, where the database is one for several.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn what_one_replica_commits_reaches_a_subscriber_of_another() {
    let app = TestApp::start().await;
    let Some(other) = app.replica().await else {
        return;
    };
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    let document = "subscription { transactionsChanged { added item { id } } }";
    let mut watch = ana.at(&other.url).watch(document, json!({})).await;
    let bob = other.person("bob").await;
    let mut stranger = bob.watch(document, json!({})).await;
    let before = app.bank.calls("/transactions/sync").await.len();
    app.bank
        .change(&there, json!({"add": [{"name": "One", "amount": 1}]}))
        .await;

    let event = watch.next().await;
    assert_eq!(
        event["transactionsChanged"],
        json!({"added": 1, "item": {"id": item}})
    );
    app.bank.webhooks_settled().await;
    let jobs = ana.quiet().await;
    let syncs = app.bank.calls("/transactions/sync").await.len() - before;
    assert_eq!(syncs, jobs.len() - 1, "each job runs once, wherever");
    let mut ended = ana.at(&other.url).watch(document, json!({})).await;
    ana.ask(
        "mutation { logoutEverywhere { userErrors { code } } }",
        json!({}),
    )
    .await;
    assert_eq!(ended.closed().await, 4403);
    stranger.silent().await;
}

#[tokio::test]
async fn a_job_is_left_to_the_replica_that_runs_it_and_taken_from_one_that_died() {
    let mut app = TestApp::with(&[("WORKERS", "1")]).await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let slow = json!([{"kind": "latency", "ms": 60_000, "endpoint": "/transactions/sync"}]);
    app.bank.faults(slow).await;
    let document = "mutation($id: ID!) { syncItem(input: {itemId: $id}) { syncJob { id } } }";
    let asked = ana.ask(document, json!({"id": item})).await;
    let job = asked["syncItem"]["syncJob"]["id"].as_str().unwrap();
    app.becomes("SELECT count(*) FROM jobs WHERE state = 'running'", 1)
        .await;
    let Some(other) = app.replica().await else {
        return;
    };
    app.bank.faults(json!([])).await;
    // The only worker of the first replica is busy, so that the second has done this.
    let bob = other.person("bob").await;
    bob.link(&app.bank, "user_good").await;
    let document = "query($id: ID!) { syncJob(id: $id) { status attempt } }";
    let ana = ana.at(&other.url);
    let still = ana.ask(document, json!({"id": job})).await;
    assert_eq!(still["syncJob"], json!({"status": "RUNNING", "attempt": 1}));

    app.die().await;
    let ended = ana.sync_job_ends(job).await;
    assert_eq!(
        (&ended["status"], &ended["attempt"]),
        (&json!("SUCCEEDED"), &json!(2))
    );
}
