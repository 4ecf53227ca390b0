//! Who may hold a socket, how much it carries, and when it is let go.

use std::time::Duration;

use futures_util::StreamExt;
use passbook::transport::Limits;
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::MaybeTlsStream;

use crate::{
    schema::PATIENCE,
    support::{MOMENT, Socket, TestServer, complete, init, next},
};

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
async fn a_session_that_ends_closes_the_socket_of_who_stops_reading() {
    let limits = Limits {
        stall: 100 * PATIENCE,
        ping_every: 100 * PATIENCE,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    let mut socket = server.socket().await;
    let ana = json!({"Authorization": "Bearer ana"});
    socket.say(&init(&ana)).await;
    socket.hear().await;
    let mut live = server.probe.live.subscribe();
    socket.subscribe("a", "subscription { lump }").await;
    // It has begun to send, and waits for her to take it.
    let MaybeTlsStream::Plain(stream) = socket.0.get_ref() else {
        panic!("there is no TLS here")
    };
    timeout(PATIENCE, stream.readable()).await.unwrap().unwrap();
    server.door.over.cancel();
    timeout(PATIENCE, live.wait_for(|live| *live == 0))
        .await
        .expect("it waits for her still")
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
async fn what_a_completed_operation_had_on_the_way_is_not_told() {
    let server = TestServer::start().await;
    let mut socket = server.ready_socket().await;
    socket.subscribe("a", "subscription { flood }").await;
    assert_eq!(socket.hear().await["type"], "next");
    socket.say(&complete("a")).await;
    socket.say(&json!({"type": "ping"})).await;
    while socket.hear().await["type"] != "pong" {}
    socket.subscribe("a", "{ hello }").await;
    assert_eq!(socket.hear().await, next("a", &json!({"hello": "world"})));
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
async fn who_speaks_too_fast_is_let_go() {
    let limits = Limits {
        pace: (1, 10),
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    let mut other = server.ready_socket().await;
    let mut socket = server.ready_socket().await;
    for _ in 0..9 {
        socket.quiet().await;
    }
    for _ in 0..10 {
        socket.say(&json!({"type": "pong"})).await;
    }
    assert_eq!(socket.closed().await, 1008);
    other.quiet().await;
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
async fn a_socket_is_no_request_that_never_ends() {
    let limits = Limits {
        head_time: MOMENT,
        rest_time: MOMENT,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    let mut socket = server.ready_socket().await;
    let closed = timeout(3 * MOMENT, socket.0.next()).await;
    assert!(closed.is_err(), "{closed:?}");
    socket.quiet().await;
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
