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
async fn a_faulty_mx_loses_nothing_and_is_left_alone_as_long_as_it_asks() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let pages = "GET /mx/users/{user_guid}/members/{member_guid}/transactions";
    let member = "GET /mx/users/{user_guid}/members/{member_guid}";
    let faults = json!([
        {"kind": "rate_limit", "retry_after": "90", "endpoint": member, "count": 1},
        {"kind": "status", "status": 502, "endpoint": pages, "nth": 1},
        {"kind": "malformed", "form": "truncated", "endpoint": pages, "nth": 2},
    ]);
    app.bank.faults(faults).await;
    let item = ana.order_mx("mxuser", "any").await;
    let held = "kind = 'sync.item' AND state = 'waiting' AND attempt = 1";
    app.until("jobs", held).await;
    // Not even a person in a hurry is asked for before the time MX has named.
    ana.ask_sync(&item).await;
    app.clock.advance(Duration::from_secs(80));
    let waits = format!("SELECT count(*) FROM jobs WHERE {held} AND run_at >= hold_until");
    app.settles().await;
    assert_eq!(app.count(&waits).await, 1);
    assert_eq!(app.bank.calls(member).await.len(), 1);
    app.clock.advance(Duration::from_secs(11));
    for attempt in 2..=3 {
        let failed = format!("kind = 'sync.item' AND state = 'waiting' AND attempt = {attempt}");
        app.until("jobs", &failed).await;
        app.clock.advance(Duration::from_mins(2));
    }
    app.stands(&ana, &item, "SUCCESS").await;
    let member = app.bank.member().await;
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
}

#[tokio::test]
async fn an_odd_row_of_mx_costs_no_other() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    let member = app.bank.member().await;
    let find = |rows: &[Value], name: &str| rows.iter().find(|row| row["name"] == name).cloned();
    let odd = json!({"original_description": "ODD", "amount": 5, "type": "DEBIT"});
    for (number, (name, amount)) in [
        ("unknown_account", Some("-5.00")),
        ("huge_amount", Some("-1000000000000000.00")),
        ("negative_zero_amount", Some("0.00")),
        ("negative_amount", Some("-12.34")),
        ("half_cent_amount", Some("-0.005")),
        ("exponent_amount", Some("-1000.00")),
        ("nul_name", Some("-5.00")),
        ("long_name", Some("-5.00")),
        ("right_to_left_name", Some("-5.00")),
        ("no_currency", Some("-5.00")),
        ("endless_amount", None),
        ("null_amount", None),
        ("text_amount", None),
        ("no_date", Some("-5.00")),
        ("unknown_words", None),
    ]
    .into_iter()
    .enumerate()
    {
        // The fault is planted on the newest row, which is the odd one.
        let tomorrow = app.clock.now().date_naive() + chrono::Days::new(1);
        let mut row = odd.clone();
        row["date"] = json!(tomorrow.to_string());
        let even = format!("EVEN {number}");
        let other = json!({"original_description": even, "amount": 6, "type": "DEBIT"});
        let add = json!({"add": [row, other], "notify": false});
        let added = app.bank.change_member(&member, add).await;
        let fault = json!([{"kind": "anomaly", "name": name}]);
        app.bank.faults(fault).await;
        let job = ana.ask_sync(&item).await;
        let ended = app.sync_ends(&ana, &job).await;
        assert_eq!(ended["status"], "SUCCEEDED", "{name}: {ended}");
        let rows = ana.transactions().await;
        let told = find(&rows, "ODD").map(|row| row["amount"]["amount"].clone());
        assert_eq!(told, amount.map(|amount| json!(amount)), "{name}");
        assert!(find(&rows, &even).is_some(), "{name}");
        app.bank.faults(json!([])).await;
        let gone = json!({"remove": [added["added"][0]], "notify": false});
        app.bank.change_member(&member, gone).await;
        app.meddle("DELETE FROM transactions WHERE name = 'ODD'")
            .await;
    }
}
