//! Guessing passwords: refused after a few, for everybody alike, and nobody is kept out by a stranger.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

const LOGIN: &str = "mutation($email: String!, $password: String!) { login(input: {email: $email, \
    password: $password}) { accessToken userErrors { code retryable retryAfterSeconds } } }";
const RIGHT: &str = "correct horse battery";
/// The stories' own requests come through a proxy that is on this machine.
const BEHIND_PROXY: [(&str, &str); 2] = [
    ("TRUSTED_PROXIES", "127.0.0.1"),
    ("METRICS_LISTEN", "127.0.0.1:0"),
];

/// What somebody at an address is told who tries a password.
async fn tries(stranger: &Person, address: &str, name: &str, password: &str) -> String {
    let email = format!("{name}@example.com");
    let variables = json!({"email": email, "password": password});
    let from = stranger.from(address);
    let mut data = from.ask(LOGIN, variables).await;
    let payload = data["login"].take();
    if payload["accessToken"].is_string() {
        return "in".to_owned();
    }
    let told = &payload["userErrors"][0];
    assert_eq!(told["retryable"], told["code"] == "RATE_LIMITED", "{told}");
    told["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_account_is_guessed_at_five_times_from_one_address_and_then_no_more() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let ana = app.person("ana").await;
    let stranger = ana.stranger();
    let before = app.hashes().await;
    // Somebody who has an account and somebody who has none: told apart by nothing.
    for (name, address) in [("ana", "192.0.2.1"), ("nobody", "192.0.2.2")] {
        for _ in 0..5 {
            let told = tries(&stranger, address, name, "wrong").await;
            assert_eq!(told, "INVALID_CREDENTIALS", "{name}");
        }
        for password in ["wrong", RIGHT] {
            let told = tries(&stranger, address, name, password).await;
            assert_eq!(told, "RATE_LIMITED", "{name}");
        }
    }
    assert_eq!(
        app.hashes().await - before,
        10,
        "a refused guess costs no hash"
    );
    // Time brings them back, one by one.
    app.clock.advance(Duration::from_secs(13));
    assert_eq!(
        tries(&stranger, "192.0.2.1", "ana", "wrong").await,
        "INVALID_CREDENTIALS"
    );
    assert_eq!(
        tries(&stranger, "192.0.2.1", "ana", "wrong").await,
        "RATE_LIMITED"
    );
}

#[tokio::test]
async fn a_stranger_with_many_addresses_keeps_nobody_out() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let ana = app.person("ana").await;
    let stranger = ana.stranger();
    let home = "198.51.100.7";
    assert_eq!(tries(&stranger, home, "ana", RIGHT).await, "in");
    let mut told = Vec::new();
    for host in 1..=14 {
        told.push(tries(&stranger, &format!("192.0.2.{host}"), "ana", "wrong").await);
    }
    let refused = told.iter().filter(|code| *code == "RATE_LIMITED").count();
    // One of ten was hers: at that time the address was a new one.
    assert_eq!(refused, 5, "{told:?}");
    // She is known at home, and what she has open goes on.
    assert_eq!(tries(&stranger, home, "ana", RIGHT).await, "in");
    ana.ask("{ viewer { id } }", json!({})).await;
    assert_eq!(
        tries(&stranger, "192.0.2.99", "ana", RIGHT).await,
        "RATE_LIMITED"
    );
    app.clock.advance(Duration::from_mins(3));
    assert_eq!(tries(&stranger, "192.0.2.99", "ana", RIGHT).await, "in");
}

#[tokio::test]
async fn an_address_tries_so_many_accounts_and_a_network_is_one_address() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let stranger = app.person("ana").await.stranger();
    for host in 0..20 {
        let address = format!("2001:db8:1:2::{host:x}");
        let told = tries(&stranger, &address, &format!("name{host}"), "wrong").await;
        assert_eq!(told, "INVALID_CREDENTIALS", "{host}");
    }
    let next = tries(&stranger, "2001:db8:1:2:ffff::1", "another", "wrong").await;
    assert_eq!(next, "RATE_LIMITED");
    let neighbour = tries(&stranger, "2001:db8:1:3::1", "another", "wrong").await;
    assert_eq!(neighbour, "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn what_an_untrusted_sender_says_of_its_address_is_not_believed() {
    let app = TestApp::with(&[("TRUSTED_PROXIES", "10.0.0.1")]).await;
    let ana = app.person("ana").await;
    let mut told = Vec::new();
    for host in 1..=8 {
        told.push(tries(&ana.stranger(), &format!("192.0.2.{host}"), "ana", "wrong").await);
    }
    let refused = told.iter().filter(|code| *code == "RATE_LIMITED").count();
    assert_eq!(refused, 3, "{told:?}");
    let sessions = ana
        .ask("{ sessions { nodes { address } } }", json!({}))
        .await;
    assert_eq!(
        sessions["sessions"]["nodes"],
        json!([{"address": "127.0.0.1"}])
    );
}

#[tokio::test]
async fn replicas_count_together_and_a_restart_forgets_nothing() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let stranger = app.person("ana").await.stranger();
    let second = app.replica().await;
    let elsewhere = second.as_ref().map_or(&app.url, |second| &second.url);
    for server in [&app.url, elsewhere, &app.url, elsewhere, &app.url] {
        let told = tries(&stranger.at(server), "192.0.2.1", "ana", "wrong").await;
        assert_eq!(told, "INVALID_CREDENTIALS");
    }
    let told = tries(&stranger.at(elsewhere), "192.0.2.1", "ana", "wrong").await;
    assert_eq!(told, "RATE_LIMITED");
    drop(second);
    let app = app.restart().await;
    let told = tries(&stranger.at(&app.url), "192.0.2.1", "ana", "wrong").await;
    assert_eq!(told, "RATE_LIMITED");
}

#[tokio::test]
async fn an_address_registers_so_many_people() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let stranger = app.person("ana").await.stranger();
    let register = "mutation($email: String!) { register(input: {email: $email, password: \"four odd words here\"}) \
        { user { id } userErrors { code retryAfterSeconds } } }";
    let mut told = Vec::new();
    for n in 0..7 {
        let from = stranger.from("192.0.2.1");
        let variables = json!({"email": format!("p{n}@example.com")});
        let data = from.ask(register, variables).await;
        told.push(data["register"]["userErrors"][0]["code"].clone());
    }
    let limited = json!("RATE_LIMITED");
    assert_eq!(told[4], Value::Null);
    assert_eq!((&told[5], &told[6]), (&limited, &limited));
}

#[tokio::test]
async fn who_is_signed_in_guesses_her_password_no_faster() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let ana = app.person("ana").await;
    let change = "mutation($old: String!) { changePassword(input: {currentPassword: $old, \
        newPassword: \"four odd words here\"}) { userErrors { code } } }";
    let mut told = Vec::new();
    for host in 1..=7 {
        let from = ana.from(&format!("192.0.2.{host}"));
        let data = from.ask(change, json!({"old": "wrong"})).await;
        told.push(data["changePassword"]["userErrors"][0]["code"].clone());
    }
    let refused = told.iter().filter(|code| *code == "RATE_LIMITED").count();
    assert_eq!(refused, 2, "{told:?}");
}
