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
async fn members_of_a_disabled_user_and_those_nothing_can_sign_in_for_are_let_be() {
    let mx = Mx::open().await;
    let (ana, ben) = (mx.user("ana").await, mx.user("ben").await);
    let (member, closed) = (mx.linked(&ana).await, mx.link(&ben, "CLOSED").await);
    mx.step(&closed, 1).await;
    let disable = json!({ "user": { "is_disabled": true } });
    mx.ask(Method::PUT, &format!("/users/{ana}"), disable).await;
    for member in [member, closed] {
        mx.aggregate(&member).await;
        assert_eq!(mx.status(&member).await["is_being_aggregated"], false);
    }
}

#[tokio::test]
async fn a_member_that_skips_aggregation_waits_for_it() {
    let mx = Mx::open().await;
    let ana = mx.user("ana").await;
    let credentials = mx.credentials("mxbank", &["mxuser", "any"]).await;
    let body = json!({ "member": { "institution_code": "mxbank", "credentials": credentials, "skip_aggregation": true } });
    let path = format!("/users/{ana}/members");
    let (status, answer) = mx.ask(Method::POST, &path, body).await;
    assert_eq!(
        (status, &answer["member"]["is_being_aggregated"]),
        (200, &json!(false))
    );
    let member = format!("{path}/{}", answer["member"]["guid"].as_str().unwrap());
    let without = format!("{member}/aggregate?include_transactions=false");
    assert_eq!(mx.ask(Method::POST, &without, Value::Null).await.0, 202);
    mx.step(&member, 4).await;
    assert_eq!(mx.status(&member).await["connection_status"], "CONNECTED");
    assert_eq!(mx.oracle(&member).await.len(), 0);
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
