//! `passbook user`: accounts by hand, beside a running server and without one.

use std::{
    fs,
    io::Write,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Place, Server};

const PASSWORD: &str = "correct horse battery";

/// Runs `passbook user` and types something; what it said on both outputs with its exit code.
fn user(place: &Place, args: &[&str], typed: &str) -> (i32, String, String) {
    let mut command = place.command(&["user"]);
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that asks for nothing does not read.
    let _ = writeln!(child.stdin.take().unwrap(), "{typed}");
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// What a server answers to a document.
fn ask(server: &Server, token: Option<&str>, document: &str) -> Value {
    let asked = async {
        let http = reqwest::Client::builder().build().unwrap();
        let mut request = http
            .post(format!("{}/graphql", server.1))
            .json(&json!({"query": document}));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(asked)
}

fn sign_in(server: &Server, name: &str) -> Value {
    let document = format!(
        "mutation {{ login(input: {{email: \"{name}@example.com\", password: \"{PASSWORD}\"}}) {{ accessToken userErrors {{ code }} }} }}"
    );
    let mut told = ask(server, None, &document);
    told["data"]["login"].take()
}

fn token(server: &Server, name: &str) -> String {
    let told = sign_in(server, name);
    told["accessToken"].as_str().unwrap().to_owned()
}

/// Asks until a token is refused: a second is what is promised, and the machine may be slow.
fn refused(server: &Server, token: &str) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        let told = ask(server, Some(token), "{ viewer { id } }");
        if told["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED" {
            return true;
        }
    }
    false
}

#[test]
fn an_account_is_made_without_a_server_and_looked_after_beside_one() {
    let place = Place::new();
    let (code, said, faults) = user(&place, &["create", "Ana@example.com", "--admin"], PASSWORD);
    assert_eq!(code, 0, "{faults}");
    assert!(
        said.contains("Ana@example.com") && said.contains("administrator"),
        "{said}"
    );
    let server = place.serve();
    fs::write(place.0.join("secret"), format!("{PASSWORD}\r\nmore\n")).unwrap();
    let (code, said, faults) = user(
        &place,
        &["create", "bob@example.com", "--password-file", "secret"],
        "",
    );
    assert_eq!(code, 0, "{said}{faults}");
    let bob = token(&server, "bob");
    let ana = token(&server, "ana");
    let admin = "{ admin { users { nodes { email role } } } }";
    let told = ask(&server, Some(&ana), admin);
    assert_eq!(
        told["data"]["admin"]["users"]["nodes"][0],
        json!({"email": "Ana@example.com", "role": "ADMIN"})
    );

    let (code, said, _) = user(&place, &["lock", "BOB@example.com"], "");
    assert_eq!(
        (code, said.as_str()),
        (0, "bob@example.com: locked; 1 session ended\n")
    );
    assert!(refused(&server, &bob));
    assert_eq!(
        sign_in(&server, "bob")["userErrors"][0]["code"],
        "ACCOUNT_LOCKED"
    );
    assert_eq!(user(&place, &["unlock", "bob@example.com"], "").0, 0);
    let bob = token(&server, "bob");
    let (code, said, _) = user(&place, &["sessions", "end", "bob@example.com"], "");
    assert_eq!(
        (code, said.as_str()),
        (0, "bob@example.com: 1 session ended\n")
    );
    assert!(refused(&server, &bob));
}

#[test]
fn roles_change_beside_a_running_server_and_all_is_in_the_logs() {
    let place = Place::new();
    user(&place, &["create", "Ana@example.com", "--admin"], PASSWORD);
    user(&place, &["create", "bob@example.com"], PASSWORD);
    let server = place.serve();
    let ana = token(&server, "ana");
    for verb in [&["lock"][..], &["unlock"], &["sessions", "end"]] {
        sign_in(&server, "bob");
        let args = [verb, &["bob@example.com"]].concat();
        assert_eq!(user(&place, &args, "").0, 0, "{verb:?}");
    }
    assert_eq!(user(&place, &["promote", "bob@example.com"], "").0, 0);
    assert_eq!(user(&place, &["demote", "ana@example.com"], "").0, 0);
    let told = ask(&server, Some(&ana), "{ admin { __typename } }");
    assert_eq!(told["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let bob = token(&server, "bob");
    let log = "{ admin { auditLog { nodes { action admin { email } user { email } } } } activity { nodes { kind } } }";
    let told = ask(&server, Some(&bob), log);
    let nodes = told["data"]["admin"]["auditLog"]["nodes"]
        .as_array()
        .unwrap();
    for action in ["create", "lock", "unlock", "sessions end", "promote"] {
        let by_hand = json!({"action": format!("passbook user {action}"), "admin": null, "user": {"email": "bob@example.com"}});
        assert!(nodes.contains(&by_hand), "{action}: {told}");
    }
    for kind in [
        "ACCOUNT_LOCKED",
        "ACCOUNT_UNLOCKED",
        "SESSIONS_ENDED_BY_ADMIN",
        "PROMOTED",
    ] {
        assert!(
            told["data"]["activity"].to_string().contains(kind),
            "{kind}"
        );
    }
    let (_, said, _) = user(&place, &["list", "--admins"], "");
    assert!(
        said.contains("bob@example.com") && !said.contains("Ana"),
        "{said}"
    );
    let (_, said, _) = user(&place, &["show", "bob@example.com"], "");
    assert!(
        said.contains("administrator") && said.contains("Banks"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_done_is_a_line_with_its_remedy_and_nothing_happens() {
    let place = Place::new();
    assert_eq!(
        user(&place, &["create", "ana@example.com", "--admin"], PASSWORD).0,
        0
    );
    for (args, typed, code, told) in [
        (
            &["lock", "eve@example.com"][..],
            "",
            67,
            "nobody has this address",
        ),
        (
            &["create", "ana@example.com"],
            PASSWORD,
            65,
            "already has an account",
        ),
        (&["create", "eve@example.com"], "short", 65, "too short"),
        (&["create", "eve@example.com"], "", 64, "no password"),
        (
            &["create", "eve@example.com", "--password-file", "none"],
            "",
            74,
            "cannot be read",
        ),
        (
            &["demote", "ana@example.com"],
            "",
            65,
            "promote somebody else first",
        ),
        (
            &["lock", "ana@example.com"],
            "",
            65,
            "promote somebody else first",
        ),
    ] {
        let (exit, said, faults) = user(&place, args, typed);
        assert_eq!((exit, said.as_str()), (code, ""), "{args:?} {faults}");
        assert_eq!(faults.lines().count(), 1, "{faults}");
        assert!(
            faults.starts_with("passbook: ") && faults.contains(told),
            "{faults}"
        );
    }
    let (exit, _, faults) = user(&place, &["create", "nobody"], "short");
    assert_eq!(
        (exit, faults.lines().count()),
        (65, 2),
        "all faults at once: {faults}"
    );
    assert_eq!(
        user(&place, &["create", "eve@example.com", PASSWORD], "").0,
        64,
        "no password as an argument"
    );
    let (_, said, _) = user(&place, &["list"], "");
    assert_eq!(said.lines().count(), 2, "{said}");
}
