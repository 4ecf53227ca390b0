//! MX's webhooks: one address, a user name and a password, no signature.

use passbook_sandbox::{MxWebhooks, Options};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Mx, VERSION, by_control, guid};
use crate::support::{Arrival, Receiver};

async fn open(receiver: &Receiver) -> Mx {
    let target = MxWebhooks {
        url: receiver.url.clone(),
        user: "mx".to_owned(),
        password: "open sesame".to_owned(),
    };
    assert!(!format!("{target:?}").contains("sesame"));
    Mx::open_with(Options {
        settings: by_control(),
        mx_webhooks: Some(target),
        ..Options::default()
    })
    .await
}

/// Type and action.
fn kind(arrival: &Arrival) -> (&str, &str) {
    let text = |name: &str| arrival.body[name].as_str().unwrap();
    (text("type"), text("action"))
}

/// The next of this type, whatever overtook it: webhooks come in no promised order.
async fn next(receiver: &mut Receiver, wanted: &str) -> Arrival {
    loop {
        let arrival = receiver.next().await;
        if arrival.body["type"] == wanted {
            return arrival;
        }
    }
}

#[tokio::test]
async fn an_aggregation_tells_how_much_it_brought() {
    let mut receiver = Receiver::open().await;
    let mx = open(&receiver).await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;

    let made = next(&mut receiver, "MEMBER").await;
    assert_eq!(kind(&made), ("MEMBER", "created"));
    assert_eq!(made.headers["authorization"], "Basic bXg6b3BlbiBzZXNhbWU=");
    assert!(made.signature.is_none());
    assert_eq!(
        (&made.body["connection_status_id"], &made.body["guid"]),
        (&json!(0), &json!(guid(&member)))
    );
    assert!(made.body["created_at"].is_u64());

    let brought = next(&mut receiver, "AGGREGATION").await;
    assert_eq!(kind(&brought), ("AGGREGATION", "member_data_updated"));
    assert_eq!(
        (&brought.body["member_guid"], &brought.body["user_id"]),
        (&json!(guid(&member)), &json!("ana"))
    );
    assert_eq!(
        (
            &brought.body["transactions_created_count"],
            &brought.body["is_background"]
        ),
        (&json!(180), &json!(false))
    );
    assert!(brought.body["completed_at"].is_u64() && brought.body["completed_on"].is_string());

    mx.bank
        .control(&format!("/members/{}/aggregate", guid(&member)), json!({}))
        .await;
    mx.step(&member, 4).await;
    let again = next(&mut receiver, "AGGREGATION").await;
    assert_eq!(
        (
            &again.body["transactions_created_count"],
            &again.body["transactions_updated_count"]
        ),
        (&json!(7), &json!(1))
    );
    assert_eq!(again.body["is_background"], true);

    mx.ask(Method::DELETE, &member, Value::Null).await;
    assert_eq!(kind(&receiver.next().await), ("MEMBER", "deleted"));
}

#[tokio::test]
async fn only_statuses_a_person_can_act_on_are_told() {
    let mut receiver = Receiver::open().await;
    let mx = open(&receiver).await;
    let ana = mx.user("ana").await;
    let member = mx.link(&ana, "challenge").await;
    mx.step(&member, 1).await;
    let asked = next(&mut receiver, "CONNECTION_STATUS").await;
    assert_eq!(kind(&asked), ("CONNECTION_STATUS", "CHANGED"));
    assert_eq!(
        (
            &asked.body["connection_status"],
            &asked.body["connection_status_id"]
        ),
        (&json!("CHALLENGED"), &json!(3))
    );
    assert!(
        asked.body["connection_status_message"]
            .as_str()
            .unwrap()
            .contains("MX Bank")
    );
    for status in ["CONNECTED", "FAILED", "DEGRADED", "LOCKED"] {
        let path = format!("/members/{}", guid(&member));
        mx.bank
            .control(&path, json!({ "connection_status": status }))
            .await;
    }
    assert_eq!(
        next(&mut receiver, "CONNECTION_STATUS").await.body["connection_status"],
        "LOCKED"
    );
}

#[tokio::test]
async fn what_the_caller_gave_comes_back() {
    let mut receiver = Receiver::open().await;
    let mx = open(&receiver).await;
    let ana = mx.user("ana").await;
    let credentials = mx.credentials("mxbank", &["mxuser", "any"]).await;
    let body = json!({ "member": { "institution_code": "mxbank", "credentials": credentials } });
    let request = mx.request(Method::POST, &format!("/users/{ana}/members"));
    let request = request
        .basic_auth("client", Some("key"))
        .header("accept", VERSION)
        .header("x-callback-payload", "aGVsbG8=");
    let answer = request.body(body.to_string()).send().await.unwrap();
    let member: Value = answer.json().await.unwrap();
    let path = format!(
        "/users/{ana}/members/{}",
        member["member"]["guid"].as_str().unwrap()
    );
    mx.step(&path, 4).await;
    for _ in 0..2 {
        assert_eq!(
            receiver.next().await.headers["x-callback-payload"],
            "aGVsbG8="
        );
    }
}

#[tokio::test]
async fn a_webhook_is_repeated_until_it_is_heard() {
    let mut receiver = Receiver::refusing(3).await;
    let mx = open(&receiver).await;
    let ana = mx.user("ana").await;
    mx.link(&ana, "any").await;
    for _ in 0..4 {
        assert_eq!(kind(&receiver.next().await), ("MEMBER", "created"));
    }
}

#[tokio::test]
async fn a_webhook_may_come_twice_or_never() {
    let mut receiver = Receiver::open().await;
    let mx = open(&receiver).await;
    let (ana, ben) = (mx.user("ana").await, mx.user("ben").await);
    mx.bank
        .control("/settings", json!({ "webhooks": { "drop": 1.0 } }))
        .await;
    mx.link(&ana, "any").await;
    mx.bank
        .control(
            "/settings",
            json!({ "webhooks": { "drop": 0.0, "duplicates": 1 } }),
        )
        .await;
    mx.link(&ben, "any").await;
    for _ in 0..2 {
        assert_eq!(next(&mut receiver, "MEMBER").await.body["user_id"], "ben");
    }
}

#[tokio::test]
async fn a_program_that_starts_the_sandbox_says_where_they_go_once_it_knows() {
    let mx = Mx::open().await;
    let mut receiver = Receiver::open().await;
    let ana = mx.user("ana").await;
    let target = |url: &str| MxWebhooks {
        url: url.to_owned(),
        user: String::new(),
        password: String::new(),
    };
    mx.bank.sandbox.aim_mx_webhooks(Some(target(&receiver.url)));
    mx.link(&ana, "any").await;
    let told = next(&mut receiver, "MEMBER").await;
    assert!(!told.headers.contains_key("authorization"));
    assert!(mx.bank.sandbox.mx_url().ends_with("/mx"));
}

#[tokio::test]
async fn control_says_where_they_go_and_sends_any() {
    let mx = Mx::open().await;
    let mut receiver = Receiver::open().await;
    let target = json!({ "url": receiver.url, "user": "u", "password": "secret" });
    mx.bank.control("/mx/webhooks", target).await;
    assert!(
        !mx.bank
            .read("/control/mx/webhooks")
            .await
            .contains("secret")
    );
    let body = json!({ "type": "SOMETHING", "action": "NEW" });
    mx.bank
        .control("/mx/webhooks/send", json!({ "body": body, "times": 2 }))
        .await;
    for _ in 0..2 {
        assert_eq!(receiver.next().await.body, body);
    }
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    next(&mut receiver, "AGGREGATION").await;
    mx.change(&member, json!({ "add": [{}], "notify": false }))
        .await;
    mx.change(&member, json!({ "add": [{}, {}] })).await;
    assert_eq!(
        next(&mut receiver, "AGGREGATION").await.body["transactions_created_count"],
        2
    );
    let log = mx.bank.read("/control/webhooks").await;
    assert!(log.contains("\"webhook_type\":\"AGGREGATION\"") && !log.contains("secret"));
}
