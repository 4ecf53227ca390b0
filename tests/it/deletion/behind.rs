//! What is written behind her back while she leaves: nothing that stays.

use serde_json::json;

use super::{REMOVE, is_gone, leave, traces};
use crate::support::{Mailbox, TestApp, patiently};

#[tokio::test]
async fn a_sync_that_runs_meanwhile_writes_nothing_back() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    let added = json!({"add": [{"name": "Late", "amount": 1}], "notify": false});
    app.bank.change(&there, added).await;
    let slow = json!({"kind": "latency", "ms": 2_000, "endpoint": "/transactions/sync"});
    app.bank.faults(json!([slow])).await;
    ana.ask_sync(&item).await;
    app.until("sync_jobs", "status = 'running'").await;
    let asked = app.bank.calls("/transactions/sync").await.len();
    let id = leave(&app, &ana).await;
    // Its answer comes when nobody wants it any more.
    patiently(async { while app.bank.calls("/transactions/sync").await.len() <= asked {} }).await;
    let running = "SELECT count(*) FROM jobs WHERE kind = 'sync.item' AND state = 'running'";
    app.becomes(running, 0).await;
    assert_eq!(app.count("SELECT count(*) FROM transactions").await, 0);
    is_gone(&app).await;
    assert_eq!(traces(&app, &id).await, Vec::<String>::new());
}

/// Rows of the administrators' log that name somebody: by her row's id, or by the id that clients know.
async fn named(app: &TestApp, row: &str, id: &str) -> i64 {
    let hers = format!("{} = '{row}'", app.hex("user_id"));
    let sql =
        format!("SELECT count(*) FROM admin_accesses WHERE {hers} OR arguments LIKE '%{id}%'");
    app.count(&sql).await
}

#[tokio::test]
async fn what_administrators_looked_at_and_where_they_were_names_nobody_who_left() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.person("ana").await, app.administrator("eve").await);
    let other = app.administrator("zoe").await;
    ana.link(&app.bank, "user_transactions_100").await;
    let fault = json!({"kind": "error", "code": "PLANNED_MAINTENANCE", "endpoint": REMOVE});
    app.bank.faults(json!([fault])).await;
    let look = "query($id: ID!) { admin { user(id: $id) { email } items(filter: {userId: $id}) { nodes { itemId } } } }";
    let mut hers = ana.ask("{ viewer { id } }", json!({})).await;
    let hers = hers["viewer"]["id"].take();
    eve.ask(look, json!({"id": hers})).await;
    let row = leave(&app, &ana).await;
    // While the bank is down she is there, and nobody sees her.
    let told = eve.ask(look, json!({"id": hers})).await;
    let nobody = json!({"admin": {"user": null, "items": {"nodes": []}}});
    assert_eq!(told, nobody);
    let id = hers.as_str().unwrap();
    assert_eq!(named(&app, &row, id).await, 4);
    app.bank.faults(json!([])).await;
    is_gone(&app).await;
    assert_eq!(named(&app, &row, id).await, 0);
    assert_eq!(
        app.count("SELECT count(*) FROM admin_accesses").await,
        4,
        "it was done"
    );
    // And of an administrator who leaves there is neither where she was nor with what.
    let eve = app.device("eve").await;
    let at = format!("address IS NOT NULL AND {} = '{{}}'", app.hex("admin_id"));
    let row = leave(&app, &eve).await;
    let at = format!(
        "SELECT count(*) FROM admin_accesses WHERE {}",
        at.replace("{}", &row)
    );
    assert_eq!(app.count(&at).await, 4);
    is_gone(&app).await;
    assert_eq!(app.count(&at).await, 0);
    drop(other);
}

#[tokio::test]
async fn what_was_on_its_way_when_she_left_writes_nothing_of_her() {
    let mailbox = Mailbox::open().await;
    let app = mailbox
        .app("open")
        .await
        .restart_with(&[("WORKERS", "0")])
        .await;
    let ana = app.person("ana").await;
    // As if her requests had come through the door a moment before.
    let gone = "UPDATE users SET deleted_at = created_at, email = '', email_key = 'gone'";
    assert_eq!(app.meddle(gone).await, 1);
    let tables = [
        "activities",
        "data_exports",
        "link_tokens",
        // Those that come round by themselves may still be coming in.
        "jobs WHERE key <> 'all'",
        "mails",
        "feed_events",
    ];
    let mut before = Vec::new();
    for table in tables {
        before.push(app.count(&format!("SELECT count(*) FROM {table}")).await);
    }
    for ask in [
        "updateProfile(input: {firstName: \"Ana\"})",
        "exportData",
        "createLinkToken",
        "requestEmailVerification",
    ] {
        let document = format!("mutation {{ {ask} {{ userErrors {{ code }} }} }}");
        assert_eq!(
            ana.error(&document, json!({})).await,
            "UNAUTHENTICATED",
            "{ask}"
        );
    }
    for (table, before) in tables.iter().zip(before) {
        let sql = format!("SELECT count(*) FROM {table}");
        assert_eq!(app.count(&sql).await, before, "{table}");
    }
    let named = "SELECT count(*) FROM users WHERE first_name IS NOT NULL";
    assert_eq!(app.count(named).await, 0);
}

#[tokio::test]
async fn a_profile_that_waits_for_the_row_of_who_leaves_is_not_written_into_it() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let leaving = "UPDATE users SET deleted_at = created_at, first_name = NULL";
    let Some(txn) = app.hold(leaving).await else {
        return;
    };
    let update = "mutation { updateProfile(input: {firstName: \"Ana\"}) { userErrors { code } } }";
    let left = async {
        let waits = "datname = current_database() AND wait_event_type = 'Lock'";
        app.until("pg_stat_activity", waits).await;
        txn.commit().await.unwrap();
    };
    let (told, ()) = tokio::join!(ana.error(update, json!({})), left);
    assert_eq!(told, "UNAUTHENTICATED");
    let named = "SELECT count(*) FROM users WHERE first_name IS NOT NULL";
    assert_eq!(app.count(named).await, 0);
}
