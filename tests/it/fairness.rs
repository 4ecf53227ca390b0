//! A bank that takes its time, and everybody else.

use serde_json::{Value, json};

use crate::support::TestApp;

const SLOW: &str = "ins_109508";
const OTHER: &str = "ins_109509";
const RUNNING: &str = "SELECT count(*) FROM jobs WHERE state = 'running' AND concurrency_key <> ''";

/// A fault of the slow bank's, longer than any story.
fn hang(endpoint: Option<&str>) -> Value {
    let mut fault = json!({"kind": "hang", "ms": 60_000, "institution_id": SLOW});
    if let Some(endpoint) = endpoint {
        fault["endpoint"] = endpoint.into();
    }
    json!([fault])
}

#[tokio::test]
async fn a_bank_that_hangs_leaves_half_of_the_slots_to_the_others() {
    let app = TestApp::with(&[("WORKERS", "2")]).await;
    let bob = app.person("bob").await;
    let item = bob.link_at(&app.bank, OTHER, "user_good").await;
    let mut people = Vec::new();
    for name in ["ana", "cleo", "dora", "eva"] {
        let person = app.person(name).await;
        let item = person.link_at(&app.bank, SLOW, "user_good").await;
        people.push((person, item));
    }
    app.bank.faults(hang(None)).await;
    let ask = "mutation($id: ID!) { syncItem(input: {itemId: $id}) { syncJob { id } } }";
    for (person, item) in &people {
        person.ask(ask, json!({"id": item})).await;
    }
    app.becomes(RUNNING, 1).await;
    for _ in 0..2 {
        assert_eq!(bob.sync(&item).await["status"], "SUCCEEDED");
        assert!(
            app.count(RUNNING).await <= 1,
            "the slow bank has more than half"
        );
    }
}

#[tokio::test]
async fn so_does_one_that_hangs_at_the_first_sync_already() {
    let app = TestApp::with(&[("WORKERS", "2")]).await;
    app.bank.faults(hang(Some("/transactions/sync"))).await;
    for name in ["ana", "cleo", "dora", "eva"] {
        let person = app.person(name).await;
        let webhook = format!("{}/webhooks/plaid", app.url);
        let token = app.bank.public_token_at(SLOW, "user_good", &webhook).await;
        let linked = person.exchange(&token).await;
        assert!(linked["item"].is_object(), "{linked}");
    }
    app.becomes(RUNNING, 1).await;
    let bob = app.person("bob").await;
    bob.link_at(&app.bank, OTHER, "user_good").await;
    assert!(
        app.count(RUNNING).await <= 1,
        "the slow bank has more than half"
    );
}
