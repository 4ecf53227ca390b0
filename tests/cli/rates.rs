//! Exchange rates on the screen, in the log, and in the doctor's words.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    process::{Child, Stdio},
    time::Instant,
};

use serde_json::{Value, json};

use super::{PATIENCE, Place, Server, ends};

pub(crate) const EMAIL: &str = "ana@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";
const CANARY: &str = "CANARY7KEY8OF9OURS";

/// Calls an address; the answer as text.
pub(crate) fn call(url: &str, body: Option<Value>) -> String {
    let asked = async {
        let http = reqwest::Client::builder().build().unwrap();
        let request = match body {
            Some(body) => http.post(url).json(&body),
            None => http.get(url),
        };
        request.send().await.unwrap().text().await.unwrap()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(asked)
}

pub(crate) fn register(server: &Server) {
    let document = "mutation($email: String!, $password: String!) { register(input: {email: $email, password: \
                    $password}) { accessToken } }";
    let variables = json!({"email": EMAIL, "password": PASSWORD});
    let body = json!({"query": document, "variables": variables});
    let told = call(&format!("{}/graphql", server.1), Some(body));
    assert!(told.contains("accessToken\":\""), "{told}");
}

/// Starts `passbook rates` and types a password.
pub(crate) fn rates(place: &Place, args: &[&str], password: &str) -> Child {
    let mut command = place.command(&["rates", "--email", EMAIL]);
    command.args(args);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that refuses its arguments does not read.
    let _ = stdin.write_all(format!("{password}\n").as_bytes());
    child
}

#[cfg(unix)]
#[test]
fn the_rates_of_a_running_server_are_shown_as_they_come() {
    let place = Place::new();
    let server = place.serve();
    register(&server);
    let mut child = rates(&place, &["--url", &server.1], PASSWORD);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(
        line.contains("BTC/USD  9") && line.contains("invented"),
        "{line}"
    );
    let watching = Server(child, String::new());
    watching.signal("INT");
    assert_eq!(watching.ends(), Some(0));

    let once = ["--url", &server.1, "--once", "btc/usd"];
    let output = rates(&place, &once, PASSWORD).wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.starts_with("Pair") && said.contains("\nBTC/USD ") && said.contains("invented"),
        "{said}"
    );
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn who_may_not_see_rates_is_told_why() {
    let place = Place::new();
    let server = place.serve();
    register(&server);
    let url = server.1.as_str();
    for (args, password, code, told) in [
        (vec!["--url", url, "--once"], "wrong", 1, "password"),
        (vec!["--url", url, "EUR/USD"], PASSWORD, 64, "BTC/USD"),
        (
            vec!["--url", "http://passbook.example"],
            PASSWORD,
            64,
            "https://",
        ),
        (vec!["--url", "foo"], PASSWORD, 64, "--url"),
        (vec!["--url", "ftp://127.0.0.1"], PASSWORD, 64, "--url"),
        (vec!["--url", url], "", 64, "standard input"),
        (
            vec!["--url", "http://127.0.0.1:1"],
            PASSWORD,
            75,
            "does not answer",
        ),
    ] {
        let output = rates(&place, &args, password).wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.lines().count()),
            (Some(code), 1),
            "{said}"
        );
        assert!(said.contains(told) && !said.contains(PASSWORD), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn the_key_is_in_no_log_and_the_doctor_knows_what_came_of_it() {
    let place = Place::new();
    let mut sandbox = place.command(&["sandbox"]);
    let mut sandbox = sandbox
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = BufReader::new(sandbox.stdout.take().unwrap())
        .lines()
        .next();
    let said = said.unwrap().unwrap();
    let sandbox = Server(sandbox, said.split([' ', ';']).nth(4).unwrap().to_owned());
    // The source's answer names the key too.
    let rules = json!({"always": "daily_limit"});
    call(&format!("{}/control/alphavantage", sandbox.1), Some(rules));

    let base_url = format!("{}/alphavantage", sandbox.1);
    let settings = [
        ("ALPHAVANTAGE_API_KEY", CANARY),
        ("ALPHAVANTAGE_BASE_URL", &base_url),
        ("RUST_LOG", "trace"),
    ];
    let log = place.0.join("log");
    let mut server = place.command(&["serve"]);
    server.envs(settings).stderr(File::create(&log).unwrap());
    let server = Server(server.spawn().unwrap(), String::new());
    let told = "a rate could not be fetched";
    let began = Instant::now();
    while !fs::read_to_string(&log).unwrap().contains(told) {
        assert!(began.elapsed() < PATIENCE, "it was not told");
    }
    server.signal("TERM");
    assert_eq!(server.ends(), Some(0));
    let said = fs::read_to_string(&log).unwrap();
    assert!(said.contains("exchange rates come every 4320 seconds instead of every 60"));
    assert!(said.contains("TRACE"), "everything is logged");
    assert!(!said.contains("CANARY"), "the key is in the log");

    let mut doctor = place.command(&["doctor"]);
    doctor.envs(settings);
    let output = ends(doctor);
    let said = String::from_utf8(output.stdout).unwrap();
    let rates = said.lines().find(|line| line.contains("used up"));
    assert!(
        rates.is_some_and(|line| line.starts_with("warning  rates")),
        "{said}"
    );
    assert!(!said.contains("CANARY"), "{said}");
    let calls = call(&format!("{}/control/requests", sandbox.1), None);
    assert_eq!(
        calls.matches("/alphavantage/query").count(),
        1,
        "the doctor asks nobody"
    );
}
