//! What administrators do about accounts.

use serde_json::{Value, json};

use super::{about, code, done, has, id_of, seen};
use crate::support::{Person, TestApp};

const LOGIN: &str = "mutation($password: String!) { login(input: {email: \"bob@example.com\", password: $password}) { \
                     accessToken userErrors { code } } }";
const RIGHT: &str = "correct horse battery";

async fn sign_in(stranger: &Person, password: &str) -> Value {
    let mut data = stranger.ask(LOGIN, json!({"password": password})).await;
    data["login"].take()
}

async fn refresh(person: &Person) -> Value {
    let document = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { accessToken userErrors { code } } }";
    let mut data = person
        .ask(document, json!({"token": person.refresh_token}))
        .await;
    data["refreshSession"].take()
}

#[tokio::test]
async fn a_demotion_holds_for_the_next_request_and_the_last_administrator_stays() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.administrator("ana").await, app.person("eve").await);
    let (hers, eves) = (id_of(&ana).await, id_of(&eve).await);
    let told = about(&ana, "promoteUser", &eves).await;
    assert_eq!(told["user"]["role"], "ADMIN");
    let look = "{ admin { overview { deadJobs } } }";
    eve.ask(look, json!({})).await;
    let other = app.replica().await;
    let told = about(&ana, "demoteUser", &eves).await;
    assert_eq!(
        told,
        json!({"user": {"role": "USER", "lockedAt": null}, "userErrors": []})
    );
    assert_eq!(eve.error(look, json!({})).await, "FORBIDDEN");
    if let Some(other) = &other {
        assert_eq!(eve.at(&other.url).error(look, json!({})).await, "FORBIDDEN");
    }
    assert!(has(&eve, "PROMOTED", None).await && has(&eve, "DEMOTED", None).await);

    for mutation in ["demoteUser", "lockUser"] {
        let told = about(&ana, mutation, &hers).await;
        assert_eq!(
            (&told["user"], code(&told)),
            (&Value::Null, "INVALID_STATE"),
            "{mutation}"
        );
    }
    let leave = "mutation { deleteAccount(input: {password: \"correct horse battery\"}) { userErrors { code } } }";
    let told = ana.ask(leave, json!({})).await;
    assert_eq!(code(&told["deleteAccount"]), "INVALID_STATE", "nor leaves");
    about(&ana, "promoteUser", &eves).await;
    about(&ana, "lockUser", &eves).await;
    let told = about(&ana, "demoteUser", &hers).await;
    assert_eq!(code(&told), "INVALID_STATE", "a locked one does not count");
    ana.ask(look, json!({})).await;
}

#[tokio::test]
async fn of_two_administrators_who_take_it_from_each_other_at_once_one_stays() {
    let app = TestApp::start().await;
    let (ana, eve) = (
        app.administrator("ana").await,
        app.administrator("eve").await,
    );
    let (hers, eves) = (id_of(&ana).await, id_of(&eve).await);
    app.person("bob").await;
    // Both have looked and neither has written it down.
    let stop = "LOCK TABLE activities IN EXCLUSIVE MODE; \
                UPDATE users SET updated_at = created_at WHERE email = 'bob@example.com'";
    let Some(txn) = app.hold(stop).await else {
        return;
    };
    let go = async {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                       AND wait_event_type = 'Lock'";
        app.becomes(waiting, 2).await;
        txn.commit().await.unwrap();
    };
    let (one, other, ()) = tokio::join!(
        about(&ana, "demoteUser", &eves),
        about(&eve, "demoteUser", &hers),
        go
    );
    let refused = [&one, &other]
        .into_iter()
        .filter(|told| code(told) == "INVALID_STATE");
    assert_eq!(refused.count(), 1, "{one} {other}");
    let left = "SELECT count(*) FROM users WHERE role = 'admin'";
    assert_eq!(app.count(left).await, 1);
}

#[tokio::test]
async fn somebody_locked_out_is_gone_everywhere_and_told_so_only_with_her_password() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.administrator("ana").await, app.person("bob").await);
    bob.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    app.bank.webhooks_settled().await;
    app.idle().await;
    let his = id_of(&bob).await;
    let open = "subscription { itemUpdated { cursor } }";
    let mut near = bob.watch(open, json!({})).await;
    let other = app.replica().await;
    let url = other.as_ref().map_or(&app.url, |other| &other.url);
    let mut far = bob.at(url).watch(open, json!({})).await;

    let told = about(&ana, "lockUser", &his).await;
    assert!(told["user"]["lockedAt"].is_string(), "{told}");
    assert_eq!((near.closed().await, far.closed().await), (4403, 4403));
    let viewer = "{ viewer { id } }";
    assert_eq!(bob.error(viewer, json!({})).await, "UNAUTHENTICATED");
    assert_eq!(code(&refresh(&bob).await), "SESSION_EXPIRED");
    let stranger = bob.stranger();
    assert_eq!(
        code(&sign_in(&stranger, "not his").await),
        "INVALID_CREDENTIALS"
    );
    let told = sign_in(&stranger, RIGHT).await;
    assert_eq!(
        (code(&told), &told["accessToken"]),
        ("ACCOUNT_LOCKED", &Value::Null)
    );
    let locked = "users(filter: {locked: true}) { nodes { email } }";
    assert_eq!(
        seen(&ana, locked).await["nodes"],
        json!([{"email": "bob@example.com"}])
    );

    // His bank goes on.
    let count = "SELECT count(*) FROM transactions";
    let before = app.count(count).await;
    app.bank
        .change(&there, json!({"add": [{"name": "Rent", "amount": 1}]}))
        .await;
    app.becomes(count, before + 1).await;

    let told = about(&ana, "unlockUser", &his).await;
    assert_eq!(told["user"]["lockedAt"], Value::Null);
    let told = sign_in(&stranger, RIGHT).await;
    let bob = bob.with(told["accessToken"].as_str().unwrap());
    assert!(has(&bob, "ACCOUNT_LOCKED", None).await && has(&bob, "ACCOUNT_UNLOCKED", None).await);
    // Whoever stood at the locked door is told of, with the right password too.
    let failed = "SELECT count(*) FROM activities WHERE kind = 'sign_in_failed'";
    app.becomes(failed, 2).await;
    assert_eq!(
        bob.transactions().await.len(),
        usize::try_from(before + 1).unwrap()
    );
}

#[tokio::test]
async fn somebody_signed_out_by_an_administrator_may_come_back() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.administrator("ana").await, app.person("bob").await);
    let phone = app.device("bob").await;
    let his = id_of(&bob).await;
    let told = done(&ana, "endUserSessions", "userId", &his, "endedSessions").await;
    assert_eq!(told, json!({"endedSessions": 2, "userErrors": []}));
    for device in [&bob, &phone] {
        assert_eq!(
            device.error("{ viewer { id } }", json!({})).await,
            "UNAUTHENTICATED"
        );
        assert_eq!(code(&refresh(device).await), "SESSION_EXPIRED");
    }
    let again = done(&ana, "endUserSessions", "userId", &his, "endedSessions").await;
    assert_eq!(again["endedSessions"], 0);
    let bob = app.device("bob").await;
    assert!(has(&bob, "SESSIONS_ENDED_BY_ADMIN", None).await);
    ana.ask("{ viewer { id } }", json!({})).await;
}
