//! Subscriptions in an answer that goes on: server-sent events and Apollo's parts.

use std::time::Duration;

use passbook::transport::Limits;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    schema::PATIENCE,
    support::{MOMENT, TestServer, code, read},
};

const EVENTS: &str = "text/event-stream";
const PARTS: &str =
    "multipart/mixed;boundary=\"graphql\";subscriptionSpec=\"1.0\",application/json";
const BOTH: [&str; 2] = [EVENTS, PARTS];

fn ask(server: &TestServer, accept: &str, query: &str) -> RequestBuilder {
    server
        .request("POST", "/graphql")
        .header("accept", accept)
        .header("content-type", "application/json")
        .body(json!({ "query": query }).to_string())
}

/// An answer that is being told.
struct Told {
    response: Response,
    heard: String,
}

impl Told {
    async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self {
            response,
            heard: String::new(),
        }
    }

    /// Everything up to these words; the rest if they do not come any more.
    async fn until(&mut self, words: &str) -> String {
        let found = timeout(PATIENCE, async {
            loop {
                if let Some(at) = self.heard.find(words) {
                    let rest = self.heard.split_off(at + words.len());
                    return std::mem::replace(&mut self.heard, rest);
                }
                match self.response.chunk().await.unwrap() {
                    Some(chunk) => self.heard += std::str::from_utf8(&chunk).unwrap(),
                    None => return std::mem::take(&mut self.heard),
                }
            }
        });
        found.await.expect("nothing is told")
    }

    /// Everything there is.
    async fn rest(&mut self) -> String {
        self.until("nothing says this").await
    }
}

#[tokio::test]
async fn a_subscription_is_told_event_by_event() {
    let server = TestServer::start().await;
    let get = "/graphql?query=subscription%7Bcount(to%3A2)%7D";
    for request in [
        ask(&server, EVENTS, "subscription { count(to: 2) }"),
        server.request("GET", get).header("accept", EVENTS),
    ] {
        let mut told = Told::of(request).await;
        let headers = told.response.headers().clone();
        assert_eq!(headers["content-type"], "text/event-stream; charset=utf-8");
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["x-accel-buffering"], "no");
        assert!(!headers["x-request-id"].is_empty());
        assert_eq!(
            told.rest().await,
            ":\n\nevent: next\ndata: {\"data\":{\"count\":1}}\n\n\
             event: next\ndata: {\"data\":{\"count\":2}}\n\nevent: complete\ndata:\n\n"
        );
    }
}

#[tokio::test]
async fn a_subscription_is_told_part_by_part() {
    let server = TestServer::start().await;
    let spellings = [
        PARTS,
        "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json",
        "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9",
        "multipart/mixed;subscriptionSpec=\"1.0\", application/json",
    ];
    for accept in spellings {
        let mut told = Told::of(ask(&server, accept, "subscription { count(to: 2) }")).await;
        let headers = told.response.headers();
        assert_eq!(
            headers["content-type"],
            "multipart/mixed;boundary=\"graphql\";subscriptionSpec=\"1.0\""
        );
        let part =
            |json: &str| format!("\r\ncontent-type: application/json\r\n\r\n{json}\r\n--graphql");
        let parts = [
            "\r\n--graphql".to_owned(),
            part(r#"{"payload":{"data":{"count":1}}}"#),
            part(r#"{"payload":{"data":{"count":2}}}"#),
            "--\r\n".to_owned(),
        ];
        assert_eq!(told.rest().await, parts.concat());
    }
}

#[tokio::test]
async fn queries_and_mutations_are_told_as_one_event() {
    let server = TestServer::start().await;
    for (query, data) in [
        ("{ hello }", json!({"hello": "world"})),
        ("mutation { bump }", json!({"bump": 1})),
    ] {
        let told = Told::of(ask(&server, EVENTS, query)).await.rest().await;
        let event = json!({ "data": data });
        assert_eq!(
            told,
            format!("event: next\ndata: {event}\n\nevent: complete\ndata:\n\n")
        );
    }
    let mutation = "/graphql?query=mutation%7Bbump%7D";
    let request = server.request("GET", mutation).header("accept", EVENTS);
    assert_eq!(read(request).await.0, 405);
    // Who accepts JSON too gets one JSON text.
    let request = ask(&server, "text/event-stream, application/json", "{ hello }");
    assert_eq!(read(request).await.1["data"]["hello"], "world");
    assert_eq!(
        read(ask(&server, PARTS, "{ hello }")).await.1["data"]["hello"],
        "world"
    );
}

#[tokio::test]
async fn what_does_not_run_is_refused_before_anything_is_told() {
    let server = TestServer::start().await;
    let bomb = format!("subscription {{ {} }}", "count(to: 1) ".repeat(60));
    let table = [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription { a: wait b: wait }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("subscription { count }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription($n: Int!) { count(to: $n) }", "BAD_USER_INPUT"),
        (bomb.as_str(), "QUERY_TOO_COMPLEX"),
    ];
    for accept in BOTH {
        for (query, expected) in table {
            let (status, body) = read(ask(&server, accept, query)).await;
            assert_eq!(
                (status, code(&body)),
                (400, expected),
                "{accept} {query} {body}"
            );
            assert!(body.get("data").is_none(), "{body}");
        }
        let bad = ask(&server, accept, "subscription { wait }").bearer_auth("bob");
        assert_eq!(read(bad).await.0, 401, "{accept}");
        let strange =
            ask(&server, accept, "subscription { wait }").header("origin", "https://evil.example");
        assert_eq!(read(strange).await.0, 403, "{accept}");
        let listed =
            ask(&server, accept, "subscription { wait }").header("origin", "https://app.example");
        Told::of(listed).await;
    }
    let (status, body) = read(ask(&server, EVENTS, "{ nothing }")).await;
    assert_eq!((status, code(&body)), (400, "GRAPHQL_VALIDATION_FAILED"));
}

/// The last word of a stream.
fn end(accept: &str) -> &'static str {
    if accept == EVENTS {
        "event: complete\ndata:\n\n"
    } else {
        "\r\n--graphql--\r\n"
    }
}

/// The JSON in a piece of a stream.
fn payload(piece: &str) -> Value {
    let json = piece
        .lines()
        .find_map(|line| line[line.find('{')?..].into());
    let json: &str = json.unwrap_or_else(|| panic!("no JSON: {piece}"));
    let value: Value = serde_json::from_str(json).unwrap();
    match value.get("payload") {
        Some(payload) if !payload.is_null() => payload.clone(),
        _ => value,
    }
}

#[tokio::test]
async fn how_a_stream_fails_is_told_in_it() {
    let server = TestServer::start().await;
    for accept in BOTH {
        for (query, expected) in [
            ("subscription { who }", "UNAUTHENTICATED"),
            ("subscription { panics }", "INTERNAL_SERVER_ERROR"),
        ] {
            let mut told = Told::of(ask(&server, accept, query)).await;
            if query.contains("panics") {
                told.until(r#""panics":1"#).await;
                told.until("\n").await;
            }
            let rest = told.rest().await;
            assert_eq!(code(&payload(&rest)), expected, "{rest}");
            assert!(rest.ends_with(end(accept)), "{rest}");
        }
    }
    assert_eq!(server.ask("{ hello }").await.0, 200);
}

#[tokio::test]
async fn a_session_that_ends_ends_its_streams() {
    for accept in BOTH {
        let server = TestServer::start().await;
        let request = ask(&server, accept, "subscription { wait }").bearer_auth("ana");
        let mut told = Told::of(request).await;
        told.until(r#""wait":true}"#).await;
        told.until("\n").await;
        server.door.over.cancel();
        let rest = told.rest().await;
        assert_eq!(code(&payload(&rest)), "UNAUTHENTICATED", "{rest}");
        assert_eq!(
            rest.contains(r#""payload":null"#),
            accept == PARTS,
            "{rest}"
        );
        assert!(rest.ends_with(end(accept)), "{rest}");
    }
}

#[tokio::test]
async fn who_leaves_a_stream_ends_its_subscription() {
    let server = TestServer::start().await;
    let mut live = server.probe.live.subscribe();
    for accept in BOTH {
        for query in ["subscription { wait }", "subscription { flood }"] {
            let told = Told::of(ask(&server, accept, query)).await;
            timeout(PATIENCE, live.wait_for(|live| *live == 1))
                .await
                .unwrap()
                .unwrap();
            drop(told);
            timeout(PATIENCE, live.wait_for(|live| *live == 0))
                .await
                .unwrap()
                .unwrap();
        }
    }
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive_and_outlasts_a_rest() {
    let limits = Limits {
        ping_every: Duration::from_millis(10),
        head_time: MOMENT,
        rest_time: MOMENT,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    for (accept, pulse) in [(EVENTS, ":\n\n"), (PARTS, "\r\n\r\n{}\r\n--graphql")] {
        let mut told = Told::of(ask(&server, accept, "subscription { wait }")).await;
        told.until(r#""wait":true}"#).await;
        for _ in 0..20 {
            let heard = told.until(pulse).await;
            assert!(heard.ends_with(pulse), "{heard}");
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams() {
    for accept in BOTH {
        let mut server = TestServer::start().await;
        let mut told = Told::of(ask(&server, accept, "subscription { wait }")).await;
        told.until(r#""wait":true}"#).await;
        told.until("\n").await;
        server.shutdown.cancel();
        let rest = told.rest().await;
        if accept == EVENTS {
            // A client that hears no end comes back.
            assert_eq!(rest, "\n");
        } else {
            assert_eq!(code(&payload(&rest)), "UNAVAILABLE", "{rest}");
            assert!(rest.ends_with(end(accept)), "{rest}");
        }
        let stopped = timeout(PATIENCE, &mut server.task).await;
        stopped.expect("the server goes on").unwrap();
    }
}
