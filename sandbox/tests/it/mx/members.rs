//! A member's life.

use passbook_sandbox::Options;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Mx, by_control, guid};
use crate::support::at_once;

const STATUSES: [&str; 22] = [
    "CREATED",
    "PREVENTED",
    "DENIED",
    "CHALLENGED",
    "REJECTED",
    "LOCKED",
    "CONNECTED",
    "IMPEDED",
    "RECONNECTED",
    "DEGRADED",
    "DISCONNECTED",
    "DISCONTINUED",
    "CLOSED",
    "DELAYED",
    "FAILED",
    "UPDATED",
    "DISABLED",
    "IMPORTED",
    "RESUMED",
    "EXPIRED",
    "IMPAIRED",
    "PENDING",
];

#[tokio::test]
async fn a_member_is_created_signs_in_and_tells_step_by_step() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.link(&ana, "any").await;
    let told = |status: &Value| {
        [
            "is_being_aggregated",
            "is_authenticated",
            "has_processed_accounts",
            "has_processed_transactions",
        ]
        .map(|name| status[name].as_bool().unwrap())
    };
    let mut seen = Vec::new();
    for _ in 0..5 {
        let status = mx.status(&member).await;
        seen.push((
            status["connection_status"].as_str().unwrap().to_owned(),
            told(&status),
        ));
        assert!(status["aggregated_at"].is_string());
        mx.step(&member, 1).await;
    }
    let connected = "CONNECTED".to_owned();
    assert_eq!(
        seen,
        [
            ("CREATED".to_owned(), [true, false, false, false]),
            (connected.clone(), [true, true, false, false]),
            (connected.clone(), [true, true, true, false]),
            (connected.clone(), [true, true, true, true]),
            (connected, [false, true, true, true]),
        ]
    );
    let member = mx.get(&member).await["member"].clone();
    assert_eq!(
        member["successfully_aggregated_at"].as_str().unwrap().len(),
        "2026-01-01T00:00:00Z".len()
    );
    assert_eq!(
        (&member["user_id"], &member["name"]),
        (&json!("ana"), &json!("MX Bank"))
    );
    assert!(
        !member.to_string().contains("mxuser"),
        "credentials are never told"
    );
}

#[tokio::test]
async fn steps_are_taken_by_the_clock_at_the_moments_they_were_due() {
    let mut settings = at_once();
    settings.mx.step_ms = 2_000;
    let mx = Mx::with(settings).await;
    mx.bank
        .control(
            "/clock",
            json!({ "set": "2026-03-01T12:00:00Z", "hold": true }),
        )
        .await;
    let ana = mx.user("ana").await;
    let member = mx.link(&ana, "any").await;
    assert_eq!(mx.status(&member).await["connection_status"], "CREATED");
    mx.bank
        .control("/clock", json!({ "advance_seconds": 2 }))
        .await;
    let status = mx.status(&member).await;
    assert_eq!(
        (&status["connection_status"], &status["is_being_aggregated"]),
        (&json!("CONNECTED"), &json!(true))
    );
    mx.bank
        .control("/clock", json!({ "advance_seconds": 86_400 }))
        .await;
    let status = mx.status(&member).await;
    assert_eq!(status["is_being_aggregated"], false);
    assert_eq!(status["aggregated_at"], "2026-03-01T12:00:00Z");
    assert_eq!(status["successfully_aggregated_at"], "2026-03-01T12:00:08Z");
}

#[tokio::test]
async fn every_status_can_be_met_by_its_name() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    for status in STATUSES {
        let member = mx.link(&ana, status).await;
        mx.step(&member, 4).await;
        let found = mx.get(&member).await["member"].clone();
        assert_eq!(found["connection_status"], status);
        assert_eq!(
            found["is_being_aggregated"],
            status == "CHALLENGED",
            "{status}"
        );
        assert!(found["connection_status_message"].is_string());
        assert_eq!(mx.ask(Method::DELETE, &member, Value::Null).await.0, 204);
    }
    for (password, status) in [
        ("BAD_REQUEST", "FAILED"),
        ("UNAUTHORIZED", "DENIED"),
        ("INVALID", "DENIED"),
    ] {
        let member = mx.link(&ana, password).await;
        mx.step(&member, 1).await;
        assert_eq!(mx.status(&member).await["connection_status"], status);
        mx.ask(Method::DELETE, &member, Value::Null).await;
    }
    let stranger = mx.link_at(&ana, "mxbank", "nobody", "any").await;
    mx.step(&stranger, 1).await;
    assert_eq!(mx.status(&stranger).await["connection_status"], "DENIED");
}

#[tokio::test]
async fn control_can_set_any_status_even_one_nobody_knows() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    for status in [json!("LOCKED"), json!("SOMETHING_NEW"), Value::Null] {
        let path = format!("/members/{}", guid(&member));
        mx.bank
            .control(&path, json!({ "connection_status": status }))
            .await;
        assert_eq!(mx.status(&member).await["connection_status"], status);
    }
}

#[tokio::test]
async fn three_refusals_in_a_row_and_mx_tries_no_more_until_credentials_change() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.link(&ana, "DENIED").await;
    for status in ["DENIED", "DENIED", "PREVENTED"] {
        mx.step(&member, 1).await;
        assert_eq!(mx.status(&member).await["connection_status"], status);
        assert_eq!(
            mx.get(&member).await["member"]["needs_updated_credentials"],
            true
        );
        mx.aggregate(&member).await;
    }
    assert_eq!(mx.status(&member).await["is_being_aggregated"], false);

    let credentials = mx.credentials("mxbank", &["mxuser", "right"]).await;
    let (status, answer) = mx
        .ask(
            Method::PUT,
            &member,
            json!({ "member": { "credentials": credentials } }),
        )
        .await;
    assert_eq!(
        (status, &answer["member"]["connection_status"]),
        (200, &json!("UPDATED"))
    );
    mx.step(&member, 4).await;
    assert_eq!(mx.status(&member).await["connection_status"], "CONNECTED");
}

#[tokio::test]
async fn two_jobs_of_one_type_are_one_and_of_two_types_a_conflict() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.link(&ana, "any").await;
    let job = mx.get(&member).await["member"]["most_recent_job_guid"].clone();
    mx.aggregate(&member).await;
    assert_eq!(mx.get(&member).await["member"]["most_recent_job_guid"], job);
    let verify = format!("{member}/verify");
    assert_eq!(mx.refused(Method::POST, &verify, Value::Null).await, 409);
    mx.step(&member, 4).await;
    assert_eq!(mx.ask(Method::POST, &verify, Value::Null).await.0, 200);
    assert_ne!(mx.get(&member).await["member"]["most_recent_job_guid"], job);
    assert_eq!(
        mx.refused(Method::POST, &format!("{member}/aggregate"), Value::Null)
            .await,
        409
    );
}

#[tokio::test]
async fn an_ordinary_bank_is_throttled_for_three_hours_and_the_test_bank_never() {
    let mx = Mx::open().await;
    mx.bank
        .control(
            "/clock",
            json!({ "set": "2026-03-01T12:00:00Z", "hold": true }),
        )
        .await;
    let ana = mx.user("ana").await;
    let ordinary = mx
        .link_at(&ana, "gingham_credit_union", "mxuser", "any")
        .await;
    let test = mx.link(&ana, "any").await;
    for member in [&ordinary, &test] {
        mx.step(member, 4).await;
        mx.aggregate(member).await;
    }
    assert_eq!(mx.status(&ordinary).await["is_being_aggregated"], false);
    assert_eq!(mx.status(&test).await["is_being_aggregated"], true);
    mx.bank
        .control("/clock", json!({ "advance_seconds": 3 * 3_600 }))
        .await;
    mx.aggregate(&ordinary).await;
    assert_eq!(mx.status(&ordinary).await["is_being_aggregated"], true);
}

#[tokio::test]
async fn a_member_belongs_to_its_user_alone() {
    let mx = Mx::open().await;
    let (ana, ben) = (mx.user("ana").await, mx.user("ben").await);
    let member = mx.linked(&ana).await;
    let account = mx.get(&format!("{member}/accounts")).await["accounts"][0]["guid"]
        .as_str()
        .unwrap()
        .to_owned();
    for rest in ["", "/status", "/accounts", "/transactions", "/challenges"] {
        let path = format!("/users/{ben}/members/{}{rest}", guid(&member));
        assert_eq!(
            mx.refused(Method::GET, &path, Value::Null).await,
            404,
            "{path}"
        );
    }
    for rest in ["", "/transactions"] {
        let path = format!("/users/{ben}/accounts/{account}{rest}");
        assert_eq!(
            mx.refused(Method::GET, &path, Value::Null).await,
            404,
            "{path}"
        );
    }
    assert_eq!(
        mx.get(&format!("/users/{ben}/members")).await["members"],
        json!([])
    );
    assert_eq!(
        mx.get(&format!("/users/{ben}/transactions")).await["transactions"],
        json!([])
    );
}

#[tokio::test]
async fn accounts_are_told_once_the_bank_has() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.link(&ana, "any").await;
    let accounts = format!("{member}/accounts");
    assert_eq!(mx.get(&accounts).await["accounts"], json!([]));
    mx.step(&member, 2).await;
    let told = mx.get(&accounts).await["accounts"].clone();
    let types: Vec<&str> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "CHECKING",
            "SAVINGS",
            "CREDIT_CARD",
            "SAVINGS",
            "INVESTMENT",
            "INVESTMENT",
            "LOAN",
            "MORTGAGE"
        ]
    );
    let card = &told[2];
    assert_eq!(
        (
            card["balance"].to_string(),
            card["available_credit"].to_string()
        ),
        ("410".into(), "1590".into())
    );
    assert_eq!(
        told[5]["balance"].to_string(),
        "23631.9805",
        "exact to the digit"
    );
    let one = mx
        .get(&format!(
            "/users/{ana}/accounts/{}",
            card["guid"].as_str().unwrap()
        ))
        .await;
    assert_eq!(one["account"], *card);
}

#[tokio::test]
async fn accounts_come_change_and_go_by_order() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let member = mx.linked(&ana).await;
    let accounts = async || {
        mx.get(&format!("{member}/accounts")).await["accounts"]
            .as_array()
            .unwrap()
            .clone()
    };
    let path = format!("/members/{}/accounts", guid(&member));
    let first = accounts().await[0]["guid"].clone();
    let second = accounts().await[1]["guid"].clone();
    let order = json!({
        "add": [{ "name": "New", "type": "SOMETHING_NEW", "balance": null }],
        "modify": [{ "guid": first, "balance": -3.25, "is_closed": true }],
        "remove": [second],
    });
    let added = mx.bank.control(&path, order).await["added"][0].clone();
    let now = accounts().await;
    assert_eq!(now.len(), 8);
    assert_eq!(
        (now[0]["balance"].to_string(), &now[0]["is_closed"]),
        ("-3.25".to_owned(), &json!(true))
    );
    assert_eq!(
        (&now[7]["guid"], &now[7]["type"], &now[7]["balance"]),
        (&added, &json!("SOMETHING_NEW"), &Value::Null)
    );
    assert!(now.iter().all(|account| account["guid"] != second));
}

#[tokio::test]
async fn the_same_seed_and_requests_give_the_same_data() {
    let mut told = Vec::new();
    for seed in [7, 7, 8] {
        let mx = Mx::open_with(Options {
            seed,
            settings: by_control(),
            ..Options::default()
        })
        .await;
        mx.bank
            .control(
                "/clock",
                json!({ "set": "2026-03-01T12:00:00Z", "hold": true }),
            )
            .await;
        let ana = mx.user("ana").await;
        let member = mx.linked(&ana).await;
        mx.aggregate(&member).await;
        mx.step(&member, 4).await;
        told.push((mx.get(&member).await, mx.oracle(&member).await));
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0].1.keys().ne(told[2].1.keys()));
}
