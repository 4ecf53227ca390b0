//! How a login stands that MX connects: each of its states, wrong credentials, and a server that is
//! restarted on the way.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::TestApp;

/// Every state: what the item says, and what the person is asked to do. Those of a login that something
/// goes on with, or that asks, are in stories of their own.
const STATES: [(&str, &str, &str, &str); 17] = [
    (
        "PREVENTED",
        "INVALID_CREDENTIALS",
        "FAILED",
        "ReauthenticateAction",
    ),
    (
        "DENIED",
        "INVALID_CREDENTIALS",
        "FAILED",
        "ReauthenticateAction",
    ),
    (
        "IMPORTED",
        "INVALID_CREDENTIALS",
        "FAILED",
        "ReauthenticateAction",
    ),
    (
        "IMPAIRED",
        "INVALID_CREDENTIALS",
        "FAILED",
        "ReauthenticateAction",
    ),
    ("REJECTED", "ERROR", "FAILED", "ReauthenticateAction"),
    ("LOCKED", "ERROR", "FAILED", "ReauthenticateAction"),
    ("IMPEDED", "ERROR", "FAILED", "ReauthenticateAction"),
    ("EXPIRED", "ERROR", "FAILED", "ReauthenticateAction"),
    ("CLOSED", "ERROR", "FAILED", "ReauthenticateAction"),
    ("DEGRADED", "ERROR", "FAILED", ""),
    ("DISCONNECTED", "ERROR", "FAILED", ""),
    ("DISCONTINUED", "ERROR", "FAILED", ""),
    ("DELAYED", "ERROR", "DOWNLOADING", ""),
    ("FAILED", "ERROR", "FAILED", ""),
    ("DISABLED", "ERROR", "FAILED", ""),
    ("NEVER_HEARD_OF", "ERROR", "FAILED", ""),
    ("CONNECTED", "SUCCESS", "COMPLETE", ""),
];

#[tokio::test]
async fn every_state_of_mx_has_its_place() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
    app.hears_mx().await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    let member = app.bank.member().await;
    app.bank.webhooks_settled().await;
    app.idle_but_waiting().await;
    let synced = ana.mx_item(&item).await["lastSyncedAt"].clone();
    let look =
        json!({"type": "AGGREGATION", "action": "member_data_updated", "member_guid": member});
    let stands = async |word: Value, link: &str, rows: &str, action: &str| {
        app.bank
            .set_member(&member, json!({"connection_status": word}))
            .await;
        app.bank.mx_sends(look.clone(), 1).await;
        // It may be so before it is told, and what is told later would be the same within ten minutes.
        app.bank.webhooks_settled().await;
        let code = match (link, &word) {
            ("PROCESSING" | "SUCCESS", _) => Value::Null,
            (_, Value::Null) => json!("NONE"),
            (_, word) => word.clone(),
        };
        let stood = json!([link, rows, code]);
        let so = |told: &Value| {
            json!([
                told["linkStatus"],
                told["transactionsStatus"],
                told["linkErrorCode"]
            ]) == stood
        };
        let told = app.becomes_so(&ana, &item, so).await;
        app.clock.advance(Duration::from_secs(700));
        app.bank.webhooks_settled().await;
        app.idle_but_waiting().await;
        let told = if link == "PROCESSING" {
            told
        } else {
            ana.mx_item(&item).await
        };
        let asked = told["requiredAction"]["__typename"]
            .as_str()
            .unwrap_or_default();
        assert_eq!(asked, action, "{word}: {told}");
        told
    };
    for (word, link, rows, action) in STATES {
        let told = stands(json!(word), link, rows, action).await;
        if link == "ERROR" {
            assert_eq!(told["lastSyncedAt"], synced, "{word}");
        }
    }
    stands(Value::Null, "ERROR", "FAILED", "ReauthenticateAction").await;
    for word in ["CREATED", "RECONNECTED", "UPDATED", "RESUMED", "PENDING"] {
        stands(json!(word), "PROCESSING", "DOWNLOADING", "").await;
        stands(json!("CONNECTED"), "SUCCESS", "COMPLETE", "").await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_entered_again_and_on_it_goes() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let item = ana.order_mx("mxuser", "DENIED").await;
    let told = app.stands(&ana, &item, "INVALID_CREDENTIALS").await;
    assert_eq!(told["requiredAction"]["reason"], "INVALID_CREDENTIALS");
    assert_eq!(told["requiredAction"]["itemId"], item.as_str());
    assert!(told["linkErrorMessage"].is_string(), "{told}");
    let jobs = ana.quiet().await;
    assert_eq!(
        jobs[0]["error"]["code"], "REAUTHENTICATION_REQUIRED",
        "{jobs:?}"
    );
    // Nobody tries wrong credentials again, not even the button.
    let job = ana.ask_sync(&item).await;
    assert_eq!(app.sync_ends(&ana, &job).await["status"], "FAILED");
    let aggregate = "POST /mx/users/{user_guid}/members/{member_guid}/aggregate";
    assert!(app.bank.calls(aggregate).await.is_empty());

    let good = ana.credentials("mxuser", "any").await;
    let refused = bob.update(&item, good.clone()).await;
    assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(
        ana.mx_item(&item).await["linkStatus"],
        "INVALID_CREDENTIALS"
    );
    let refused = ana.update(&item, json!([good[0]])).await;
    assert_eq!(
        refused["userErrors"][0]["code"], "INVALID_INPUT",
        "{refused}"
    );

    let tried = ana.update(&item, good).await;
    assert_eq!(tried["item"]["linkStatus"], "PROCESSING", "{tried}");
    let told = app.stands(&ana, &item, "SUCCESS").await;
    assert!(told["requiredAction"].is_null() && told["linkErrorCode"].is_null());
    let member = app.bank.member().await;
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
    assert!(bob.transactions().await.is_empty());
}

#[tokio::test]
async fn a_login_is_repaired_on_mxs_own_page_though_nobody_tells() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "DENIED").await;
    app.stands(&ana, &item, "INVALID_CREDENTIALS").await;
    let address = ana.hosted_link(Some(&item)).await;
    let page = app.bank.opened(&address).await;
    let typed = [
        ("action", "sign_in"),
        ("LOGIN", "mxuser"),
        ("PASSWORD", "any"),
    ];
    app.bank.fill(&page, &typed).await;
    app.until(
        "jobs",
        "kind = 'linking.watch_session' AND state = 'queued'",
    )
    .await;
    app.clock.advance(Duration::from_secs(11));
    app.stands(&ana, &item, "SUCCESS").await;
    assert!(!ana.transactions().await.is_empty());
}

#[tokio::test]
async fn following_survives_a_server_that_ends_or_dies() {
    for dies in [false, true] {
        let app = TestApp::start().await;
        app.bank.mx(json!({"by_control": true})).await;
        let ana = app.person("ana").await;
        let item = ana.order_mx("mxuser", "any").await;
        app.until("jobs", "kind = 'sync.item' AND state = 'waiting'")
            .await;
        let app = if dies {
            app.crash().await
        } else {
            app.restart().await
        };
        let member = app.bank.member().await;
        app.bank.step(&member, 4).await;
        app.stands(&ana, &item, "SUCCESS").await;
        assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
        assert_eq!(ana.quiet().await.len(), 1);
    }
}

#[tokio::test]
async fn a_sync_by_hand_asks_the_bank_and_a_throttled_one_ends_all_the_same() {
    let app = TestApp::start().await;
    app.bank.mx(json!({"new_rows": 3})).await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    let member = app.bank.member().await;
    let before = ana.transactions().await.len();
    let job = ana.ask_sync(&item).await;
    let ended = app.sync_ends(&ana, &job).await;
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
    assert_eq!(ana.transactions().await.len(), before + 3);
    ana.remove(&item).await;
    app.idle().await;

    let fields = ana.fields("Hazel").await;
    let typed = |field: &Value| json!({"fieldId": field["id"], "value": "mxuser"});
    let credentials: Value = fields.iter().map(typed).collect();
    let input = json!({"institutionCode": "hazel_bank", "credentials": credentials});
    let ordered = ana.order(input).await;
    let item = ordered["item"]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{ordered}"));
    app.stands(&ana, item, "SUCCESS").await;
    let before = ana.holds().await;
    let job = ana.ask_sync(item).await;
    let ended = app.sync_ends(&ana, &job).await;
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    assert_eq!(ana.holds().await, before);
}
