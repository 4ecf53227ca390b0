//! Faults on order, under MX's paths.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Mx, VERSION, guid};

const MEMBERS: &str = "/mx/users/{user_guid}/members";

/// An anomaly, and how it shows on a page.
type Oddity = (&'static str, fn(&Value) -> bool);

async fn plant(mx: &Mx, fault: Value) {
    mx.bank
        .control("/faults", json!({ "faults": [fault] }))
        .await;
}

#[tokio::test]
async fn a_fault_hits_the_kind_of_call_and_the_member_it_names() {
    let mx = Mx::open().await;
    let (ana, ben) = (mx.user("ana").await, mx.user("ben").await);
    let (anas, bens) = (mx.linked(&ana).await, mx.linked(&ben).await);
    let endpoint = format!("GET {MEMBERS}/{{member_guid}}/transactions");
    plant(&mx, json!({ "kind": "status", "status": 503, "endpoint": endpoint, "member_guid": guid(&anas), "count": 1 })).await;
    mx.get(&format!("{bens}/transactions")).await;
    mx.get(&format!("{anas}/status")).await;
    let path = format!("{anas}/transactions");
    assert_eq!(mx.refused(Method::GET, &path, Value::Null).await, 503);
    mx.get(&path).await;

    plant(
        &mx,
        json!({ "kind": "rate_limit", "retry_after": "7", "institution_id": "mxbank", "count": 1 }),
    )
    .await;
    mx.get("/users").await;
    let request = mx
        .request(Method::GET, &path)
        .basic_auth("client", Some("key"))
        .header("accept", VERSION);
    let answer = request.send().await.unwrap();
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "7")
    );

    let calls = mx.bank.read("/control/requests").await;
    let hit: Vec<Value> = calls
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|call: &Value| call["faults"].is_array())
        .collect();
    let seen: Vec<_> = hit
        .iter()
        .map(|call| {
            (
                call["endpoint"].as_str().unwrap(),
                call["status"].as_u64().unwrap(),
                call["member_guid"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (&*endpoint, 503, guid(&anas)),
            (&*endpoint, 429, guid(&anas))
        ]
    );
}

#[tokio::test]
async fn a_lost_answer_was_worked_for() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let credentials = mx.credentials("mxbank", &["mxuser", "any"]).await;
    plant(
        &mx,
        json!({ "kind": "lost", "endpoint": format!("POST {MEMBERS}"), "count": 1 }),
    )
    .await;
    let path = format!("/users/{ana}/members");
    let body = json!({ "member": { "institution_code": "mxbank", "credentials": credentials } });
    let request = mx
        .request(Method::POST, &path)
        .basic_auth("client", Some("key"))
        .header("accept", VERSION);
    let lost = request.body(body.to_string()).send().await;
    assert!(match lost {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    });
    assert_eq!(mx.refused(Method::POST, &path, body).await, 409);
    assert_eq!(mx.get(&path).await["members"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn answers_are_spoilt_or_cut() {
    let mx = Mx::open().await;
    mx.user("ana").await;
    let body = async || {
        let request = mx
            .request(Method::GET, "/users")
            .basic_auth("client", Some("key"))
            .header("accept", VERSION);
        request.send().await?.text().await
    };
    plant(&mx, json!({ "kind": "malformed", "form": "truncated" })).await;
    assert!(serde_json::from_str::<Value>(&body().await.unwrap()).is_err());
    plant(&mx, json!({ "kind": "drop", "after": 20 })).await;
    assert!(body().await.is_err());
    plant(&mx, json!({ "kind": "html", "status": 502 })).await;
    assert!(body().await.unwrap().starts_with("<!doctype html>"));
    mx.bank.control("/faults", json!({ "faults": [] })).await;
    assert!(body().await.unwrap().contains("ana"));
}

#[tokio::test]
async fn data_can_be_odd() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    let odd: [Oddity; 9] = [
        ("same_id_twice", |page| {
            page["transactions"][25]["guid"] == page["transactions"][0]["guid"]
        }),
        ("unknown_account", |page| {
            page["transactions"][0]["account_guid"]
                .as_str()
                .unwrap()
                .starts_with("nobody")
        }),
        ("negative_amount", |page| {
            page["transactions"][0]["amount"].as_f64() == Some(-12.34)
        }),
        ("endless_amount", |page| {
            page["transactions"][0]["amount"].to_string().len() == 200
        }),
        ("null_amount", |page| {
            page["transactions"][0]["amount"].is_null()
        }),
        ("nul_name", |page| {
            page["transactions"][0]["description"]
                .as_str()
                .unwrap()
                .contains('\0')
        }),
        ("unknown_words", |page| {
            page["transactions"][0]["type"] == "SIDEWAYS"
        }),
        ("unknown_currency", |page| {
            page["transactions"][0]["currency_code"] == "XXX"
        }),
        ("endless", |page| page["pagination"]["total_pages"] == 101),
    ];
    for (name, shows) in odd {
        plant(&mx, json!({ "kind": "anomaly", "name": name })).await;
        let page = if name == "endless" { 100 } else { 1 };
        let page = mx.get(&format!("{member}/transactions?page={page}")).await;
        assert!(shows(&page), "{name}");
        assert!(mx.get(&format!("{member}/accounts")).await["accounts"][0]["guid"].is_string());
    }
}
