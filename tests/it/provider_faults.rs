//! What a provider answers on a bad day: nothing is lost, and nothing is our bug.

use chrono::{DateTime, TimeDelta};
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

/// A pause of a sync: what is told of it, and how long it is in seconds.
struct Pause {
    error: Value,
    seconds: i64,
}

/// Advances the clock to the next attempt whenever the sync waits, until it has ended.
async fn outlasts(app: &TestApp, jobs: &mut Watch) -> (Value, Vec<Pause>) {
    let mut pauses = Vec::new();
    let mut paused = Value::Null;
    loop {
        let mut event = jobs.next().await;
        let told = event["syncJobUpdated"]["occurredAt"].take();
        let job = event["syncJobUpdated"]["syncJob"].take();
        match job["status"].as_str().unwrap() {
            "SUCCEEDED" | "FAILED" => return (job, pauses),
            // Two events that are sent late show the same pause, which is one.
            "WAITING" if job["attempt"] != paused => {
                let moment = |text: &Value| {
                    let moment = DateTime::parse_from_rfc3339(text.as_str().unwrap());
                    moment.unwrap()
                };
                let pause = moment(&job["nextAttemptAt"]) - moment(&told);
                app.clock.advance(pause.to_std().unwrap());
                paused = job["attempt"].clone();
                pauses.push(Pause {
                    error: job["error"].clone(),
                    // What the two moments differ by was told between them.
                    seconds: (pause + TimeDelta::milliseconds(500)).num_seconds(),
                });
            }
            _ => {}
        }
    }
}

const FOLLOW: &str = "subscription($id: ID!) { syncJobUpdated(syncJobId: $id) { occurredAt syncJob { status attempt \
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
        let (ended, pauses) = outlasts(&app, &mut jobs).await;
        assert_eq!(
            (&ended["status"], &ended["attempt"]),
            (&json!("SUCCEEDED"), &json!(2)),
            "{fault}"
        );
        let Pause { error, seconds } = &pauses[0];
        assert_eq!(
            (&error["code"], &error["action"]),
            (&json!("PROVIDER_UNAVAILABLE"), &json!("WAIT")),
            "{fault}"
        );
        let bearable = match (fault["kind"].as_str(), fault["code"].as_str()) {
            (_, Some("PLANNED_MAINTENANCE")) => 600..=601,
            (Some("rate_limit"), _) => 60..=61,
            _ => 0..=16,
        };
        assert!(bearable.contains(seconds), "{seconds} s after {fault}");
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
    let (ended, pauses) = outlasts(&app, &mut jobs).await;
    assert_eq!(ended["status"], "SUCCEEDED");
    let told: Vec<_> = pauses.iter().map(|p| (&p.error, p.seconds)).collect();
    let soon = [(&Value::Null, 1), (&Value::Null, 2)];
    assert_eq!(
        told, soon,
        "nothing is wrong meanwhile, and it is soon over"
    );
    assert!(!ana.transactions().await.is_empty());
}
