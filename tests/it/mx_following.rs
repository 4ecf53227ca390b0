//! Following a login that MX signs in with: how often it is looked at, when a fault is believed, and
//! what ends the way.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{MX_PASSWORD, MX_USER, Person, TestApp, patiently};

const MEMBER: &str = "GET /mx/users/{user_guid}/members/{member_guid}";
const AGGREGATE: &str = "POST /mx/users/{user_guid}/members/{member_guid}/aggregate";
const CHALLENGES: &str = "GET /mx/users/{user_guid}/members/{member_guid}/challenges";
const WAITS: &str = "kind = 'sync.item' AND state = 'waiting'";

/// Tells of news as MX does, whatever MX itself tells.
async fn tell(app: &TestApp, member: &str) {
    // The same words within ten minutes would be the same webhook.
    let body = json!({"type": "AGGREGATION", "action": "member_data_updated", "member_guid": member,
        "completed_at": app.clock.now().timestamp_micros()});
    let client = reqwest::Client::builder().build().unwrap();
    let request = client.post(format!("{}/webhooks/mx", app.url));
    let request = request.basic_auth(MX_USER, Some(MX_PASSWORD));
    let answer = request.body(body.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

/// A member as MX would show it in a state that nothing goes on in.
fn settled(word: &str) -> Value {
    json!({"member": {"guid": "MBR-1", "institution_code": "mxbank", "connection_status": word, "is_being_aggregated": false}})
}

/// Waits until an item stands so, and lets no time pass.
async fn is_so(person: &Person, item: &str, status: &str) -> Value {
    let so = async {
        loop {
            let told = person.mx_item(item).await;
            if told["linkStatus"] == status {
                return told;
            }
        }
    };
    patiently(so).await
}

/// Lets a sync follow until the next look is minutes away.
async fn follows_for_long(app: &TestApp) {
    for _ in 0..6 {
        app.until("jobs", WAITS).await;
        app.clock.advance(Duration::from_mins(2));
    }
    let far = format!("SELECT count(*) FROM jobs WHERE {WAITS} AND run_at > hold_until + 20000");
    app.becomes(&far, 1).await;
}

#[tokio::test]
async fn a_wake_up_that_comes_while_it_looks_is_not_put_off() {
    let app = TestApp::start().await;
    app.bank.mx(json!({"by_control": true})).await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "challenge").await;
    let member = app.bank.member().await;
    follows_for_long(&app).await;
    for round in 0..2 {
        let slow = json!([{"kind": "latency", "ms": 900, "endpoint": MEMBER, "count": 1}]);
        app.bank.faults(slow).await;
        app.clock.advance(Duration::from_mins(6));
        app.until("jobs", "kind = 'sync.item' AND state = 'running'")
            .await;
        tell(&app, &member).await;
        app.until("jobs", "kind = 'sync.item' AND state = 'queued'")
            .await;
        app.until("jobs", WAITS).await;
        let soon = format!("{WAITS} AND run_at = hold_until");
        app.until("jobs", &soon).await;
        if round == 1 {
            app.bank.step(&member, 1).await;
            app.clock.advance(Duration::from_secs(4));
            is_so(&ana, &item, "CHALLENGED").await;
            return;
        }
        // One wake-up is worth one look: after that it is patient again.
        app.clock.advance(Duration::from_secs(4));
        let far = format!("{WAITS} AND run_at > hold_until + 20000");
        app.until("jobs", &far).await;
    }
}

#[tokio::test]
async fn whoever_is_in_a_hurry_waits_three_seconds_since_the_last_look() {
    let app = TestApp::start().await;
    app.bank.mx(json!({"by_control": true})).await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "challenge").await;
    let member = app.bank.member().await;
    follows_for_long(&app).await;
    let looks = app.bank.calls(MEMBER).await.len();
    let looked = async |more: usize| {
        patiently(async { while app.bank.calls(MEMBER).await.len() < looks + more {} }).await;
        app.until("jobs", WAITS).await;
    };
    // One webhook brings a look, and whoever comes after that is too soon for another.
    tell(&app, &member).await;
    looked(1).await;
    tell(&app, &member).await;
    ana.ask_sync(&item).await;
    looked(2).await;
    let calls = app.bank.calls(MEMBER).await;
    let at = |call: &Value| -> chrono::DateTime<chrono::Utc> {
        call["at"].as_str().unwrap().parse().unwrap()
    };
    let apart = at(&calls[looks + 1]) - at(&calls[looks]);
    assert!(apart >= chrono::TimeDelta::seconds(3), "{apart}");
}

#[tokio::test]
async fn a_challenge_without_questions_is_waited_for_and_ends_at_mxs_own_page() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let none = json!([{"kind": "status", "status": 204, "endpoint": CHALLENGES}]);
    app.bank.faults(none).await;
    let item = ana.order_mx("mxuser", "challenge").await;
    app.until("jobs", WAITS).await;
    let told = ana.mx_item(&item).await;
    assert_eq!(told["linkStatus"], "PROCESSING", "{told}");
    let told = app.stands(&ana, &item, "ERROR").await;
    assert_eq!(told["requiredAction"]["__typename"], "ReauthenticateAction");
    assert_eq!(told["linkErrorCode"], "UNREADABLE_CHALLENGE");
    assert_eq!(told["transactionsStatus"], "DOWNLOADING");
    // When the questions can be read after all, they are told.
    app.bank.faults(json!([])).await;
    let member = app.bank.member().await;
    app.idle().await;
    tell(&app, &member).await;
    let told = is_so(&ana, &item, "CHALLENGED").await;
    assert!(told["requiredAction"]["challenges"][0]["id"].is_string());
}

#[tokio::test]
async fn a_fault_of_before_the_new_credentials_is_not_believed() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "DENIED").await;
    app.stands(&ana, &item, "INVALID_CREDENTIALS").await;
    app.idle().await;
    // MX shows for a moment how it stood before.
    let said = settled("DENIED");
    let late = json!([{"kind": "says", "body": said, "endpoint": MEMBER, "count": 1}]);
    app.bank.faults(late).await;
    let good = ana.credentials("mxuser", "any").await;
    let tried = ana.update(&item, good).await;
    let job = tried["syncJob"]["id"].as_str().unwrap().to_owned();
    let ended = app.sync_ends(&ana, &job).await;
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    assert_eq!(ana.mx_item(&item).await["linkStatus"], "SUCCESS");
}

#[tokio::test]
async fn what_mx_is_asked_to_do_is_looked_at_three_seconds_later() {
    let app = TestApp::start().await;
    app.bank.mx(json!({"new_rows": 2})).await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    app.idle().await;
    let looks = app.bank.calls(MEMBER).await.len();
    let job = ana.ask_sync(&item).await;
    app.until("jobs", WAITS).await;
    assert_eq!(app.bank.calls(AGGREGATE).await.len(), 1);
    assert_eq!(app.bank.calls(MEMBER).await.len(), looks + 1);
    assert_eq!(app.sync_ends(&ana, &job).await["status"], "SUCCEEDED");
    assert_eq!(app.bank.calls(AGGREGATE).await.len(), 1);
    let member = app.bank.member().await;
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
}

#[tokio::test]
async fn a_refresh_that_is_refused_costs_no_sync() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    for status in [429, 400, 422, 409, 502] {
        let refused = json!([{"kind": "status", "status": status, "endpoint": AGGREGATE}]);
        app.bank.faults(refused).await;
        let before = app.bank.calls(AGGREGATE).await.len();
        let job = ana.ask_sync(&item).await;
        let ended = app.sync_ends(&ana, &job).await;
        assert_eq!(ended["status"], "SUCCEEDED", "{status}: {ended}");
        let asked = app.bank.calls(AGGREGATE).await.len() - before;
        assert_eq!(asked, 1, "{status}");
        assert_eq!(ana.mx_item(&item).await["linkStatus"], "SUCCESS");
    }
}

#[tokio::test]
async fn a_challenge_that_was_answered_elsewhere_is_forgotten() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "challenge").await;
    app.stands(&ana, &item, "CHALLENGED").await;
    app.idle().await;
    let member = app.bank.member().await;
    let held = "SELECT count(*) FROM challenges";
    assert_eq!(app.count(held).await, 1);
    app.bank
        .set_member(&member, json!({"connection_status": "CONNECTED"}))
        .await;
    tell(&app, &member).await;
    app.stands(&ana, &item, "SUCCESS").await;
    assert_eq!(app.count(held).await, 0);
    // Nor are questions kept of a member that is gone.
    let word = json!({"connection_status": "CONNECTED", "password": "challenge"});
    app.bank.set_member(&member, word).await;
    ana.ask_sync(&item).await;
    app.stands(&ana, &item, "CHALLENGED").await;
    app.idle().await;
    assert_eq!(app.count(held).await, 1);
    let gone = json!([{"kind": "status", "status": 404, "endpoint": MEMBER}]);
    app.bank.faults(gone).await;
    ana.ask_sync(&item).await;
    app.stands(&ana, &item, "DISCONNECTED").await;
    assert_eq!(app.count(held).await, 0);
}

#[tokio::test]
async fn a_question_that_is_asked_anew_is_open_anew() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "challenge").await;
    app.stands(&ana, &item, "CHALLENGED").await;
    app.idle().await;
    // As an older release left it: answered, and not forgotten.
    app.meddle("UPDATE items SET link_status = 'success'").await;
    app.clock.advance(Duration::from_mins(8));
    app.idle().await;
    let member = app.bank.member().await;
    tell(&app, &member).await;
    let told = is_so(&ana, &item, "CHALLENGED").await;
    let until = told["requiredAction"]["expiresAt"].as_str().unwrap();
    let until: chrono::DateTime<chrono::Utc> = until.parse().unwrap();
    assert!(until > app.clock.now(), "{until}");
}

#[tokio::test]
async fn a_look_that_began_before_the_person_did_something_is_thrown_away() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "DENIED").await;
    app.stands(&ana, &item, "INVALID_CREDENTIALS").await;
    app.idle().await;
    let good = ana.credentials("mxuser", "any").await;
    let old = json!([
        {"kind": "says", "body": settled("DENIED"), "endpoint": MEMBER, "count": 1},
        {"kind": "held", "endpoint": MEMBER, "count": 1},
    ]);
    app.bank.faults(old).await;
    let job = ana.ask_sync(&item).await;
    app.until("jobs", "kind = 'sync.item' AND state = 'running'")
        .await;
    let tried = ana.update(&item, good).await;
    assert_eq!(tried["item"]["linkStatus"], "PROCESSING", "{tried}");
    app.bank.faults(json!([])).await;
    let ended = app.sync_ends(&ana, &job).await;
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
}

#[tokio::test]
async fn a_login_that_should_go_on_and_does_not_is_asked_to() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    app.idle().await;
    let member = app.bank.member().await;
    app.bank
        .set_member(&member, json!({"connection_status": "RECONNECTED"}))
        .await;
    tell(&app, &member).await;
    app.stands(&ana, &item, "PROCESSING").await;
    assert!(app.bank.calls(AGGREGATE).await.is_empty());
    app.stands(&ana, &item, "SUCCESS").await;
    assert_eq!(app.bank.calls(AGGREGATE).await.len(), 1);
}

#[tokio::test]
async fn a_bank_that_does_not_get_done_is_given_up_after_six_hours() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
    app.bank.mx(json!({"by_control": true})).await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "any").await;
    for _ in 0..35 {
        app.until("jobs", WAITS).await;
        app.clock.advance(Duration::from_mins(10));
        app.settles().await;
    }
    let told = ana.mx_item(&item).await;
    assert_eq!(told["linkStatus"], "PROCESSING", "{told}");
    app.clock.advance(Duration::from_mins(11));
    let told = is_so(&ana, &item, "ERROR").await;
    assert_eq!(told["linkErrorCode"], "TIMEOUT");
    assert_eq!(
        app.count("SELECT count(*) FROM sync_jobs WHERE status = 'failed'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_login_that_works_stays_well_while_the_bank_is_asked_for_news() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    app.bank.mx(json!({"by_control": true})).await;
    let item = ana.order_mx("mxuser", "any").await;
    let member = app.bank.member().await;
    let collecting = |told: &Value| told["transactionsStatus"] == "DOWNLOADING";
    // The first time it is only well when everything is here.
    app.bank.step(&member, 1).await;
    for _ in 0..3 {
        app.until("jobs", WAITS).await;
        let told = ana.mx_item(&item).await;
        assert_eq!(told["linkStatus"], "PROCESSING", "{told}");
        app.clock.advance(Duration::from_secs(30));
        app.settles().await;
    }
    app.bank.step(&member, 3).await;
    app.stands(&ana, &item, "SUCCESS").await;
    app.idle().await;
    let job = ana.ask_sync(&item).await;
    app.until("jobs", WAITS).await;
    app.bank.step(&member, 1).await;
    let told = app.becomes_so(&ana, &item, collecting).await;
    assert_eq!(told["linkStatus"], "SUCCESS", "{told}");
    app.bank.step(&member, 3).await;
    assert_eq!(app.sync_ends(&ana, &job).await["status"], "SUCCEEDED");
    let told = ana.mx_item(&item).await;
    assert_eq!(told["transactionsStatus"], "COMPLETE", "{told}");
}
