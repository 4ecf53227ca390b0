//! The exchange of a public token: once, whatever happens on the way.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::TestApp;

const EXCHANGE: &str = "/item/public_token/exchange";

async fn token(app: &TestApp) -> String {
    let webhook = format!("{}/webhooks/plaid", app.url);
    app.bank.public_token("user_good", &webhook).await
}

fn code(answer: &Value) -> &Value {
    &answer["userErrors"][0]["code"]
}

#[tokio::test]
async fn a_token_that_opens_nothing_says_to_open_link_again() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let expired = token(&app).await;
    let clock = json!({"advance_seconds": 31 * 60});
    app.bank.ask("/control/clock", clock).await;
    let foreign = "public-production-5c224a01-8314-4491-a06f-39e193d5cddc";
    for token in [expired.as_str(), foreign, "garbage"] {
        let refused = ana.exchange(token).await;
        assert_eq!(*code(&refused), "PUBLIC_TOKEN_INVALID", "{refused}");
        assert_eq!(
            (&refused["item"], &refused["syncJob"]),
            (&Value::Null, &Value::Null)
        );
    }
    for token in ["", "with space", &"x".repeat(513)] {
        let refused = ana.exchange(token).await;
        assert_eq!(*code(&refused), "INVALID_INPUT", "{refused}");
        assert_eq!(refused["userErrors"][0]["field"], json!(["publicToken"]));
    }
    let document =
        "mutation($t: String!) { exchangePublicToken(input: {publicToken: $t}) { item { id } } }";
    let (status, _) = ana.raw(document, json!({"t": "x".repeat(1 << 20)})).await;
    assert_eq!(status, 413);
    assert!(ana.quiet().await.is_empty());
}

#[tokio::test]
async fn twenty_offers_at_once_make_one_item() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let token = token(&app).await;
    let answers = join_all((0..20).map(|_| ana.exchange(&token))).await;
    for answer in &answers {
        let linked = answer["item"]["id"].is_string();
        assert!(
            linked || *code(answer) == "EXCHANGE_IN_PROGRESS",
            "{answer}"
        );
        assert!(
            linked || answer["userErrors"][0]["retryable"] == true,
            "{answer}"
        );
    }
    let again = ana.exchange(&token).await;
    for answer in answers.iter().filter(|answer| answer["item"].is_object()) {
        assert_eq!(answer["item"], again["item"]);
        assert_eq!(answer["syncJob"]["id"], again["syncJob"]["id"]);
    }
    assert_eq!(app.bank.calls(EXCHANGE).await.len(), 1);
    assert_eq!(ana.quiet().await.len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_one_token() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let (first, second) = (token(&app).await, token(&app).await);
    let linked = ana.exchange_under(&first, Some("key")).await;
    let again = ana.exchange_under(&first, Some("key")).await;
    assert_eq!(linked["item"], again["item"]);
    let reused = ana.exchange_under(&second, Some("key")).await;
    assert_eq!(*code(&reused), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(app.bank.calls(EXCHANGE).await.len(), 1);
    for key in ["", &"k".repeat(201), "a\0b"] {
        let refused = ana.exchange_under(&second, Some(key)).await;
        assert_eq!(*code(&refused), "INVALID_INPUT", "{refused}");
    }
    // Another person's key is another key; a key that got nothing is free again.
    let void = bob.exchange_under("garbage", Some("key")).await;
    assert_eq!(*code(&void), "PUBLIC_TOKEN_INVALID");
    assert!(bob.exchange_under(&second, Some("key")).await["item"].is_object());
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_the_item_is_there_if_the_provider_lets_it() {
    for repeatable in [true, false] {
        let app = TestApp::start().await;
        let ana = app.person("ana").await;
        app.bank
            .settings(json!({"exchange_repeatable": repeatable}))
            .await;
        app.bank
            .faults(json!([{"kind": "lost", "endpoint": EXCHANGE, "nth": 1}]))
            .await;
        let answer = ana.exchange(&token(&app).await).await;
        assert_eq!(answer["item"].is_object(), repeatable, "{answer}");
        if !repeatable {
            assert_eq!(*code(&answer), "PUBLIC_TOKEN_INVALID");
        }
        assert_eq!(ana.quiet().await.len(), usize::from(repeatable));
        assert_eq!(app.bank.calls(EXCHANGE).await.len(), 2);
    }
}

#[tokio::test]
async fn an_exchange_that_failed_for_now_can_be_asked_for_again_at_once() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let token = token(&app).await;
    app.bank.faults(json!([{"kind": "error", "code": "INTERNAL_SERVER_ERROR", "endpoint": EXCHANGE, "count": 1}])).await;
    let failed = ana.exchange_under(&token, Some("key")).await;
    assert_eq!(*code(&failed), "PROVIDER_UNAVAILABLE");
    assert_eq!(failed["userErrors"][0]["retryable"], true);

    let linked = ana.exchange_under(&token, Some("key")).await;
    assert!(linked["item"].is_object(), "{linked}");
    let stranger = app.person("bob").await.exchange(&token).await;
    assert_eq!(*code(&stranger), "PUBLIC_TOKEN_INVALID");
}

#[tokio::test]
async fn a_client_that_hangs_up_has_its_bank_all_the_same() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let token = token(&app).await;
    app.bank
        .faults(json!([{"kind": "latency", "ms": 300, "endpoint": EXCHANGE}]))
        .await;
    let mut items = ana
        .watch("subscription { itemUpdated { item { id } } }", json!({}))
        .await;
    tokio::select! {
        answer = ana.exchange(&token) => panic!("too soon: {answer}"),
        // It has begun, and the bank has not answered.
        () = app.becomes("SELECT count(*) FROM exchanges", 1) => {}
    }
    let event = items.next().await;
    let again = ana.exchange(&token).await;
    assert_eq!(again["item"]["id"], event["itemUpdated"]["item"]["id"]);
}

#[tokio::test]
async fn an_exchange_that_outlasts_its_request_is_finished_all_the_same() {
    let app = TestApp::with(&[("OPERATION_TIMEOUT", "2s")]).await;
    let ana = app.person("ana").await;
    let token = token(&app).await;
    let slow = json!([{"kind": "latency", "ms": 4000, "endpoint": EXCHANGE}]);
    app.bank.faults(slow).await;
    let mut items = ana
        .watch("subscription { itemUpdated { item { id } } }", json!({}))
        .await;
    let document =
        "mutation($t: String!) { exchangePublicToken(input: {publicToken: $t}) { item { id } } }";
    let code = ana.error(document, json!({"t": token})).await;
    assert_eq!(code, "TIMEOUT");
    let event = items.next().await;
    let again = ana.exchange(&token).await;
    assert_eq!(again["item"]["id"], event["itemUpdated"]["item"]["id"]);
    assert_eq!(app.bank.calls(EXCHANGE).await.len(), 1);
}

#[tokio::test]
async fn a_bank_she_has_already_is_found_before_the_exchange() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let mut items = ana
        .watch("subscription { itemUpdated { item { id } } }", json!({}))
        .await;
    let page = ana.hosted_link(None).await;
    app.bank.walk(&page, Some("ins_109508"), "pass_good").await;
    let linked = items.next().await["itemUpdated"]["item"]["id"].clone();
    ana.quiet().await;

    let token = ana.finished_session(&app.bank).await;
    let answer = ana.exchange(&token).await;
    assert_eq!(answer["existingItem"]["id"], linked, "{answer}");
    assert_eq!(
        (&answer["item"], &answer["syncJob"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(ana.exchange(&token).await, answer);
    assert_eq!(app.bank.calls(EXCHANGE).await.len(), 1);
    // Her husband signs in to the same bank: what she has is nothing of his.
    let other = bob.exchange(&bob.finished_session(&app.bank).await).await;
    assert!(other["item"].is_object(), "{other}");
    assert_eq!(other["existingItem"], Value::Null);
}

#[tokio::test]
async fn two_sessions_of_one_bank_that_end_at_once_make_one_item() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let first = ana.finished_session(&app.bank).await;
    let second = ana.finished_session(&app.bank).await;
    // Both have been exchanged before either is stored.
    let slow = json!({"kind": "latency", "ms": 500, "endpoint": EXCHANGE});
    app.bank.faults(json!([slow])).await;
    let answers = join_all([ana.exchange(&first), ana.exchange(&second)]).await;
    assert_eq!(app.bank.calls(EXCHANGE).await.len(), 2);
    let ids = |field: &str| -> Vec<Value> {
        let ids = answers.iter().map(|answer| answer[field]["id"].clone());
        ids.filter(Value::is_string).collect()
    };
    assert_eq!(ids("item").len(), 1, "{answers:?}");
    assert_eq!(ids("item"), ids("existingItem"), "{answers:?}");
    assert_eq!(ana.exchange(&first).await["item"], answers[0]["item"]);
    assert_eq!(
        ana.exchange(&second).await["existingItem"],
        answers[1]["existingItem"]
    );

    app.idle().await;
    let there = app.bank.item_id().await;
    let theirs = app.bank.oracle(&there).await.len();
    assert_eq!(
        (app.bank.items().await.len(), ana.transactions().await.len()),
        (2, theirs)
    );
    let item = ids("item").remove(0);
    assert_eq!(
        ana.sync(item.as_str().unwrap()).await["status"],
        "SUCCEEDED"
    );
    let items = "{ items { nodes { id } } }";
    let hers = ana.ask(items, json!({})).await;
    assert_eq!(hers["items"]["nodes"], json!([{"id": item}]));
    let strangers = bob.ask(items, json!({})).await;
    assert_eq!(strangers["items"]["nodes"], json!([]));
}

#[tokio::test]
async fn a_bank_she_has_just_linked_is_found_before_its_first_sync() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let first = ana.finished_session(&app.bank).await;
    let second = ana.finished_session(&app.bank).await;
    let slow = json!({"kind": "latency", "ms": 60_000, "endpoint": "/transactions/sync"});
    app.bank.faults(json!([slow])).await;
    let linked = ana.exchange(&first).await;
    let again = ana.exchange(&second).await;
    assert!(linked["item"].is_object(), "{linked}");
    assert_eq!(again["existingItem"], linked["item"], "{again}");
    assert_eq!(app.bank.calls(EXCHANGE).await.len(), 1);
    ana.remove(linked["item"]["id"].as_str().unwrap()).await;
    let previews = "SELECT count(*) FROM exchanges WHERE preview IS NOT NULL";
    assert_eq!(app.count(previews).await, 0);
}
