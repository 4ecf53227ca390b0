//! What happens while an operation runs, and on whose behalf it does.

use passbook::transport::Limits;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    schema::PATIENCE,
    support::{MOMENT, TestServer, code, read},
};

#[tokio::test]
async fn an_error_of_a_field_leaves_the_status_alone() {
    let server = TestServer::start().await;
    let (status, body) = server.ask("{ hello fail }").await;
    assert_eq!(
        (status, &body["data"]),
        (200, &json!({"hello": "world", "fail": null}))
    );
    assert_eq!(code(&body), "INTERNAL_SERVER_ERROR");
    assert!(!body.to_string().contains("secret"));
    let (status, body) = server.ask("{ who }").await;
    assert_eq!(
        (status, &body["data"], code(&body)),
        (200, &Value::Null, "UNAUTHENTICATED")
    );
    assert!(body.as_object().unwrap().contains_key("data"));
}

#[tokio::test]
async fn a_token_says_who_asks_and_a_bad_one_is_refused() {
    let server = TestServer::start().await;
    let ask = |query: &str, token: &str| {
        server
            .post(&json!({ "query": query }))
            .header("authorization", token)
    };
    let (status, body) = read(ask("{ who }", "bearer  ana")).await;
    assert_eq!((status, body["errors"].is_null()), (200, true), "{body}");
    for token in ["Bearer bob", "Bearer ", "Basic ana", "ana", ""] {
        let response = ask("{ hello }", token).send().await.unwrap();
        assert_eq!(response.status(), 401, "{token}");
        assert!(
            response.headers()["www-authenticate"]
                .to_str()
                .unwrap()
                .starts_with("Bearer")
        );
        let body: Value = response.json().await.unwrap();
        assert_eq!(code(&body), "UNAUTHENTICATED");
    }
    let (status, body) = read(ask("{ hello }", "Bearer later")).await;
    assert_eq!((status, code(&body)), (503, "UNAVAILABLE"));
    // Signing in must be possible with a token that has run out.
    let (status, body) = read(ask("mutation { login }", "Bearer bob")).await;
    assert_eq!((status, &body["data"]["login"]), (200, &json!(true)));
    let (status, _) = read(ask("mutation { login bump }", "Bearer bob")).await;
    assert_eq!((status, *server.probe.done.borrow()), (401, 0));
}

#[tokio::test]
async fn the_client_is_known_by_its_connection_and_not_by_its_claims() {
    let server = TestServer::start().await;
    let request = server
        .post(&json!({"query": "{ client }"}))
        .header("user-agent", "test/1")
        .header("x-forwarded-for", "6.6.6.6");
    let (_, body) = read(request).await;
    assert_eq!(body["data"]["client"], "127.0.0.1 test/1");
}

#[tokio::test]
async fn a_panic_harms_its_own_operation_only() {
    let server = TestServer::start().await;
    let (status, body) = server.ask("{ hello panic }").await;
    assert_eq!((status, code(&body)), (500, "INTERNAL_SERVER_ERROR"));
    assert!(!body.to_string().contains("purpose"));
    assert_eq!(server.ask("{ hello }").await.0, 200);
}

#[tokio::test]
async fn a_query_that_does_not_end_is_stopped_and_a_mutation_is_not() {
    let limits = Limits {
        execution_time: MOMENT,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    let mut done = server.probe.done.subscribe();
    for (query, then) in [("{ wait }", "stopped"), ("mutation { slow }", "goes on")] {
        let (status, body) = server.ask(query).await;
        assert_eq!((status, code(&body)), (503, "TIMEOUT"), "{query}");
        assert!(
            body["errors"][0]["message"]
                .as_str()
                .unwrap()
                .contains(then),
            "{body}"
        );
    }
    server.probe.gate.notify_waiters();
    let ended = timeout(PATIENCE, done.wait_for(|done| *done == 1)).await;
    ended.expect("the mutation was dropped").unwrap();
}

#[tokio::test]
async fn a_mutation_runs_to_its_end_though_its_client_has_left() {
    let server = TestServer::start().await;
    let mut begun = server.probe.begun.subscribe();
    let mut done = server.probe.done.subscribe();
    let request = server.post(&json!({"query": "mutation { slow }"}));
    let waiting = tokio::spawn(request.send());
    begun.wait_for(|begun| *begun == 1).await.unwrap();
    waiting.abort();
    let _ = waiting.await;
    // The connection is gone once another request has been answered after it.
    assert_eq!(server.ask("{ hello }").await.0, 200);
    server.probe.gate.notify_waiters();
    let ended = timeout(PATIENCE, done.wait_for(|done| *done == 1)).await;
    ended.expect("the mutation was dropped").unwrap();
}
