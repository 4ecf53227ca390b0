//! Signing in, and nothing to learn from failing at it.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{TestApp, crowd, with_one_hasher};

const LOGIN: &str = "mutation($email: String!, $password: String!) { \
    login(input: {email: $email, password: $password}) { accessToken user { id } \
    userErrors { code message field retryable retryAfterSeconds } } }";
const REFRESH: &str = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { \
    accessToken refreshToken userErrors { code } } }";

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_answer_alike() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await.stranger();
    let right = json!({"email": "ANA@example.com", "password": "correct horse battery"});
    let welcome = ana.ask(LOGIN, right).await;
    assert!(welcome["login"]["accessToken"].is_string());

    let mut answers = Vec::new();
    for email in ["ana@example.com", "bob@example.com", "", "nobody", "a@b\0c"] {
        let wrong = json!({"email": email, "password": "correct horse batterz"});
        answers.push(ana.raw(LOGIN, wrong).await);
    }
    assert!(answers[0].1.contains("INVALID_CREDENTIALS"), "{answers:?}");
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
}

#[test]
fn an_unknown_address_costs_a_hash_as_a_wrong_password_does() {
    with_one_hasher(async {
        let app = TestApp::start().await;
        let stranger = app.person("ana").await.stranger();
        for email in ["bob@example.com", "nobody"] {
            let wrong = json!({"email": email, "password": "correct horse batterz"});
            let (first, others) = crowd(&stranger, LOGIN, wrong).await;
            let told = &first["login"]["userErrors"][0];
            assert_eq!(told["code"], "RATE_LIMITED", "{email}: {first}");
            assert_eq!(
                (&told["retryable"], &told["retryAfterSeconds"]),
                (&json!(true), &json!(5))
            );
            let code = |answer: &Value| answer["login"]["userErrors"][0]["code"].clone();
            let mut codes = others.iter().map(code);
            assert!(
                codes.all(|code| code == "INVALID_CREDENTIALS"),
                "{others:?}"
            );
        }
    });
}

#[tokio::test]
async fn tabs_that_refresh_at_once_all_go_on() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let token = json!({"token": ana.refresh_token});
    let tabs = join_all((0..5).map(|_| ana.ask(REFRESH, token.clone()))).await;
    for tab in &tabs {
        let pair = &tab["refreshSession"];
        assert_eq!(pair["userErrors"], json!([]), "{tab}");
        assert_eq!(
            pair["refreshToken"],
            tabs[0]["refreshSession"]["refreshToken"]
        );
        let fresh = ana.with(pair["accessToken"].as_str().unwrap());
        fresh.ask("{ viewer { id } }", json!({})).await;
    }
    let next = json!({"token": tabs[4]["refreshSession"]["refreshToken"]});
    let next = ana.ask(REFRESH, next).await;
    assert_eq!(next["refreshSession"]["userErrors"], json!([]));
}

#[tokio::test]
async fn a_refresh_token_that_comes_back_late_ends_the_session() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let bob = app.person("bob").await;
    let stolen = json!({"token": ana.refresh_token});
    let next = ana.ask(REFRESH, stolen.clone()).await;
    assert_eq!(next["refreshSession"]["userErrors"], json!([]));

    app.clock.advance(Duration::from_secs(11));
    let late = ana.ask(REFRESH, stolen).await;
    assert_eq!(
        late["refreshSession"]["userErrors"][0]["code"],
        "SESSION_EXPIRED"
    );
    let next = json!({"token": next["refreshSession"]["refreshToken"]});
    let ended = ana.ask(REFRESH, next).await;
    assert_eq!(
        ended["refreshSession"]["userErrors"][0]["code"],
        "SESSION_EXPIRED"
    );
    assert_eq!(
        ana.error("{ viewer { id } }", json!({})).await,
        "UNAUTHENTICATED"
    );
    bob.ask("{ viewer { id } }", json!({})).await;
}

#[tokio::test]
async fn made_up_tokens_open_nothing() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let parts: Vec<&str> = ana.token.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let theirs: Vec<&str> = bob.token.split('.').collect();
    for token in [
        "nonsense",
        &ana.refresh_token,
        &format!("{none}.{}.", parts[1]),
        &format!("{}.{}.{}", parts[0], parts[1], "A".repeat(43)),
        &format!("{}.{}.{}", parts[0], parts[1], theirs[2]),
    ] {
        let code = ana.with(token).error("{ viewer { id } }", json!({})).await;
        assert_eq!(code, "UNAUTHENTICATED", "{token}");
    }
    let (body, length) = (&ana.refresh_token, ana.refresh_token.len());
    let (middle, end) = (length / 2, length - 10);
    for token in [
        "nonsense",
        "",
        &ana.token,
        // The session of one with the proof of another.
        &format!("{}{}", &body[..middle], &bob.refresh_token[middle..]),
        &format!("{}{}", &body[..end], "A".repeat(10)),
        &"x".repeat(5_000),
    ] {
        let refused = ana.ask(REFRESH, json!({"token": token})).await;
        let code = &refused["refreshSession"]["userErrors"][0]["code"];
        assert_eq!(*code, "SESSION_EXPIRED", "{token}");
    }
    ana.ask("{ viewer { id } }", json!({})).await;
    app.clock.advance(Duration::from_mins(31));
    assert_eq!(
        ana.error("{ viewer { id } }", json!({})).await,
        "UNAUTHENTICATED"
    );
}
