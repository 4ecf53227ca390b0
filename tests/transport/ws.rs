//! GraphQL over a socket.

use std::time::Duration;

use passbook::transport::Limits;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Message, http::HeaderValue};

use crate::{
    schema::PATIENCE,
    support::{MOMENT, Socket, TestServer},
};

fn next(id: &str, data: &Value) -> Value {
    json!({ "type": "next", "id": id, "payload": { "data": data } })
}

fn complete(id: &str) -> Value {
    json!({ "type": "complete", "id": id })
}

fn init(token: &Value) -> Value {
    json!({ "type": "connection_init", "payload": token })
}

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

#[tokio::test]
async fn a_page_of_a_strange_origin_may_not_connect() {
    let server = TestServer::with(
        Limits::default(),
        &[("PUBLIC_URL", "https://me.example/api")],
    )
    .await;
    let own = format!("http://{}", server.address);
    let local = format!("http://localhost:{}", server.address.port());
    let table = [
        ("https://app.example", true),
        ("https://me.example", true),
        (own.as_str(), true),
        (local.as_str(), true),
        ("https://evil.example", false),
        ("http://app.example", false),
        ("https://app.example.evil.example", false),
        ("null", false),
    ];
    for (origin, allowed) in table {
        let mut request = server.upgrade();
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        let opened = Socket::open(request).await;
        assert_eq!(opened.is_ok(), allowed, "{origin}");
        if let Err(error) = opened {
            assert!(error.to_string().contains("403"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_socket_speaks_for_whom_its_token_names() {
    let server = TestServer::start().await;
    let ana = "00000000-0000-0000-0000-000000000001";
    for payload in [
        json!({"Authorization": "Bearer ana"}),
        json!({"authorization": "bearer ana", "x": 1}),
    ] {
        let mut socket = server.socket().await;
        socket.say(&init(&payload)).await;
        assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
        socket.subscribe("a", "subscription { who }").await;
        assert_eq!(socket.hear().await, next("a", &json!({"who": ana})));
    }
    for payload in [
        json!({"Authorization": "Bearer bob"}),
        json!({"Authorization": "ana"}),
        json!({"Authorization": 7}),
    ] {
        let mut socket = server.socket().await;
        socket.say(&init(&payload)).await;
        let heard = socket.hear().await;
        assert_eq!(
            heard,
            json!({"closed": 4403, "reason": "Forbidden"}),
            "{payload}"
        );
    }
    let mut socket = server.socket().await;
    socket
        .say(&init(&json!({"Authorization": "Bearer later"})))
        .await;
    assert_eq!(socket.closed().await, 1013);
    let mut request = server.upgrade();
    request
        .headers_mut()
        .insert("authorization", "Bearer ana".parse().unwrap());
    let mut socket = Socket::open(request).await.unwrap();
    socket.say(&init(&json!({}))).await;
    socket.hear().await;
    socket.subscribe("a", "{ who }").await;
    assert_eq!(socket.hear().await, next("a", &json!({"who": ana})));
    let mut request = server.upgrade();
    request
        .headers_mut()
        .insert("authorization", "Bearer bob".parse().unwrap());
    assert!(
        Socket::open(request)
            .await
            .err()
            .unwrap()
            .to_string()
            .contains("401")
    );
}

#[tokio::test]
async fn a_session_that_ends_closes_its_sockets_and_no_others() {
    let server = TestServer::start().await;
    let mut stranger = server.ready_socket().await;
    let mut socket = server.socket().await;
    socket
        .say(&init(&json!({"Authorization": "Bearer ana"})))
        .await;
    socket.hear().await;
    socket.subscribe("a", "subscription { wait }").await;
    assert_eq!(socket.hear().await, next("a", &json!({"wait": true})));
    server.door.over.cancel();
    assert_eq!(socket.closed().await, 4403);
    stranger.quiet().await;
    let mut live = server.probe.live.subscribe();
    timeout(PATIENCE, live.wait_for(|live| *live == 0))
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_completed_operation_is_dropped_in_silence() {
    let server = TestServer::start().await;
    let mut socket = server.ready_socket().await;
    let mut live = server.probe.live.subscribe();
    for _ in 0..3 {
        socket.subscribe("a", "subscription { wait }").await;
        assert_eq!(socket.hear().await, next("a", &json!({"wait": true})));
        socket.say(&complete("a")).await;
        socket.quiet().await;
        timeout(PATIENCE, live.wait_for(|live| *live == 0))
            .await
            .unwrap()
            .unwrap();
    }
    socket.subscribe("b", "subscription { wait }").await;
    socket.hear().await;
    drop(socket);
    timeout(PATIENCE, live.wait_for(|live| *live == 0))
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_mutation_completed_by_its_client_still_runs_to_its_end() {
    let server = TestServer::start().await;
    let mut socket = server.ready_socket().await;
    let mut begun = server.probe.begun.subscribe();
    let mut done = server.probe.done.subscribe();
    socket.subscribe("a", "mutation { slow }").await;
    begun.wait_for(|begun| *begun == 1).await.unwrap();
    socket.say(&complete("a")).await;
    socket.quiet().await;
    server.probe.gate.notify_waiters();
    timeout(PATIENCE, done.wait_for(|done| *done == 1))
        .await
        .unwrap()
        .unwrap();
    socket.quiet().await;
}

#[tokio::test]
async fn a_socket_carries_so_many_operations() {
    let server = TestServer::start().await;
    let mut socket = server.ready_socket().await;
    for n in 0..20 {
        socket
            .subscribe(&n.to_string(), "subscription { wait }")
            .await;
        socket.hear().await;
    }
    socket.subscribe("more", "subscription { wait }").await;
    let heard = socket.hear().await;
    assert_eq!(
        (&heard["type"], &heard["id"]),
        (&json!("error"), &json!("more"))
    );
    assert_eq!(heard["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    socket.say(&complete("7")).await;
    socket.subscribe("more", "subscription { wait }").await;
    assert_eq!(socket.hear().await, next("more", &json!({"wait": true})));
}

#[tokio::test]
async fn who_says_nothing_is_let_go() {
    let limits = Limits {
        init_time: MOMENT,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    assert_eq!(server.socket().await.closed().await, 4408);
    let limits = Limits {
        ping_every: Duration::from_millis(10),
        silence: MOMENT,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    let mut socket = server.ready_socket().await;
    socket.subscribe("a", "subscription { wait }").await;
    // From here the client reads nothing, so it answers no ping either.
    let mut live = server.probe.live.subscribe();
    timeout(PATIENCE, live.wait_for(|live| *live == 1))
        .await
        .unwrap()
        .unwrap();
    timeout(PATIENCE, live.wait_for(|live| *live == 0))
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn who_stops_reading_is_let_go() {
    let limits = Limits {
        stall: MOMENT,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    let mut other = server.ready_socket().await;
    let mut socket = server.ready_socket().await;
    let mut live = server.probe.live.subscribe();
    socket.subscribe("a", "subscription { flood }").await;
    timeout(PATIENCE, live.wait_for(|live| *live == 1))
        .await
        .unwrap()
        .unwrap();
    timeout(PATIENCE, live.wait_for(|live| *live == 0))
        .await
        .unwrap()
        .unwrap();
    other.quiet().await;
}
