//! What a provider answers on a bad day: nothing is lost, and nothing is our bug.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Person, TestApp, Watch};

const SYNC: &str = "/transactions/sync";

/// An item of a hundred rows: its id here and there.
async fn linked(app: &TestApp, ana: &Person) -> (String, String) {
    let item = ana.link(&app.bank, "user_transactions_100").await;
    (item, app.bank.item_id().await)
}

/// Two rows more, and a fault planted on their way.
async fn plant(app: &TestApp, there: &str, fault: Value) {
    app.bank.faults(json!([fault])).await;
    let more = json!({"add": [{"name": "Odd", "amount": 5}, {"name": "Even", "amount": 6}], "notify": false});
    app.bank.change(there, more).await;
}

#[tokio::test]
async fn an_odd_row_costs_no_other() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (item, there) = linked(&app, &ana).await;
    for (name, odd) in [
        ("unknown_account", true),
        ("huge_amount", true),
        ("negative_zero_amount", true),
        ("half_cent_amount", true),
        ("exponent_amount", true),
        ("unknown_words", true),
        ("nul_name", true),
        ("long_name", true),
        ("right_to_left_name", true),
        ("first_date", true),
        ("last_date", true),
        ("no_currency", true),
        ("unknown_currency", true),
        ("same_id_twice", true),
        ("remove_unknown", true),
        ("modify_unknown", true),
        ("endless_amount", false),
        ("null_amount", false),
        ("text_amount", false),
        ("no_date", false),
    ] {
        let known = ana.transactions().await.len();
        plant(&app, &there, json!({"kind": "anomaly", "name": name})).await;
        let job = ana.sync(&item).await;
        assert_eq!(job["status"], "SUCCEEDED", "{name}: {job}");
        let rows = ana.transactions().await;
        let came = 1 + usize::from(odd) + usize::from(name == "modify_unknown");
        assert_eq!(rows.len(), known + came, "{name}");
        assert!(
            rows.iter()
                .any(|row| row["name"] == "Even" && row["amount"]["amount"] == "-6.00"),
            "{name}"
        );
        let shown = ana.item(&item).await;
        assert_eq!(
            (&shown["linkStatus"], &shown["transactionsStatus"]),
            (&json!("SUCCESS"), &json!("COMPLETE"))
        );
    }
}

#[tokio::test]
async fn an_odd_amount_is_exact() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (item, there) = linked(&app, &ana).await;
    for (name, amount) in [
        ("huge_amount", "-1000000000000000.00"),
        ("half_cent_amount", "-0.005"),
        ("exponent_amount", "-1000.00"),
        ("negative_zero_amount", "0.00"),
    ] {
        plant(&app, &there, json!({"kind": "anomaly", "name": name})).await;
        ana.sync(&item).await;
        let rows = ana.transactions().await;
        let same = |row: &&Value| row["name"] == "Odd" && row["amount"]["amount"] == amount;
        let odd = rows.iter().find(same);
        let odd = odd.unwrap_or_else(|| panic!("{name}: no row of {amount}"));
        let document = "query($a: Decimal) { transactions(filter: {amount: {min: $a, max: $a}, text: \"odd\"}) { nodes { id } } }";
        let found = ana.ask(document, json!({"a": amount})).await;
        assert_eq!(found["transactions"]["nodes"][0]["id"], odd["id"], "{name}");
    }
}

/// Advances the clock whenever the sync waits, until it has ended.
async fn outlasts(app: &TestApp, jobs: &mut Watch, wait: Duration) -> (Value, Vec<Value>) {
    let mut waits = Vec::new();
    loop {
        let mut event = jobs.next().await;
        let job = event["syncJobUpdated"]["syncJob"].take();
        match job["status"].as_str().unwrap() {
            "SUCCEEDED" | "FAILED" => return (job, waits),
            "WAITING" => {
                waits.push(job["error"].clone());
                app.clock.advance(wait);
            }
            _ => {}
        }
    }
}

const FOLLOW: &str = "subscription($id: ID!) { syncJobUpdated(syncJobId: $id) { syncJob { status attempt \
                      nextAttemptAt error { code action retryable message } } } }";
const ASK: &str =
    "mutation($id: ID!) { syncItem(input: {itemId: $id}) { syncJob { id } userErrors { code } } }";

#[tokio::test]
async fn an_answer_that_is_none_is_asked_for_again() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "12h")]).await;
    let ana = app.person("ana").await;
    let (item, there) = linked(&app, &ana).await;
    for fault in [
        json!({"kind": "html", "status": 502}),
        json!({"kind": "html", "status": 200}),
        json!({"kind": "malformed", "form": "truncated"}),
        json!({"kind": "malformed", "form": "trailing"}),
        json!({"kind": "malformed", "form": "nan"}),
        json!({"kind": "malformed", "form": "wrong_type"}),
        json!({"kind": "malformed", "form": "deep"}),
        json!({"kind": "malformed", "form": "empty"}),
        json!({"kind": "malformed", "form": "null"}),
        json!({"kind": "drop", "after": 100}),
        json!({"kind": "lost"}),
        json!({"kind": "huge", "bytes": 200_000_000}),
        json!({"kind": "rate_limit", "retry_after": "7"}),
        json!({"kind": "rate_limit", "retry_after": "-1"}),
        json!({"kind": "error", "code": "INTERNAL_SERVER_ERROR"}),
        json!({"kind": "error", "code": "PLANNED_MAINTENANCE"}),
        json!({"kind": "anomaly", "name": "endless"}),
    ] {
        let mut planted = fault.clone();
        planted["endpoint"] = SYNC.into();
        planted["count"] = if fault["name"] == "endless" { 2 } else { 1 }.into();
        plant(&app, &there, planted).await;
        let job = ana.ask(ASK, json!({"id": item})).await;
        let mut jobs = ana
            .watch(FOLLOW, json!({"id": job["syncItem"]["syncJob"]["id"]}))
            .await;
        let wait = Duration::from_secs(match (fault["kind"].as_str(), fault["code"].as_str()) {
            (_, Some("PLANNED_MAINTENANCE")) => 11 * 60,
            (Some("rate_limit"), _) => 61,
            _ => 16,
        });
        let (ended, waits) = outlasts(&app, &mut jobs, wait).await;
        assert_eq!(
            (&ended["status"], &ended["attempt"]),
            (&json!("SUCCEEDED"), &json!(2)),
            "{fault}"
        );
        assert_eq!(
            (&waits[0]["code"], &waits[0]["action"]),
            (&json!("PROVIDER_UNAVAILABLE"), &json!("WAIT")),
            "{fault}"
        );
        assert_eq!(
            ana.transactions().await.len(),
            app.bank.oracle(&there).await.len(),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn what_waiting_does_not_mend_is_told_with_what_to_do() {
    for (code, told, action) in [
        ("ITEM_LOCKED", "REAUTHENTICATION_REQUIRED", "REAUTHENTICATE"),
        ("NO_ACCOUNTS", "REAUTHENTICATION_REQUIRED", "REAUTHENTICATE"),
        ("ITEM_NOT_FOUND", "ITEM_DISCONNECTED", "LINK_AGAIN"),
        ("PRODUCTS_NOT_SUPPORTED", "NOT_SUPPORTED", ""),
        (
            "INVALID_API_KEYS",
            "PROVIDER_MISCONFIGURED",
            "CONTACT_OPERATOR",
        ),
        (
            "INVALID_ACCESS_TOKEN",
            "PROVIDER_MISCONFIGURED",
            "CONTACT_OPERATOR",
        ),
        (
            "CREDITS_EXHAUSTED",
            "PROVIDER_MISCONFIGURED",
            "CONTACT_OPERATOR",
        ),
        (
            "UNKNOWN_FIELDS",
            "PROVIDER_MISCONFIGURED",
            "CONTACT_OPERATOR",
        ),
    ] {
        let app = TestApp::start().await;
        let ana = app.person("ana").await;
        let (item, there) = linked(&app, &ana).await;
        plant(
            &app,
            &there,
            json!({"kind": "error", "code": code, "endpoint": SYNC}),
        )
        .await;
        let rows = ana.transactions().await;
        let ended = ana.sync(&item).await;
        assert_eq!(
            (&ended["status"], &ended["attempt"]),
            (&json!("FAILED"), &json!(1)),
            "{code}: {ended}"
        );
        assert_eq!(
            (
                &ended["error"]["code"],
                ended["error"]["action"].as_str().unwrap_or_default()
            ),
            (&json!(told), action),
            "{code}"
        );
        assert!(
            !ended["error"]["message"].as_str().unwrap().contains(code),
            "{ended}"
        );
        assert_eq!(ana.transactions().await, rows, "{code}");
        assert!(app.bank.oracle(&there).await.len() > rows.len());
    }
}

#[tokio::test]
async fn a_cursor_the_provider_forgot_is_made_good_and_the_ids_stay() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (item, there) = linked(&app, &ana).await;
    let known = ana.transactions().await;
    let gone = app.bank.oracle(&there).await[0]["transaction_id"].clone();
    app.bank
        .change(&there, json!({"remove": [gone], "notify": false}))
        .await;
    app.bank
        .event(&there, json!({"event": "expire_cursors"}))
        .await;

    assert_eq!(ana.sync(&item).await["status"], "SUCCEEDED");
    let rows = ana.transactions().await;
    assert_eq!(rows.len(), app.bank.oracle(&there).await.len());
    let kept = |row: &&Value| rows.iter().any(|other| other["id"] == row["id"]);
    assert!(known.iter().filter(kept).count() >= known.len() - 1);
}

#[tokio::test]
async fn a_history_that_is_still_collected_is_waited_for() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    app.bank.settings(json!({"not_ready_calls": 2})).await;
    let webhook = format!("{}/webhooks/plaid", app.url);
    let linked = ana
        .exchange(&app.bank.public_token("user_good", &webhook).await)
        .await;
    let mut jobs = ana
        .watch(FOLLOW, json!({"id": linked["syncJob"]["id"]}))
        .await;
    let (ended, waits) = outlasts(&app, &mut jobs, Duration::from_secs(5)).await;
    assert_eq!(ended["status"], "SUCCEEDED");
    assert!(
        waits.iter().all(Value::is_null),
        "nothing is wrong meanwhile: {waits:?}"
    );
    assert!(!ana.transactions().await.is_empty());
}
