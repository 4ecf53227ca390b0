//! Signing in, and nothing to learn from failing at it.

use std::time::Duration;

use serde_json::json;

use crate::support::TestApp;

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
    let ana = app.person("ana").await;
    let mut forger = ana.stranger();
    let parts: Vec<&str> = ana.token.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for token in [
        "nonsense".to_owned(),
        ana.refresh_token.clone(),
        format!("{none}.{}.", parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], "A".repeat(43)),
    ] {
        forger.token = token;
        assert_eq!(
            forger.error("{ viewer { id } }", json!({})).await,
            "UNAUTHENTICATED"
        );
    }
    app.clock.advance(Duration::from_mins(31));
    assert_eq!(
        ana.error("{ viewer { id } }", json!({})).await,
        "UNAUTHENTICATED"
    );
}
