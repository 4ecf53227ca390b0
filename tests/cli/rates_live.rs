//! How long the rates on the screen go on: beyond a token, beyond a bad hour of the server, and not
//! beyond whoever reads them.

#![cfg(unix)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Child,
    sync::mpsc,
};

use serde_json::{Value, json};

use super::{
    PATIENCE, Place, Server, ended,
    rates::{EMAIL, PASSWORD, call, rates, register},
    signal,
};

const SIGNED_IN: &str =
    r#"{"data": {"login": {"accessToken": "a", "refreshToken": "r", "userErrors": []}}}"#;
const PAIRS: &str =
    r#"{"data": {"exchangeRatePairs": [{"base": "BTC", "quote": "USD", "latest": null}]}}"#;
const SIGNED_OUT: &str = r#"{"data": {"logout": {"userErrors": []}}}"#;

/// A server that answers one request after the other as it is told, and none after the last: where it
/// is, and what it is asked.
fn stand_in(answers: Vec<(&'static str, String)>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, asked) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answers = answers.into_iter();
        let mut unanswered = Vec::new();
        for stream in listener.incoming().map(Result::unwrap) {
            let _ = sender.send(body(&stream));
            match answers.next() {
                Some((status, body)) => {
                    let kind = if body.starts_with("data:") {
                        "text/event-stream"
                    } else {
                        "application/json"
                    };
                    let head = format!(
                        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n"
                    );
                    (&stream).write_all((head + &body).as_bytes()).unwrap();
                }
                None => unanswered.push(stream),
            }
        }
    });
    (url, asked)
}

/// The body of a request.
fn body(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

fn event(rate: &str) -> String {
    let rate = json!({"base": "BTC", "quote": "USD", "rate": rate, "bid": null, "ask": null,
                      "providerTime": "2026-02-01T10:00:00Z", "source": "a stand-in"});
    let event = json!({"data": {"exchangeRateUpdated": rate}});
    format!("data: {event}\n\n")
}

fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map(Result::unwrap)
}

/// How many sessions of hers are open, but for the one that looks.
fn sessions(server: &Server) -> usize {
    let url = format!("{}/graphql", server.1);
    let login = format!(
        "mutation {{ login(input: {{email: \"{EMAIL}\", password: \"{PASSWORD}\"}}) {{ accessToken }} }}"
    );
    let told = call(&url, Some(json!({ "query": login })));
    let told: Value = serde_json::from_str(&told).unwrap();
    let token = told["data"]["login"]["accessToken"].as_str().unwrap();
    let asked = async {
        let body = json!({"query": "{ sessions { nodes { current endedAt } } }"});
        let http = reqwest::Client::builder().build().unwrap();
        let request = http.post(url).bearer_auth(token).json(&body);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let told = runtime.block_on(asked);
    let sessions = told["data"]["sessions"]["nodes"].as_array().unwrap();
    let open = |session: &&Value| session["endedAt"].is_null() && session["current"] == false;
    sessions.iter().filter(open).count()
}

#[test]
fn rates_go_on_when_the_token_runs_out_and_no_session_is_left() {
    let place = Place::new();
    let server = place.serve_with(&[("ACCESS_TOKEN_TTL", "3s"), ("RATE_INTERVAL", "1s")]);
    register(&server);
    assert_eq!(sessions(&server), 1);
    let mut child = rates(&place, &["--url", &server.1], PASSWORD);
    // Each is of another second, so that several tokens have run out at the last.
    let told: Vec<String> = lines(&mut child).take(10).collect();
    assert_eq!(told.len(), 10, "{told:?}");
    signal(&child, "INT");
    let output = ended(child);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""));
    // The one that has just looked, and the one of the registration.
    assert_eq!(sessions(&server), 2);
}

#[test]
fn rates_that_nobody_reads_any_more_end() {
    let place = Place::new();
    let server = place.serve_with(&[("RATE_INTERVAL", "1s")]);
    register(&server);
    let mut child = rates(&place, &["--url", &server.1], PASSWORD);
    // As `head -1` does.
    assert!(lines(&mut child).next().is_some());
    let output = ended(child);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""));
    assert_eq!(sessions(&server), 1);
}

#[test]
fn a_server_that_is_away_for_a_while_is_waited_for() {
    let away = |code: &str| {
        let error = json!({"message": "Not now.", "extensions": {"code": code}});
        json!({ "errors": [error] }).to_string()
    };
    let (url, _) = stand_in(vec![
        ("200 OK", SIGNED_IN.to_owned()),
        ("200 OK", PAIRS.to_owned()),
        ("502 Bad Gateway", "<html>".to_owned()),
        ("502 Bad Gateway", "<html>".to_owned()),
        ("429 Too Many Requests", away("RATE_LIMITED")),
        ("200 OK", format!("data: {}\n\n", away("UNAVAILABLE"))),
        ("200 OK", event("50000")),
        // What was told before the break is not told again.
        ("200 OK", event("50000") + &event("50001")),
        ("404 Not Found", String::new()),
        ("200 OK", SIGNED_OUT.to_owned()),
    ]);
    let output = ended(rates(&Place::new(), &["--url", &url], PASSWORD));
    let told = String::from_utf8(output.stdout).unwrap();
    let rates: Vec<&str> = told.lines().collect();
    assert!(
        rates.len() == 2 && rates[0].contains("50,000") && rates[1].contains("50,001"),
        "{told}"
    );
    let said = String::from_utf8(output.stderr).unwrap();
    let said: Vec<&str> = said.lines().collect();
    assert!(
        said[0].contains("502") && said[0].ends_with("connecting again"),
        "{said:?}"
    );
    assert!(said.last().unwrap().contains("404"), "{said:?}");
    assert_eq!((output.status.code(), said.len()), (Some(1), 4), "{said:?}");
}

#[test]
fn who_leaves_while_the_server_hangs_leaves_at_once() {
    let (url, asked) = stand_in(vec![
        ("200 OK", SIGNED_IN.to_owned()),
        ("200 OK", PAIRS.to_owned()),
    ]);
    let child = rates(&Place::new(), &["--url", &url], PASSWORD);
    let next = || asked.recv_timeout(PATIENCE).unwrap();
    for words in ["login", "exchangeRatePairs", "exchangeRateUpdated"] {
        assert!(next().contains(words), "{words}");
    }
    signal(&child, "INT");
    assert!(next().contains("logout"));
    signal(&child, "INT");
    let output = ended(child);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(75), "{said}");
    assert!(said.contains("stays open"), "{said}");
}

#[test]
fn a_second_factor_is_not_asked_for() {
    let challenge =
        json!({"data": {"login": {"secondFactor": {"expiresAt": "2026-02-01T10:00:00Z"}}}});
    let (url, _) = stand_in(vec![("200 OK", challenge.to_string())]);
    let output = ended(rates(&Place::new(), &["--url", &url], PASSWORD));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), said.lines().count()),
        (Some(1), 1),
        "{said}"
    );
    assert!(said.contains("second factor"), "{said}");
}
