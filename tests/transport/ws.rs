//! GraphQL over a socket.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, http::HeaderValue};

use crate::support::{Socket, TestServer, complete, init, next};

#[tokio::test]
async fn operations_of_every_kind_run_and_complete() {
    let server = TestServer::start().await;
    let mut socket = server.ready_socket().await;
    let table = [
        (
            "subscription { count(to: 3) }",
            vec![
                json!({"count": 1}),
                json!({"count": 2}),
                json!({"count": 3}),
            ],
        ),
        ("subscription { count(to: 0) }", vec![]),
        ("{ hello }", vec![json!({"hello": "world"})]),
        ("mutation { bump }", vec![json!({"bump": 1})]),
    ];
    for (query, events) in table {
        // An id is free again once its operation is over.
        socket.subscribe("a", query).await;
        for event in events {
            assert_eq!(socket.hear().await, next("a", &event), "{query}");
        }
        assert_eq!(socket.hear().await, complete("a"), "{query}");
    }
    let payload = json!({"query": "query A($n: Int!) { echo(n: $n) } query B { hello }",
        "operationName": "A", "variables": {"n": 5}, "extensions": null});
    socket
        .say(&json!({"type": "subscribe", "id": "b", "payload": payload}))
        .await;
    assert_eq!(socket.hear().await, next("b", &json!({"echo": 5})));
}

#[tokio::test]
async fn what_does_not_run_is_one_error_and_nothing_after() {
    let server = TestServer::start().await;
    let mut socket = server.ready_socket().await;
    let bomb = format!("{{ {} }}", "hello ".repeat(60));
    let table = [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription { a: count(to: 1) b: count(to: 1) }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "subscription { ... on Subscriptions { count(to: 1) } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("subscription($n: Int!) { count(to: $n) }", "BAD_USER_INPUT"),
        ("subscription { who }", "UNAUTHENTICATED"),
        ("{ panic }", "INTERNAL_SERVER_ERROR"),
        (bomb.as_str(), "QUERY_TOO_COMPLEX"),
    ];
    for (query, code) in table {
        socket.subscribe("a", query).await;
        let heard = socket.hear().await;
        assert_eq!(
            (&heard["type"], &heard["id"]),
            (&json!("error"), &json!("a")),
            "{heard}"
        );
        let error = &heard["payload"][0];
        assert_eq!(error["extensions"]["code"], code, "{heard}");
        assert!(error["extensions"]["requestId"].is_string(), "{heard}");
        socket.quiet().await;
    }
    // An error of a field is data; a panic in a stream ends that stream only.
    socket.subscribe("a", "{ who }").await;
    let heard = socket.hear().await;
    assert_eq!(
        (&heard["type"], &heard["payload"]["data"]),
        (&json!("next"), &Value::Null)
    );
    assert_eq!(socket.hear().await, complete("a"));
    socket.subscribe("b", "subscription { panics }").await;
    assert_eq!(socket.hear().await, next("b", &json!({"panics": 1})));
    assert_eq!(socket.hear().await["type"], "error");
    socket.quiet().await;
}

/// Says messages to a new socket, and asserts the code it is closed with.
async fn closes(server: &TestServer, code: u16, acknowledged: bool, messages: Vec<Message>) {
    let mut socket = if acknowledged {
        server.ready_socket().await
    } else {
        server.socket().await
    };
    let said: String = format!("{messages:?}").chars().take(200).collect();
    for message in messages {
        socket.send(message).await;
    }
    let heard = socket.hear().await;
    assert_eq!(heard["closed"], code, "{said} {heard}");
    assert!(!heard["reason"].as_str().unwrap().is_empty(), "{heard}");
}

fn text(value: &Value) -> Message {
    Message::text(value.to_string())
}

fn subscribe(id: &Value, payload: &Value) -> Message {
    text(&json!({"type": "subscribe", "id": id, "payload": payload}))
}

#[tokio::test]
async fn what_is_no_message_is_told() {
    let server = TestServer::start().await;
    let table = [
        (4400, Message::text("{")),
        (4400, Message::text("[]")),
        (4400, Message::text("\"ping\"")),
        (4400, text(&json!({"id": "a"}))),
        (4400, text(&json!({"type": 1}))),
        (4400, text(&json!({"type": "x".repeat(500)}))),
        (4400, text(&json!({"type": "é".repeat(100)}))),
        (
            4400,
            text(&json!({"type": "start", "id": "a", "payload": {}})),
        ),
        (4400, text(&json!({"type": "ping", "payload": 7}))),
        (4400, text(&json!({"type": "connection_ack"}))),
        (4400, text(&init(&json!("token")))),
        (4400, Message::binary("{}")),
        (1009, Message::text("x".repeat(64 * 1024 + 1))),
        (1009, Message::text("x".repeat(1024 * 1024))),
    ];
    for (code, message) in table {
        closes(&server, code, false, vec![message]).await;
    }
}

#[tokio::test]
async fn a_client_that_breaks_the_order_is_told() {
    let server = TestServer::start().await;
    let (a, fine) = (json!("a"), json!({"query": "{ hello }"}));
    closes(&server, 4401, false, vec![subscribe(&a, &fine)]).await;
    closes(&server, 4429, true, vec![text(&init(&Value::Null))]).await;
    let waiting = subscribe(&a, &json!({"query": "{ wait }"}));
    closes(&server, 4409, true, vec![waiting, subscribe(&a, &fine)]).await;
    closes(
        &server,
        4400,
        true,
        vec![text(&json!({"type": "complete"}))],
    )
    .await;
    for id in [json!(null), json!(""), json!(1)] {
        closes(&server, 4400, true, vec![subscribe(&id, &fine)]).await;
    }
    let variables = json!({"query": "{ hello }", "variables": "x"});
    for payload in [json!(null), json!({}), json!({"query": 1}), variables] {
        closes(&server, 4400, true, vec![subscribe(&a, &payload)]).await;
    }
}

#[tokio::test]
async fn pings_are_answered_at_any_time() {
    let server = TestServer::start().await;
    let mut socket = server.socket().await;
    socket
        .say(&json!({"type": "ping", "payload": {"n": 1}}))
        .await;
    assert_eq!(
        socket.hear().await,
        json!({"type": "pong", "payload": {"n": 1}})
    );
    socket.say(&json!({"type": "pong"})).await;
    socket
        .say(&json!({"type": "complete", "id": "unknown"}))
        .await;
    socket.quiet().await;
}

#[tokio::test]
async fn only_one_dialect_is_spoken() {
    let server = TestServer::start().await;
    let offers = |offer: Option<&str>| {
        let mut request = server.upgrade();
        request.headers_mut().remove("sec-websocket-protocol");
        if let Some(offer) = offer {
            let offer = HeaderValue::from_str(offer).unwrap();
            request
                .headers_mut()
                .insert("sec-websocket-protocol", offer);
        }
        request
    };
    let mut socket = Socket::open(offers(None)).await.unwrap();
    assert_eq!(socket.closed().await, 4406);
    // A client that offers only what is not spoken fails at once.
    assert!(Socket::open(offers(Some("graphql-ws"))).await.is_err());
    let both = offers(Some("graphql-ws, graphql-transport-ws"));
    let mut socket = Socket::open(both).await.unwrap();
    socket.say(&init(&Value::Null)).await;
    assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
}
