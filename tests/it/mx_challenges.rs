//! What a bank asks before it lets somebody in: each sort of question, wrong answers and late ones.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::TestApp;

fn code(answer: &Value) -> &Value {
    &answer["userErrors"][0]["code"]
}

#[tokio::test]
async fn every_sort_of_question_is_told_live_and_answered() {
    for (password, kind) in [
        ("challenge", "TEXT"),
        ("token", "TEXT"),
        ("options", "OPTIONS"),
        ("image", "IMAGE"),
        ("image_options", "IMAGE_OPTIONS"),
    ] {
        let app = TestApp::start().await;
        let (ana, bob) = (app.person("ana").await, app.person("bob").await);
        let document = "subscription { itemUpdated { item { linkStatus requiredAction { __typename ... on \
                        AnswerChallengeAction { challenges { kind } } } } } }";
        let mut items = ana.watch(document, json!({})).await;
        let item = ana.order_mx("mxuser", password).await;
        let told = app.stands(&ana, &item, "CHALLENGED").await;
        let action = &told["requiredAction"];
        assert_eq!(told["transactionsStatus"], "DOWNLOADING");
        assert!(action["expiresAt"].is_string() && action["itemId"] == item.as_str());
        let asked = &action["challenges"][0];
        assert_eq!(asked["kind"], kind, "{asked}");
        assert!(asked["label"].as_str().unwrap().len() > 5);
        assert_eq!(asked["image"].is_string(), kind == "IMAGE");
        let options = asked["options"].as_array().unwrap();
        assert_eq!(options.len(), if kind.ends_with("OPTIONS") { 3 } else { 0 });
        let pictures = options.iter().all(|option| option["image"].is_string());
        assert_eq!(pictures && !options.is_empty(), kind == "IMAGE_OPTIONS");
        loop {
            let event = items.next().await;
            let told = &event["itemUpdated"]["item"];
            if told["linkStatus"] == "CHALLENGED" {
                assert_eq!(told["requiredAction"]["challenges"][0]["kind"], kind);
                break;
            }
        }
        let jobs = ana.quiet().await;
        assert_eq!(jobs[0]["error"]["code"], "CHALLENGE_PENDING", "{jobs:?}");

        let refused = bob.answer_all(&told, "correct").await;
        assert_eq!(*code(&refused), "NOT_FOUND");
        let answered = ana.answer_all(&told, "correct").await;
        assert_eq!(answered["item"]["linkStatus"], "PROCESSING", "{answered}");
        assert_eq!(answered["item"]["requiredAction"], Value::Null);
        app.stands(&ana, &item, "SUCCESS").await;
        let member = app.bank.member().await;
        assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
        assert!(bob.transactions().await.is_empty());
        assert_eq!(app.count("SELECT count(*) FROM challenges").await, 0);
        // Answering what is not asked any more tells so.
        assert_eq!(
            *code(&ana.answer_all(&told, "correct").await),
            "CHALLENGE_EXPIRED"
        );
    }
}

#[tokio::test]
async fn several_rounds_and_several_questions_are_answered_one_after_the_other() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "options_thrice_pair").await;
    let mut seen: Vec<Value> = Vec::new();
    for _ in 0..3 {
        let new = |told: &Value| {
            let asked = &told["requiredAction"]["challenges"];
            asked.as_array().is_some_and(|asked| asked.len() == 2) && !seen.contains(asked)
        };
        let told = app.becomes_so(&ana, &item, new).await;
        let asked = told["requiredAction"]["challenges"].clone();
        let half = json!([{"challengeId": asked[0]["id"], "value": "correct"}]);
        let refused = ana.give(&item, half).await;
        assert_eq!(*code(&refused), "INVALID_INPUT", "{refused}");
        let other = json!([{"challengeId": "CRD-other", "value": "correct"}, {"challengeId": asked[0]["id"], "value": "x"}]);
        assert_eq!(*code(&ana.give(&item, other).await), "CHALLENGE_EXPIRED");
        seen.push(asked);
        let answered = ana.answer_all(&told, "correct").await;
        assert_eq!(answered["userErrors"], json!([]), "{answered}");
    }
    app.stands(&ana, &item, "SUCCESS").await;
    assert!(!ana.transactions().await.is_empty());
}

#[tokio::test]
async fn a_wrong_answer_is_asked_again_or_can_be_tried_anew() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    // The bank asks again.
    let item = ana.order_mx("mxuser", "challenge_again").await;
    let told = app.stands(&ana, &item, "CHALLENGED").await;
    ana.answer_all(&told, "wrong").await;
    let told = app.stands(&ana, &item, "CHALLENGED").await;
    assert_eq!(told["transactionsStatus"], "FAILED", "{told}");
    ana.answer_all(&told, "correct").await;
    app.stands(&ana, &item, "SUCCESS").await;
    ana.remove(&item).await;
    app.idle().await;

    // The bank does not: the person signs in anew, or has it tried again.
    let item = ana.order_mx("mxuser", "challenge").await;
    let told = app.stands(&ana, &item, "CHALLENGED").await;
    ana.answer_all(&told, "wrong").await;
    let told = app.stands(&ana, &item, "ERROR").await;
    assert_eq!(told["linkErrorCode"], "REJECTED");
    assert_eq!(told["requiredAction"]["__typename"], "ReauthenticateAction");
    ana.ask_sync(&item).await;
    let told = app.stands(&ana, &item, "CHALLENGED").await;
    ana.answer_all(&told, "correct").await;
    app.stands(&ana, &item, "SUCCESS").await;

    // An answer may lead anywhere.
    ana.remove(&item).await;
    app.idle().await;
    let item = ana.order_mx("mxuser", "image").await;
    let told = app.stands(&ana, &item, "CHALLENGED").await;
    ana.answer_all(&told, "LOCKED").await;
    let told = app.stands(&ana, &item, "ERROR").await;
    assert_eq!(told["linkErrorCode"], "LOCKED");
}

#[tokio::test]
async fn a_question_that_nobody_answers_ends_and_there_is_a_way_on() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "challenge").await;
    let told = app.stands(&ana, &item, "CHALLENGED").await;
    let late = json!({"advance_seconds": 11 * 60});
    app.bank.ask("/control/clock", late).await;
    // She answers too late, and is told; or nobody does anything, and the sweep looks.
    let refused = ana.answer_all(&told, "correct").await;
    assert_eq!(*code(&refused), "CHALLENGE_EXPIRED", "{refused}");
    let told = app.stands(&ana, &item, "ERROR").await;
    assert_eq!(told["linkErrorCode"], "EXPIRED");
    assert_eq!(told["requiredAction"]["__typename"], "ReauthenticateAction");

    ana.ask_sync(&item).await;
    app.stands(&ana, &item, "CHALLENGED").await;
    app.bank
        .ask("/control/clock", json!({"advance_seconds": 11 * 60}))
        .await;
    app.idle().await;
    app.passes(Duration::from_mins(11), "sync.sweep").await;
    let told = app.stands(&ana, &item, "ERROR").await;
    assert_eq!(told["linkErrorCode"], "EXPIRED");
}
