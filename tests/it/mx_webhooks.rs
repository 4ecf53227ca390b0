//! MX's webhooks: who may send them, what they bring forward, and what they never do.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{MX_PASSWORD, MX_USER, TestApp};

async fn send(app: &TestApp, login: Option<(&str, &str)>, body: &str) -> StatusCode {
    let client = reqwest::Client::builder().build().unwrap();
    let request = client.post(format!("{}/webhooks/mx", app.url));
    let request = match login {
        Some((user, password)) => request.basic_auth(user, Some(password)),
        None => request,
    };
    request.body(body.to_owned()).send().await.unwrap().status()
}

#[tokio::test]
async fn only_who_knows_the_password_is_heard_and_the_rest_leaves_nothing() {
    let app = TestApp::start().await;
    let good = Some((MX_USER, MX_PASSWORD));
    let body = r#"{"type":"AGGREGATION","action":"member_data_updated","member_guid":"MBR-1","user_guid":"USR-1"}"#;
    for login in [
        None,
        Some((MX_USER, "wrong")),
        Some(("", "")),
        Some(("wrong", MX_PASSWORD)),
    ] {
        assert_eq!(send(&app, login, body).await, 401);
    }
    assert_eq!(send(&app, good, &" ".repeat(65 * 1024)).await, 413);
    assert_eq!(app.count("SELECT count(*) FROM webhooks").await, 0);
    // The ten minutes of a body are those of the clock: these begin just now.
    let gone = u64::try_from(app.clock.now().timestamp() % 600).unwrap();
    app.clock.advance(Duration::from_secs(601 - gone));
    assert_eq!(send(&app, good, body).await, 204);
    assert_eq!(send(&app, good, body).await, 204);
    assert_eq!(app.count("SELECT count(*) FROM webhooks").await, 1);
    assert_eq!(send(&app, good, r#"{"type":"BRAND_NEW"}"#).await, 204);
    app.clock.advance(Duration::from_secs(601));
    assert_eq!(send(&app, good, body).await, 204);
    assert_eq!(app.count("SELECT count(*) FROM webhooks").await, 3);
    assert_eq!(app.count("SELECT count(*) FROM items").await, 0);
}

#[tokio::test]
async fn what_nobody_can_read_is_kept_and_not_asked_for_again() {
    let app = TestApp::start().await;
    let good = Some((MX_USER, MX_PASSWORD));
    for unreadable in ["not json", "[]", "", "{\"type\":"] {
        assert_eq!(send(&app, good, unreadable).await, 204, "{unreadable}");
        assert_eq!(send(&app, None, unreadable).await, 401, "{unreadable}");
    }
    let ignored = "SELECT count(*) FROM webhooks WHERE state = 'ignored'";
    assert_eq!(app.count(ignored).await, 4);
}

#[tokio::test]
async fn news_of_somebody_who_has_left_move_nobody() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    ana.link_mx(&app, "mxuser").await;
    let member = app.bank.members().await.remove(0);
    let busy =
        json!([{"kind": "status", "status": 503, "endpoint": "DELETE /mx/users/{user_guid}"}]);
    app.bank.faults(busy).await;
    ana.leaves().await;
    app.bank.members_are(0).await;
    let news = json!({"type": "MEMBER", "action": "created", "guid": "MBR-new", "user_guid": member["user_guid"]});
    assert_eq!(
        send(&app, Some((MX_USER, MX_PASSWORD)), &news.to_string()).await,
        204
    );
    assert_eq!(app.count("SELECT count(*) FROM provider_users").await, 1);
    let looked = "SELECT count(*) FROM jobs WHERE kind = 'linking.adopt'";
    assert_eq!(app.count(looked).await, 0);
    // Of somebody who is here they do.
    bob.link_mx(&app, "mxuser").await;
    let member = app.bank.members().await.remove(0);
    let news = json!({"type": "MEMBER", "action": "created", "guid": "MBR-his", "user_guid": member["user_guid"]});
    assert_eq!(
        send(&app, Some((MX_USER, MX_PASSWORD)), &news.to_string()).await,
        204
    );
    assert_eq!(app.count(looked).await, 1);
}

#[tokio::test]
async fn news_are_pulled_once_however_often_they_are_told() {
    let app = TestApp::start().await;
    app.hears_mx().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let item = ana.link_mx(&app, "mxuser").await;
    let member = app.bank.member().await;
    app.bank.webhooks_settled().await;
    ana.quiet().await;
    app.bank
        .settings(json!({"webhooks": {"duplicates": 3}}))
        .await;
    let mut events = ana
        .watch(
            "subscription { transactionsChanged { added item { id } } }",
            json!({}),
        )
        .await;
    let mut stranger = bob
        .watch("subscription { transactionsChanged { added } }", json!({}))
        .await;
    let new = json!({"description": "NEW", "amount": 5, "type": "DEBIT", "status": "POSTED"});
    app.bank.change_member(&member, json!({"add": [new]})).await;
    let event = events.next().await;
    assert_eq!(
        event["transactionsChanged"],
        json!({"added": 1, "item": {"id": item}})
    );
    let sent = app.bank.webhooks_settled().await;
    assert!(
        sent.iter().all(|webhook| webhook["state"] == "delivered"),
        "{sent:?}"
    );
    ana.quiet().await;
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
    events.silent().await;
    stranger.silent().await;
}

#[tokio::test]
async fn a_webhook_brings_the_next_look_forward() {
    let app = TestApp::start().await;
    app.hears_mx().await;
    app.bank.mx(json!({"by_control": true})).await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "challenge").await;
    app.bank.webhooks_settled().await;
    // It has waited for long, so that the next look is minutes away.
    for _ in 0..6 {
        app.until("jobs", "kind = 'sync.item' AND state = 'waiting'")
            .await;
        app.clock.advance(Duration::from_mins(2));
    }
    let far = "SELECT count(*) FROM jobs WHERE kind = 'sync.item' AND state = 'waiting' AND run_at > hold_until + 20000";
    app.becomes(far, 1).await;
    let member = app.bank.member().await;
    app.bank.step(&member, 1).await;
    app.bank.webhooks_settled().await;
    app.clock.advance(Duration::from_secs(4));
    let told = app.stands(&ana, &item, "CHALLENGED").await;
    assert_eq!(
        told["requiredAction"]["challenges"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_webhook_that_comes_before_its_item_makes_no_second_one() {
    let app = TestApp::start().await;
    app.hears_mx().await;
    let ana = app.person("ana").await;
    // MX tells of the member before it answers, and whoever hears of it makes the item.
    let held = json!([{"kind": "held", "endpoint": "POST /mx/users/{user_guid}/members"}]);
    let credentials = ana.credentials("mxuser", "any").await;
    app.bank.faults(held).await;
    let input = json!({"institutionCode": "mxbank", "credentials": credentials});
    let told = async {
        app.until("items", "provider = 'mx'").await;
        app.bank.faults(json!([])).await;
    };
    let (ordered, ()) = tokio::join!(ana.order(input), told);
    let item = ordered["item"]["id"].as_str();
    let item = item.unwrap_or_else(|| panic!("{ordered}"));
    app.stands(&ana, item, "SUCCESS").await;
    app.bank.webhooks_settled().await;
    app.idle_but_waiting().await;
    assert_eq!(app.count("SELECT count(*) FROM items").await, 1);
    let items = ana.ask("{ items { nodes { id } } }", json!({})).await;
    assert_eq!(items["items"]["nodes"], json!([{"id": item}]));
    assert_eq!(
        app.count("SELECT count(*) FROM webhooks WHERE state = 'parked'")
            .await,
        0
    );
}
