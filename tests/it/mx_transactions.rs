//! Transactions of MX's: windows instead of a cursor, pending ones that vanish, pages that shift.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::TestApp;

/// Sessions that outlive the story.
const LONG: [(&str, &str); 2] = [("ACCESS_TOKEN_TTL", "90d"), ("REFRESH_TOKEN_TTL", "90d")];

/// Days go by, here and at MX.
async fn passes(app: &TestApp, days: u64) {
    let time = Duration::from_hours(days * 24);
    let seconds = json!({"advance_seconds": time.as_secs()});
    app.bank.ask("/control/clock", seconds).await;
    app.clock.advance(time);
}

#[tokio::test]
async fn a_pending_transaction_that_vanishes_is_gone_and_its_posting_is_another() {
    let app = TestApp::start().await;
    app.hears_mx().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    ana.link_mx(&app, "mxuser").await;
    let member = app.bank.member().await;
    let hotel = json!({"description": "HOTEL", "original_description": "HOTEL", "amount": 80.005, "type": "DEBIT", "status": "PENDING"});
    let cafe = json!({"description": "CAFE", "original_description": "CAFE", "amount": 4, "type": "CREDIT", "status": "PENDING"});
    let added = app
        .bank
        .change_member(&member, json!({"add": [hotel, cafe]}))
        .await;
    app.bank.webhooks_settled().await;
    ana.quiet().await;
    let held = ana.transactions().await;
    let find = |rows: &[Value], name: &str| rows.iter().find(|row| row["name"] == name).cloned();
    let (hotel, cafe) = (find(&held, "HOTEL").unwrap(), find(&held, "CAFE").unwrap());
    assert_eq!(
        (&hotel["amount"]["amount"], &hotel["pending"]),
        (&json!("-80.005"), &json!(true))
    );
    assert_eq!(
        (&cafe["amount"], &cafe["direction"]),
        (
            &json!({"amount": "4.00", "currency": "USD"}),
            &json!("INFLOW")
        ),
        "in the currency of the account, since MX names none"
    );

    let changes = json!({"post": [added["added"][0]], "remove": [added["added"][1]]});
    app.bank.change_member(&member, changes).await;
    app.bank.webhooks_settled().await;
    ana.quiet().await;
    let held = ana.transactions().await;
    let posted = find(&held, "HOTEL").unwrap();
    assert_eq!(posted["pending"], false);
    assert_ne!(posted["id"], hotel["id"], "nothing is matched by guessing");
    assert_eq!(find(&held, "CAFE"), None);
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
    let document = "query($id: ID!) { node(id: $id) { id } }";
    for gone in [&hotel, &cafe] {
        let told = ana.ask(document, json!({"id": gone["id"]})).await;
        assert_eq!(told["node"], Value::Null);
    }
    assert!(bob.transactions().await.is_empty());
}

#[tokio::test]
async fn pages_that_shift_while_they_are_read_are_read_again() {
    let app = TestApp::start().await;
    app.bank.mx(json!({"by_control": true})).await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser_2500", "any").await;
    let member = app.bank.member().await;
    // Between the first page and the second one row comes and one goes: the number stays the same.
    app.bank.step(&member, 3).await;
    let truth = app.bank.member_truth(&member).await;
    assert_eq!(truth.len(), 2500);
    let lines = app
        .bank
        .look(&format!("/control/members/{member}/oracle"))
        .await;
    let last = lines.as_str().unwrap().lines().last().unwrap().to_owned();
    let last: Value = serde_json::from_str(&last).unwrap();
    let new = json!({"description": "NEW", "original_description": "NEW", "amount": 1, "type": "DEBIT", "status": "POSTED"});
    let shift = json!({"add": [new], "remove": [last["guid"]], "notify": false, "after_page": 1});
    app.bank.change_member(&member, shift).await;
    app.bank.step(&member, 1).await;
    app.stands(&ana, &item, "SUCCESS").await;
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
    let pages = "GET /mx/users/{user_guid}/members/{member_guid}/transactions";
    assert!(app.bank.calls(pages).await.len() > 3, "it began again");
}

#[tokio::test]
async fn a_change_of_long_ago_comes_and_days_away_are_made_up_for() {
    let app = TestApp::with(&LONG).await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    let member = app.bank.member().await;
    let lines = app
        .bank
        .look(&format!("/control/members/{member}/oracle"))
        .await;
    let oldest: Value =
        serde_json::from_str(lines.as_str().unwrap().lines().last().unwrap()).unwrap();
    let pending = json!({"description": "P", "original_description": "P", "amount": 1, "type": "DEBIT", "status": "PENDING"});
    let added = app
        .bank
        .change_member(&member, json!({"add": [pending], "notify": false}))
        .await;
    let job = ana.ask_sync(&item).await;
    app.sync_ends(&ana, &job).await;

    passes(&app, 5).await;
    let changed = json!({"guid": oldest["guid"], "amount": 123.45});
    let changes = json!({"modify": [changed], "remove": [added["added"][0]], "notify": false});
    app.bank.change_member(&member, changes).await;
    let job = ana.ask_sync(&item).await;
    let ended = app.sync_ends(&ana, &job).await;
    assert_eq!(ended["progress"]["removed"], 1, "{ended}");
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
}

#[tokio::test]
async fn what_mx_takes_back_for_good_is_missed_within_a_week() {
    let app = TestApp::with(&LONG).await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    let member = app.bank.member().await;
    let posted = json!({"description": "P", "original_description": "P", "amount": 1, "type": "DEBIT", "status": "POSTED"});
    let added = json!({"add": [posted], "notify": false});
    let added = app.bank.change_member(&member, added).await;
    let job = ana.ask_sync(&item).await;
    assert_eq!(app.sync_ends(&ana, &job).await["progress"]["added"], 1);
    let taken = json!({"remove": [added["added"][0]], "notify": false});
    app.bank.change_member(&member, taken).await;
    for (days, removed) in [(5, 0), (3, 1)] {
        passes(&app, days).await;
        let job = ana.ask_sync(&item).await;
        let ended = app.sync_ends(&ana, &job).await;
        assert_eq!(ended["progress"]["removed"], removed, "{days}: {ended}");
    }
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
}

#[tokio::test]
async fn odd_rows_and_a_faulty_mx_lose_nothing() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let pages = "GET /mx/users/{user_guid}/members/{member_guid}/transactions";
    let faults = json!([
        {"kind": "status", "status": 502, "endpoint": pages, "count": 1},
        {"kind": "malformed", "form": "truncated", "endpoint": pages, "nth": 2, "count": 1},
        {"kind": "rate_limit", "retry_after": "2", "endpoint": "GET /mx/users/{user_guid}/members/{member_guid}", "count": 1},
    ]);
    app.bank.faults(faults).await;
    let item = ana.order_mx("mxuser", "any").await;
    let so = |told: &Value| told["linkStatus"] == "SUCCESS";
    let patient = async {
        while !so(&ana.mx_item(&item).await) {
            let waiting = "SELECT count(*) FROM jobs WHERE state = 'waiting'";
            if app.count(waiting).await > 0 {
                app.clock.advance(Duration::from_mins(1));
            }
        }
    };
    crate::support::patiently(patient).await;
    let member = app.bank.member().await;
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
}
