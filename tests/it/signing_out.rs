//! Ending sessions: at once, with their sockets, and no others.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

const LOGOUT: &str =
    "mutation($token: String) { logout(input: {refreshToken: $token}) { userErrors { code } } }";
const EVERYWHERE: &str = "mutation { logoutEverywhere { userErrors { code } } }";
const REFRESH: &str = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { \
    userErrors { code } } }";
const FOLLOW: &str = "subscription { itemUpdated { item { id } } }";

/// Whether both tokens of a session are refused.
async fn is_over(person: &Person) -> bool {
    let answer = person.answer("{ viewer { id } }", json!({})).await;
    let token = json!({"token": person.refresh_token});
    let refreshed = person.stranger().ask(REFRESH, token).await;
    let code = &refreshed["refreshSession"]["userErrors"][0]["code"];
    let refused = answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED";
    assert_eq!(refused, *code == "SESSION_EXPIRED", "{answer} {refreshed}");
    refused
}

#[tokio::test]
async fn signing_out_ends_one_session_at_once_and_for_good() {
    let app = TestApp::start().await;
    let (ana, phone) = (app.person("ana").await, app.device("ana").await);
    let mut open = phone.watch(FOLLOW, json!({})).await;
    let mut other = ana.watch(FOLLOW, json!({})).await;
    for _ in 0..2 {
        let token = json!({"token": phone.refresh_token});
        let done = ana.stranger().ask(LOGOUT, token).await;
        assert_eq!(done["logout"]["userErrors"], json!([]));
        assert!(is_over(&phone).await, "the very next request is refused");
    }
    assert_eq!(open.closed().await, 4403);
    other.silent().await;
    let app = app.restart().await;
    assert!(is_over(&phone).await, "a restart does not forget");
    assert!(!is_over(&ana).await);
    drop(app);
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_sessions_of_one_person() {
    let app = TestApp::start().await;
    let (ana, phone) = (app.person("ana").await, app.device("ana").await);
    let bob = app.person("bob").await;
    let mut sockets = Vec::new();
    for person in [&ana, &phone] {
        sockets.push(person.watch(FOLLOW, json!({})).await);
    }
    let mut other = bob.watch(FOLLOW, json!({})).await;
    ana.ask(EVERYWHERE, json!({})).await;
    assert!(is_over(&ana).await && is_over(&phone).await);
    for mut socket in sockets {
        assert_eq!(socket.closed().await, 4403);
    }
    other.silent().await;
    assert!(!is_over(&bob).await);
    assert!(
        !is_over(&app.device("ana").await).await,
        "she may come back"
    );
}

#[tokio::test]
async fn a_session_is_ended_by_its_refresh_token_when_its_access_token_has_expired() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let mut open = ana.watch(FOLLOW, json!({})).await;
    app.clock.advance(Duration::from_mins(31));
    assert_eq!(open.closed().await, 4403, "a socket ends with its token");
    // Who shows nothing genuine ends nothing.
    let middle = bob.refresh_token.len() / 2;
    let forged = format!(
        "{}{}",
        &bob.refresh_token[..middle],
        &ana.refresh_token[middle..]
    );
    for token in [ana.refresh_token.as_str(), "nonsense", &forged] {
        let done = ana.ask(LOGOUT, json!({"token": token})).await;
        assert_eq!(done["logout"]["userErrors"], json!([]), "{token}");
    }
    let mine = ana
        .stranger()
        .ask(REFRESH, json!({"token": ana.refresh_token}))
        .await;
    let theirs = ana
        .stranger()
        .ask(REFRESH, json!({"token": bob.refresh_token}))
        .await;
    let code = |answer: &Value| answer["refreshSession"]["userErrors"][0]["code"].clone();
    assert_eq!(
        (code(&mine), code(&theirs)),
        (json!("SESSION_EXPIRED"), Value::Null)
    );
    let nothing = ana.stranger().error(LOGOUT, json!({})).await;
    assert_eq!(nothing, "UNAUTHENTICATED");
}

#[tokio::test]
async fn signing_out_may_be_said_twice_with_an_access_token_alone() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    for _ in 0..2 {
        let done = ana.ask(LOGOUT, json!({})).await;
        assert_eq!(done["logout"]["userErrors"], json!([]));
    }
    assert!(is_over(&ana).await && !is_over(&bob).await);
    // Once the token is over by itself, nobody can tell whose session is meant.
    app.clock.advance(Duration::from_mins(31));
    for token in [ana.token.as_str(), "nonsense", ""] {
        let told = ana.with(token).error(LOGOUT, json!({})).await;
        assert_eq!(told, "UNAUTHENTICATED", "{token}");
    }
    let signed_out = "SELECT count(*) FROM activities WHERE kind = 'signed_out'";
    assert_eq!(app.count(signed_out).await, 1);
}

#[tokio::test]
async fn a_session_stays_ended_as_long_as_its_access_token_would_be_good() {
    let settings = [("ACCESS_TOKEN_TTL", "90d"), ("REFRESH_TOKEN_TTL", "90d")];
    let app = TestApp::with(&settings).await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    ana.ask(LOGOUT, json!({})).await;
    app.passes(Duration::from_hours(40 * 24), "auth.prune")
        .await;
    assert!(is_over(&ana).await);
    // What is known in memory is gone with the process.
    let app = app.restart().await;
    assert!(is_over(&ana).await && !is_over(&bob).await);
    app.passes(Duration::from_hours(125 * 24), "auth.prune")
        .await;
    app.becomes("SELECT count(*) FROM sessions", 0).await;
}
