//! The devices a person is signed in on: she sees them all, ends any, and nobody else's.

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

const SESSIONS: &str = "{ sessions { totalCount nodes { id current userAgent address createdAt lastUsedAt expiresAt endedAt } } }";
const END: &str = "mutation($id: ID!) { endSession(input: {sessionId: $id}) { endedSessionId userErrors { code field } } }";
const FOLLOW: &str = "subscription { itemUpdated { item { id } } }";

async fn sessions(person: &Person) -> Vec<Value> {
    let data = person.ask(SESSIONS, json!({})).await;
    let nodes = data["sessions"]["nodes"].as_array().unwrap().clone();
    assert_eq!(data["sessions"]["totalCount"], nodes.len());
    nodes
}

/// The session somebody asks with.
async fn own(person: &Person) -> String {
    let sessions = sessions(person).await;
    let mut current = sessions.iter().filter(|one| one["current"] == true);
    let own = current.next().unwrap()["id"].as_str().unwrap().to_owned();
    assert!(current.next().is_none());
    own
}

#[tokio::test]
async fn a_person_sees_where_she_is_signed_in_and_ends_one_from_another() {
    let app = TestApp::start().await;
    let (ana, phone) = (app.person("ana").await, app.device("ana").await);
    let bob = app.person("bob").await;
    let (laptop, lost) = (own(&ana).await, own(&phone).await);
    let listed = sessions(&ana).await;
    let ids: Vec<_> = listed.iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, [json!(lost), json!(laptop)], "the newest is the first");
    assert!(listed.iter().all(|one| one["address"] == "127.0.0.1"));
    let mut open = phone.watch(FOLLOW, json!({})).await;

    let ended = ana.ask(END, json!({"id": lost})).await;
    assert_eq!(ended["endSession"]["endedSessionId"], json!(lost));
    assert_eq!(open.closed().await, 4403);
    assert_eq!(phone.error(SESSIONS, json!({})).await, "UNAUTHENTICATED");
    assert_eq!(own(&ana).await, laptop);
    assert_eq!(sessions(&ana).await.len(), 1, "what is over is not listed");
    let node = "query($id: ID!) { node(id: $id) { ... on Session { endedAt } } }";
    let node = ana.ask(node, json!({"id": lost})).await;
    assert!(node["node"]["endedAt"].is_string(), "but still there");
    let log = "{ activity(first: 1) { nodes { kind } } }";
    let log = ana.ask(log, json!({})).await;
    assert_eq!(log["activity"]["nodes"][0]["kind"], "SESSION_ENDED");

    // Once more changes nothing.
    let again = ana.ask(END, json!({"id": lost})).await;
    assert_eq!(again, ended);
    assert_eq!(sessions(&bob).await.len(), 1);
}

#[tokio::test]
async fn a_refresh_says_where_the_session_is_now() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let before = sessions(&ana).await.remove(0);
    app.clock.advance(std::time::Duration::from_mins(5));
    let refresh = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { userErrors { code } } }";
    let token = json!({"token": ana.refresh_token});
    ana.stranger().ask(refresh, token).await;
    let after = sessions(&ana).await.remove(0);
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["createdAt"], before["createdAt"]);
    assert!(after["lastUsedAt"].as_str() > before["lastUsedAt"].as_str());
    assert!(after["expiresAt"].as_str() > before["expiresAt"].as_str());
}

#[tokio::test]
async fn nobody_sees_or_ends_the_sessions_of_another() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let hers = own(&ana).await;
    let mut answers = Vec::new();
    for id in [hers.as_str(), "sess_01jd0000000000000000000000", "nonsense"] {
        answers.push(bob.ask(END, json!({"id": id})).await);
        let node = "query($id: ID!) { node(id: $id) { id } }";
        let node = bob.ask(node, json!({"id": id})).await;
        assert_eq!(node["node"], Value::Null, "{id}");
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let told = &answers[0]["endSession"]["userErrors"][0];
    assert_eq!(*told, json!({"code": "NOT_FOUND", "field": ["sessionId"]}));
    assert_eq!(own(&ana).await, hers, "hers goes on");
    let stranger = ana.stranger();
    assert_eq!(stranger.error(SESSIONS, json!({})).await, "UNAUTHENTICATED");
    let ended = stranger.error(END, json!({"id": hers})).await;
    assert_eq!(ended, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_token_of_a_database_that_was_put_back_is_no_theft() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let refresh = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { refreshToken userErrors { code } } }";
    let stranger = ana.stranger();
    let token = json!({"token": ana.refresh_token});
    let next = stranger.ask(refresh, token.clone()).await;
    let next = json!({"token": next["refreshSession"]["refreshToken"]});
    app.meddle("UPDATE sessions SET generation = 0").await;
    let told = stranger.ask(refresh, next).await;
    let told = &told["refreshSession"]["userErrors"][0]["code"];
    assert_eq!(told, "SESSION_EXPIRED");
    // Whoever has the token of then goes on.
    let told = stranger.ask(refresh, token).await;
    assert_eq!(told["refreshSession"]["userErrors"], json!([]));
    let stolen = "SELECT count(*) FROM activities WHERE kind = 'session_revoked'";
    assert_eq!(app.count(stolen).await, 0);
}
