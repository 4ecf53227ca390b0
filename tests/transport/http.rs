//! GraphQL over HTTP.

use passbook::transport::Limits;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    schema::PATIENCE,
    support::{MOMENT, TestServer, code, read},
};

const MODERN: &str = "application/graphql-response+json";
const LEGACY: &str = "application/json";
const WHOLE: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

/// Sends bytes and reads until the server closes.
async fn raw(server: &TestServer, text: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let all = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    all.expect("the server keeps the connection").unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_query_is_answered_in_the_type_the_client_prefers() {
    let server = TestServer::start().await;
    let table = [
        (MODERN, MODERN),
        (LEGACY, LEGACY),
        ("*/*", LEGACY),
        (
            "application/graphql-response+json, application/json;q=0.9",
            MODERN,
        ),
    ];
    for (accept, expected) in table {
        let request = server
            .request("POST", "/graphql")
            .header("accept", accept)
            .header("content-type", "application/json; charset=UTF-8")
            .body(r#"{"query":"{ hello }"}"#);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{accept}");
        let headers = response.headers().clone();
        assert_eq!(
            headers["content-type"],
            format!("{expected}; charset=utf-8"),
            "{accept}"
        );
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(!headers["x-request-id"].is_empty());
        let vary: Vec<_> = headers.get_all("vary").iter().collect();
        assert!(vary.iter().any(|value| *value == "accept"), "{vary:?}");
        assert!(headers.get("server").is_none());
        let body = response.text().await.unwrap();
        assert_eq!(body, r#"{"data":{"hello":"world"}}"#);
    }
}

#[tokio::test]
async fn a_request_that_does_not_run_has_no_data_and_a_code() {
    let server = TestServer::start().await;
    let needs = "query($id: ID!, $n: Int = 3) { text(id: $id) echo(n: $n) }";
    let table = [
        (json!({"query": "{"}), "GRAPHQL_PARSE_FAILED"),
        (json!({"query": ""}), "GRAPHQL_PARSE_FAILED"),
        (json!({"query": "{ nothing }"}), "GRAPHQL_VALIDATION_FAILED"),
        (
            json!({"query": "query A { hello } query B { hello }"}),
            "BAD_USER_INPUT",
        ),
        (
            json!({"query": "query A { hello }", "operationName": "B"}),
            "BAD_USER_INPUT",
        ),
        (
            json!({"query": "{ hello }", "operationName": "B"}),
            "BAD_USER_INPUT",
        ),
        (json!({"query": needs}), "BAD_USER_INPUT"),
        (
            json!({"query": needs, "variables": {"id": null}}),
            "BAD_USER_INPUT",
        ),
        (
            json!({"query": needs, "variables": {"id": "a", "n": "x"}}),
            "BAD_USER_INPUT",
        ),
        (
            json!({"query": needs, "variables": {"id": "a", "n": 3_000_000_000_u64}}),
            "BAD_USER_INPUT",
        ),
        (
            json!({"query": needs, "variables": {"id": {"a": 1}}}),
            "BAD_USER_INPUT",
        ),
        (
            json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ab"}}}),
            "PERSISTED_QUERY_NOT_SUPPORTED",
        ),
    ];
    for (body, expected) in table {
        for (accept, status) in [(MODERN, 400), (LEGACY, 200)] {
            let (got, answer) = read(
                server
                    .request("POST", "/graphql")
                    .header("accept", accept)
                    .header("content-type", LEGACY)
                    .body(body.to_string()),
            )
            .await;
            assert_eq!(got, status, "{body} {answer}");
            assert_eq!(code(&answer), expected, "{body} {answer}");
            assert!(answer.get("data").is_none(), "{answer}");
            let error = &answer["errors"][0];
            assert!(
                !error["message"].as_str().unwrap().contains('\n'),
                "{answer}"
            );
            assert!(error["extensions"]["requestId"].is_string(), "{answer}");
        }
    }
}

#[tokio::test]
async fn variables_and_names_are_understood() {
    let server = TestServer::start().await;
    let query = "query A($n: Int!, $id: ID = \"x\", $note: String) {
            echo(n: $n) text(id: $id, note: $note) } query B { hello }";
    let table = [
        (
            json!({"n": 7, "id": 5, "note": "é"}),
            json!({"echo": 7, "text": "5/é"}),
        ),
        (json!({"n": -1}), json!({"echo": -1, "text": "x/"})),
        (
            json!({"n": 0, "note": null, "other": [1]}),
            json!({"echo": 0, "text": "x/"}),
        ),
    ];
    for (variables, data) in table {
        let body = json!({"query": query, "operationName": "A", "variables": variables});
        assert_eq!(
            read(server.post(&body)).await,
            (200, json!({ "data": data }))
        );
    }
    let body =
        json!({"query": "{ hello }", "operationName": "", "variables": null, "extensions": {}});
    assert_eq!(read(server.post(&body)).await.0, 200);
}

#[tokio::test]
async fn what_cannot_carry_a_request_is_refused() {
    let server = TestServer::start().await;
    let fine = r#"{"query":"{ hello }"}"#;
    let table = [
        (415, "text/plain", "*/*", fine),
        (415, "text/plain; application/json", "*/*", fine),
        (415, "", "*/*", fine),
        (
            415,
            "application/x-www-form-urlencoded",
            "*/*",
            "query=%7Bhello%7D",
        ),
        (415, "multipart/form-data; boundary=x", "*/*", fine),
        (415, "application/json; charset=latin1", "*/*", fine),
        (406, LEGACY, "text/html", fine),
        (406, LEGACY, "multipart/mixed;subscriptionSpec=1.0", fine),
        (400, LEGACY, "*/*", ""),
        (400, LEGACY, "*/*", "{"),
        (400, LEGACY, "*/*", "null"),
        (400, LEGACY, "*/*", "7"),
        (400, LEGACY, "*/*", "[]"),
        (
            400,
            LEGACY,
            "*/*",
            r#"[{"query":"{ hello }"},{"query":"{ hello }"}]"#,
        ),
        (400, LEGACY, "*/*", "{}"),
        (400, LEGACY, "*/*", r#"{"query":7}"#),
        (
            400,
            LEGACY,
            "*/*",
            r#"{"query":"{ hello }","variables":"x"}"#,
        ),
        (
            400,
            LEGACY,
            "*/*",
            r#"{"query":"{ hello }","variables":[1]}"#,
        ),
        (
            400,
            LEGACY,
            "*/*",
            r#"{"query":"{ hello }","operationName":1}"#,
        ),
        (
            400,
            LEGACY,
            "*/*",
            r#"{"query":"{ hello }","extensions":"x"}"#,
        ),
        (
            400,
            LEGACY,
            "*/*",
            r#"{"query":"subscription { count(to: 1) }"}"#,
        ),
        (400, LEGACY, "*/*", "\u{feff}{\"query\":\"{ hello }\"}"),
    ];
    for (expected, kind, accept, body) in table {
        let mut request = server.request("POST", "/graphql").header("accept", accept);
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let (status, answer) = read(request.body(body)).await;
        assert_eq!(status, expected, "{kind} {accept} {body} {answer}");
        assert_eq!(code(&answer), "BAD_USER_INPUT", "{answer}");
        assert!(answer.get("data").is_none(), "{answer}");
        assert!(!answer.to_string().contains("Error("), "{answer}");
    }
}

#[tokio::test]
async fn get_is_for_queries() {
    let server = TestServer::start().await;
    let mutation = "mutation%20M%7Bbump%7D%20query%20Q%7Bhello%7D";
    let table = [
        (200, "query=%7Bhello%7D".to_owned()),
        (
            200,
            "query=query%20A(%24n%3AInt!)%7Becho(n%3A%24n)%7D&variables=%7B%22n%22%3A4%7D"
                .to_owned(),
        ),
        (200, format!("query={mutation}&operationName=Q")),
        (405, format!("query={mutation}&operationName=M")),
        (405, "query=mutation%7Bbump%7D".to_owned()),
        (400, "query=subscription%7Bcount(to%3A1)%7D".to_owned()),
        (400, String::new()),
        (400, "query=%7Bhello%7D&query=%7Bhello%7D".to_owned()),
        (400, "query=%7Bhello%7D&variables=%7B".to_owned()),
        (400, "query=%7Bhello%7D&variables=7".to_owned()),
    ];
    for (expected, query) in table {
        let request = server.request("GET", &format!("/graphql?{query}"));
        let response = request.header("accept", MODERN).send().await.unwrap();
        assert_eq!(response.status(), expected, "{query}");
        let allow = response.headers().get("allow").cloned();
        assert_eq!(
            allow.is_some_and(|allow| allow == "POST"),
            expected == 405,
            "{query}"
        );
    }
    assert_eq!(*server.probe.done.borrow(), 0, "no mutation ran");
}

#[tokio::test]
async fn other_methods_are_refused() {
    let server = TestServer::start().await;
    for method in ["PUT", "PATCH", "DELETE", "HEAD", "QUERY"] {
        let request = server.request(method, "/graphql?query=%7Btouch%7D");
        let response = request
            .header("content-type", LEGACY)
            .body(r#"{"query":"{ touch }"}"#)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 405, "{method}");
        assert_eq!(response.headers()["allow"], "GET, POST", "{method}");
    }
    assert_eq!(server.probe.calls(), 0);
}

#[tokio::test]
async fn a_body_has_a_size_and_a_time() {
    let limits = Limits {
        body: 1024,
        body_time: MOMENT,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    let large = "x".repeat(100_000);
    let (status, body) = read(server.post(&json!({ "query": large }))).await;
    assert_eq!((status, code(&body)), (413, "BAD_USER_INPUT"));
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let chunked = format!(
        "{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    let answer = raw(&server, &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("BAD_USER_INPUT"), "{answer}");
    let answer = raw(
        &server,
        &format!("{head}content-length: 20\r\n\r\n{{\"query\""),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_refused_request_leaves_its_connection_usable() {
    let server = TestServer::start().await;
    let body = "x".repeat(200_000);
    let refused = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let good = "GET /graphql?query=%7Bhello%7D HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = raw(&server, &format!("{refused}{good}")).await;
    assert!(answer.starts_with("HTTP/1.1 415"), "{answer}");
    assert!(
        answer.ends_with(r#"{"data":{"hello":"world"}}"#),
        "{answer}"
    );
}

#[tokio::test]
async fn who_does_not_send_a_head_is_let_go() {
    let limits = Limits {
        head_time: MOMENT,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    for text in ["", "GET /graphql HTT"] {
        assert_eq!(raw(&server, text).await, "", "{text}");
    }
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut answer = [0; 4096];
    stream.write_all(WHOLE).await.unwrap();
    assert!(stream.read(&mut answer).await.unwrap() > 0);
    stream.write_all(&WHOLE[..20]).await.unwrap();
    let closed = timeout(PATIENCE, stream.read(&mut answer)).await;
    assert_eq!(closed.expect("the server waits").unwrap(), 0);
}

#[tokio::test]
async fn a_connection_may_rest_longer_than_a_head_may_take() {
    let limits = Limits {
        head_time: MOMENT,
        rest_time: 4 * MOMENT,
        ..Limits::default()
    };
    let server = TestServer::with(limits, &[]).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut answer = [0; 4096];
    for _ in 0..2 {
        stream.write_all(WHOLE).await.unwrap();
        assert!(stream.read(&mut answer).await.unwrap() > 0);
        let closed = timeout(2 * MOMENT, stream.read(&mut answer)).await;
        assert!(closed.is_err(), "{closed:?}");
    }
    let closed = timeout(PATIENCE, stream.read(&mut answer)).await;
    assert_eq!(closed.expect("the server keeps the connection").unwrap(), 0);
}
