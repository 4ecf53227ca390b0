//! What a bank asks, and what it takes for an answer.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::Mx;

async fn asked(mx: &Mx, password: &str) -> (String, Value) {
    let user = mx.user(password).await;
    let member = mx.link(&user, password).await;
    mx.step(&member, 1).await;
    let challenges = mx.get(&format!("{member}/challenges")).await["challenges"].clone();
    assert_eq!(mx.status(&member).await["challenges"], challenges);
    (member, challenges)
}

async fn status(mx: &Mx, member: &str) -> Value {
    mx.status(member).await["connection_status"].clone()
}

#[tokio::test]
async fn each_kind_of_question_is_answered_with_correct() {
    let mx = Mx::open().await;
    let kinds = [
        ("challenge", "TEXT"),
        ("options", "OPTIONS"),
        ("image", "IMAGE_DATA"),
        ("image_options", "IMAGE_OPTIONS"),
        ("token", "TOKEN"),
    ];
    for (password, kind) in kinds {
        let (member, challenges) = asked(&mx, password).await;
        assert_eq!(challenges[0]["type"], kind);
        let picture = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| text.starts_with("data:image/png;base64,"))
        };
        assert_eq!(picture(&challenges[0]["image_data"]), kind == "IMAGE_DATA");
        assert_eq!(
            picture(&challenges[0]["image_options"][0]["data_uri"]),
            kind == "IMAGE_OPTIONS"
        );
        assert_eq!(
            challenges[0]["options"].as_array().unwrap().len(),
            if kind == "OPTIONS" { 3 } else { 0 }
        );
        mx.answer(&member, "correct").await;
        let challenges = format!("{member}/challenges");
        let answered = mx.ask(Method::GET, &challenges, Value::Null).await.0;
        assert_eq!(
            (answered, &mx.status(&member).await["challenges"]),
            (204, &json!([]))
        );
        let again = json!({ "member": { "challenges": [] } });
        let path = format!("{member}/resume");
        assert_eq!(mx.refused(Method::PUT, &path, again).await, 405);
        mx.step(&member, 4).await;
        assert_eq!(status(&mx, &member).await, "CONNECTED");
    }
}

#[tokio::test]
async fn an_option_may_be_named_by_its_guid() {
    let mx = Mx::open().await;
    let (member, challenges) = asked(&mx, "options").await;
    let right = challenges[0]["options"][0]["guid"].as_str().unwrap();
    mx.answer(&member, right).await;
    mx.step(&member, 1).await;
    assert_eq!(status(&mx, &member).await, "CONNECTED");
}

#[tokio::test]
async fn a_wrong_answer_is_rejected_and_may_be_asked_for_again() {
    let mx = Mx::open().await;
    let (member, _) = asked(&mx, "challenge").await;
    mx.answer(&member, "wrong").await;
    mx.step(&member, 1).await;
    let found = mx.status(&member).await;
    assert_eq!(
        (&found["connection_status"], &found["challenges"]),
        (&json!("REJECTED"), &json!([]))
    );
    assert_eq!(found["is_being_aggregated"], false);

    let (member, _) = asked(&mx, "challenge_again").await;
    mx.answer(&member, "wrong").await;
    mx.step(&member, 1).await;
    let found = mx.status(&member).await;
    assert_eq!(
        (&found["connection_status"], &found["is_being_aggregated"]),
        (&json!("REJECTED"), &json!(true))
    );
    mx.answer(&member, "correct").await;
    mx.step(&member, 1).await;
    assert_eq!(status(&mx, &member).await, "CONNECTED");
}

#[tokio::test]
async fn rounds_follow_rounds_and_keywords_are_answers_too() {
    let mx = Mx::open().await;
    let (member, first) = asked(&mx, "options_twice").await;
    mx.answer(&member, "correct").await;
    mx.step(&member, 1).await;
    let second = mx.status(&member).await;
    assert_eq!(second["connection_status"], "CHALLENGED");
    assert_ne!(second["challenges"][0]["guid"], first[0]["guid"]);
    mx.answer(&member, "image").await;
    mx.step(&member, 1).await;
    assert_eq!(
        mx.status(&member).await["challenges"][0]["type"],
        "IMAGE_DATA"
    );
    mx.answer(&member, "LOCKED").await;
    mx.step(&member, 1).await;
    assert_eq!(status(&mx, &member).await, "LOCKED");

    let (member, both) = asked(&mx, "challenge_pair").await;
    assert_eq!(both.as_array().unwrap().len(), 2);
    let half =
        json!({ "member": { "challenges": [{ "guid": both[0]["guid"], "value": "correct" }] } });
    assert_eq!(
        mx.refused(Method::PUT, &format!("{member}/resume"), half)
            .await,
        400
    );
    mx.answer(&member, "correct").await;
    mx.step(&member, 1).await;
    assert_eq!(status(&mx, &member).await, "CONNECTED");
}

#[tokio::test]
async fn a_question_left_alone_expires_and_an_answered_one_does_not() {
    let mx = Mx::open().await;
    let (left, _) = asked(&mx, "challenge").await;
    let (answered, _) = asked(&mx, "options").await;
    mx.answer(&answered, "correct").await;
    mx.bank
        .control("/clock", json!({ "advance_seconds": 601 }))
        .await;
    let found = mx.status(&left).await;
    assert_eq!(
        (&found["connection_status"], &found["is_being_aggregated"]),
        (&json!("EXPIRED"), &json!(false))
    );
    assert_eq!(status(&mx, &answered).await, "RESUMED");
    let late = json!({ "member": { "challenges": [] } });
    assert_eq!(
        mx.refused(Method::PUT, &format!("{left}/resume"), late)
            .await,
        405
    );
    mx.aggregate(&left).await;
    mx.step(&left, 1).await;
    assert_eq!(status(&mx, &left).await, "CHALLENGED");
}

#[tokio::test]
async fn an_answer_to_nothing_that_was_asked_is_refused() {
    let mx = Mx::open().await;
    let (member, _) = asked(&mx, "challenge").await;
    let (_, other) = asked(&mx, "options").await;
    let body =
        json!({ "member": { "challenges": [{ "guid": other[0]["guid"], "value": "correct" }] } });
    assert_eq!(
        mx.refused(Method::PUT, &format!("{member}/resume"), body)
            .await,
        400
    );
    assert_eq!(status(&mx, &member).await, "CHALLENGED");
}
