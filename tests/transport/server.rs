//! The server round the API: routes, headers, start and stop.

use std::{sync::Arc, time::Duration};

use migration::{Migrator, MigratorTrait};
use passbook::{
    metrics::Metrics,
    server::{Server, Site},
    transport::Limits,
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::{
    schema::{PATIENCE, Probe, build},
    support::{MOMENT, TestDoor, TestServer, config, database, keys, read},
};

fn site(
    db: &passbook::database::Database,
    pairs: &[(&str, &str)],
) -> Site<crate::schema::Executor, TestDoor> {
    Site {
        config: config(pairs),
        db: db.clone(),
        metrics: Metrics::default(),
        keys: keys(),
        executor: build(Probe::default()),
        door: TestDoor::default(),
        routes: axum::Router::new(),
        limits: Arc::default(),
    }
}

#[tokio::test]
async fn every_route_answers() {
    let server = TestServer::start().await;
    let table = [
        ("/", 200, "GraphiQL"),
        ("/graphiql", 200, "/graphiql/assets/"),
        ("/graphiql/assets/nothing.js", 404, ""),
        ("/healthz", 200, "ok"),
        ("/readyz", 200, "ok"),
        ("/extra", 200, "extra"),
        ("/panics", 500, ""),
        ("/nowhere", 404, "NOT_FOUND"),
        ("/graphql/", 404, "NOT_FOUND"),
    ];
    for (path, status, part) in table {
        let response = server.request("GET", path).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let headers = response.headers().clone();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert!(headers.contains_key("x-request-id"), "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert_eq!(policy.contains("script-src"), path == "/graphiql", "{path}");
        assert!(!headers.contains_key("server"), "{path}");
        // Over http it would mean nothing.
        assert!(!headers.contains_key("strict-transport-security"), "{path}");
        assert!(response.text().await.unwrap().contains(part), "{path}");
    }
    let tls = [("PUBLIC_URL", "https://me.example")];
    let server = TestServer::with(Limits::default(), &tls).await;
    let answer = server.request("GET", "/nowhere").send().await.unwrap();
    let lasting = &answer.headers()["strict-transport-security"];
    assert_eq!(lasting, "max-age=31536000");
    let server = TestServer::with(Limits::default(), &[("GRAPHIQL", "off")]).await;
    assert_eq!(read(server.request("GET", "/graphiql")).await.0, 404);
    let landing = server
        .request("GET", "/")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!landing.contains("graphiql"));
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_before_anybody_reads_it() {
    let server = TestServer::start().await;
    let hello = json!({"query": "{ hello }"});
    for (length, status) in [(60 * 1024, 401), (64 * 1024, 431)] {
        let request = server.post(&hello).bearer_auth("x".repeat(length));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{length}");
    }
    assert_eq!(server.ask("{ hello }").await.0, 200);
}

#[tokio::test]
async fn the_page_to_explore_comes_with_its_files_once() {
    let server = TestServer::start().await;
    let page = server.request("GET", "/graphiql").send().await.unwrap();
    assert_eq!(page.headers()["cache-control"], "no-cache");
    let page = page.text().await.unwrap();
    let named = page
        .split('"')
        .filter(|name| name.starts_with("/graphiql/"));
    let files: Vec<&str> = named.collect();
    assert!(files.len() >= 2, "{page}");
    for file in files.into_iter().chain(["/graphiql"]) {
        let first = server.request("GET", file).send().await.unwrap();
        assert_eq!(first.status(), 200, "{file}");
        let tag = first.headers()["etag"].clone();
        let again = server.request("GET", file).header("if-none-match", tag);
        let again = again.send().await.unwrap();
        assert_eq!(again.status(), 304, "{file}");
        let policy = again.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self'") && !policy.contains("eval"));
        assert!(again.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_server_is_ready_when_its_database_is() {
    let (db, file) = database().await;
    let server = Server::bind(site(&db, &[])).await.unwrap();
    let url = format!("http://{}/readyz", server.address());
    let stop = tokio_util::sync::CancellationToken::new();
    let task = tokio::spawn(server.serve(stop.clone()));
    let response = reqwest::get(&url).await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.text().await.unwrap().contains("passbook migrate"));
    Migrator::up(db.migrate(), None).await.unwrap();
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
    stop.cancel();
    task.await.unwrap();
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn a_taken_address_is_told_with_its_setting() {
    let server = TestServer::start().await;
    let address = server.address.to_string();
    let failed = Server::bind(site(&server.db, &[("LISTEN", &address)])).await;
    let error = failed.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("LISTEN: {address} is taken")),
        "{error}"
    );
}

#[tokio::test]
async fn browsers_may_call_from_listed_origins() {
    let server = TestServer::start().await;
    for (origin, allowed) in [
        ("https://app.example", true),
        ("https://evil.example", false),
        ("http://app.example", false),
        ("https://app.example:8443", false),
        ("https://app.example.evil.example", false),
        ("https://sub.app.example", false),
        ("null", false),
    ] {
        let preflight = server
            .request("OPTIONS", "/graphql")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type",
            );
        let answer = server
            .post(&json!({"query": "{ hello }"}))
            .header("origin", origin);
        let body = r#"{"query":"subscription { count(to: 1) }"}"#;
        let stream = server.request("POST", "/graphql").header("origin", origin);
        let stream = stream.header("accept", "text/event-stream");
        let stream = stream.header("content-type", "application/json").body(body);
        for request in [preflight, answer, stream] {
            let headers = request.send().await.unwrap().headers().clone();
            let told = headers.get("access-control-allow-origin");
            assert_eq!(told.is_some(), allowed, "{origin} {headers:?}");
            assert!(told.is_none_or(|told| told == origin));
            let cookies = headers.get("access-control-allow-credentials");
            assert_eq!(cookies.is_some(), allowed, "{origin} {headers:?}");
            let vary = format!("{:?}", headers.get_all("vary").iter().collect::<Vec<_>>());
            assert!(vary.contains("origin"), "{vary}");
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_has_begun() {
    let mut server = TestServer::start().await;
    let mut socket = server.ready_socket().await;
    let mut begun = server.probe.begun.subscribe();
    let request = server.post(&json!({"query": "mutation { slow }"}));
    let answer = tokio::spawn(read(request));
    begun.wait_for(|begun| *begun == 1).await.unwrap();
    server.shutdown.cancel();
    assert_eq!(socket.closed().await, 1001);
    assert!(
        tokio::net::TcpStream::connect(server.address)
            .await
            .is_err()
    );
    server.probe.gate.notify_waiters();
    let (status, body) = answer.await.unwrap();
    assert_eq!((status, &body["data"]), (200, &json!({"slow": true})));
    drop(socket);
    let stopped = timeout(PATIENCE, &mut server.task).await;
    stopped.expect("the server goes on").unwrap();
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_ever() {
    let limits = Limits {
        drain: MOMENT,
        ..Limits::default()
    };
    let mut server = TestServer::with(limits, &[]).await;
    let mut begun = server.probe.begun.subscribe();
    let request = server.post(&json!({"query": "{ wait }"}));
    let answer = tokio::spawn(request.timeout(Duration::from_mins(1)).send());
    begun.wait_for(|begun| *begun == 1).await.unwrap();
    server.shutdown.cancel();
    let stopped = timeout(PATIENCE, &mut server.task).await;
    stopped.expect("the server goes on").unwrap();
    answer.abort();
}

#[tokio::test]
async fn connections_wait_for_their_turn() {
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    let first = server.ready_socket().await;
    let mut second = server.ready_socket().await;
    let url = server.url("/healthz");
    let waiting = tokio::spawn(async move { reqwest::get(url).await.unwrap().status() });
    // Time enough for an answer, measured in what the server does meanwhile.
    for _ in 0..100 {
        second.quiet().await;
    }
    assert!(!waiting.is_finished());
    drop(first);
    let status = timeout(PATIENCE, waiting)
        .await
        .expect("the seat was not freed");
    assert_eq!(status.unwrap(), 200);
}

/// A request whose answer is larger than what the system keeps for a client that does not read, on
/// a connection that takes little at a time.
async fn greedy(server: &TestServer) -> TcpStream {
    let fields: Vec<String> = (0..40)
        .map(|n| format!(" a{n}: text(id: 1, note: $note)"))
        .collect();
    let fields = fields.concat();
    let query = format!("query($note: String) {{{fields} }}");
    let note = "x".repeat(200_000);
    let body = json!({"query": query, "variables": {"note": note}}).to_string();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn who_does_not_take_an_answer_is_let_go() {
    let limits = Limits {
        connections: 1,
        root_fields: 40,
        stall: MOMENT,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    let mut stream = greedy(&server).await;
    // There is one seat, and it is free only when the first client has lost it.
    let other = timeout(PATIENCE, reqwest::get(server.url("/healthz"))).await;
    let other = other.expect("the server waits for ever").unwrap();
    assert_eq!(other.status(), 200);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.len() < 8_000_000, "{}", answer.len());
}

#[tokio::test]
async fn who_takes_an_answer_slowly_gets_all_of_it() {
    let limits = Limits {
        root_fields: 40,
        stall: 10 * MOMENT,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    let mut stream = greedy(&server).await;
    let (mut piece, mut taken) = ([0; 32], 0);
    while taken < 8_000_000 {
        let read = timeout(PATIENCE, stream.read(&mut piece)).await.unwrap();
        let read = read.unwrap();
        assert!(read > 0, "cut off after {taken} bytes");
        taken += read;
    }
}
