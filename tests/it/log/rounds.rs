//! What people do, so that every kind of entry is met.

use std::time::Duration;

use serde_json::{Value, json};

use super::says;
use crate::{
    second_factor::enable,
    support::{
        Download, Mailbox, Person, TestApp,
        social::{APP, Spa},
    },
};

/// Does something that succeeds.
async fn does(person: &Person, mutation: &str) {
    let told = tries(person, mutation).await;
    assert_eq!(told, json!([]), "{mutation}");
}

/// Tries something; what is said against it.
async fn tries(person: &Person, mutation: &str) -> Value {
    let document = format!("mutation {{ done: {mutation} {{ userErrors {{ code field }} }} }}");
    let mut data = person.ask(&document, json!({})).await;
    data["done"]["userErrors"].take()
}

/// Signs in and out in every way there is.
pub(super) async fn at_the_door(app: &TestApp, ana: &Person) {
    let login = "mutation { login(input: {email: \"ana@example.com\", password: \"wrong\"}) { userErrors { code } } }";
    ana.stranger().ask(login, json!({})).await;
    let update = "mutation { updateProfile(input: {firstName: \"Ana\"}) { userErrors { code } } }";
    ana.ask(update, json!({})).await;
    let change = "mutation($old: String!) { changePassword(input: {currentPassword: $old, newPassword: \
        \"correct horse battery\"}) { userErrors { code } } }";
    for old in ["not this one", "correct horse battery"] {
        ana.ask(change, json!({"old": old})).await;
    }
    let delete =
        "mutation { deleteAccount(input: {password: \"not this one\"}) { userErrors { code } } }";
    ana.ask(delete, json!({})).await;
    app.clock.advance(Duration::from_mins(2));
    let phone = app.device("ana").await;
    let sessions = ana
        .ask("{ sessions { nodes { id current } } }", json!({}))
        .await;
    let sessions = sessions["sessions"]["nodes"].as_array().unwrap().clone();
    let other = sessions.iter().find(|one| one["current"] == false).unwrap();
    let end = "mutation($id: ID!) { endSession(input: {sessionId: $id}) { userErrors { code } } }";
    ana.ask(end, json!({"id": other["id"]})).await;
    drop(phone);
    for out in ["logout", "logoutEverywhere"] {
        let out = format!("mutation {{ {out} {{ userErrors {{ code }} }} }}");
        app.device("ana").await.ask(&out, json!({})).await;
    }
    let copied = app.device("ana").await;
    let refresh = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { userErrors { code } } }";
    let token = json!({"token": copied.refresh_token});
    copied.stranger().ask(refresh, token.clone()).await;
    app.clock.advance(Duration::from_secs(11));
    copied.stranger().ask(refresh, token).await;
    for kind in [
        "SIGN_IN_FAILED",
        "PASSWORD_CHANGE_FAILED",
        "ACCOUNT_DELETION_FAILED",
    ] {
        says(app, kind).await;
    }
}

/// Links banks, and has them break and mend.
pub(super) async fn at_the_bank(app: &TestApp, ana: &Person) {
    ana.exchange("public-sandbox-00000000-0000-0000-0000-000000000000")
        .await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    for event in [
        json!({"event": "error", "code": "ITEM_LOGIN_REQUIRED"}),
        json!({"event": "repair"}),
    ] {
        app.bank.event(&there, event).await;
        app.bank.webhooks_settled().await;
        ana.quiet().await;
    }
    says(app, "ITEM_REPAIRED").await;
    ana.sync(&item).await;
    app.meddle("UPDATE items SET access_token = substr(access_token, 2)")
        .await;
    assert_eq!(ana.sync(&item).await["status"], "FAILED");
    let asks = ana.order_mx("mxuser", "challenge").await;
    let asked = app.stands(ana, &asks, "CHALLENGED").await;
    ana.answer_all(&asked, "correct").await;
    app.stands(ana, &asks, "SUCCESS").await;
    let typed = ana.credentials("mxuser", "any").await;
    ana.update(&asks, typed).await;
    app.stands(ana, &asks, "SUCCESS").await;
    ana.remove(&asks).await;
}

/// Takes a copy of everything.
pub(super) async fn takes_everything_along(app: &TestApp, ana: &Person) {
    does(ana, "exportData").await;
    app.until("data_exports", "status = 'ready'").await;
    let url = "{ dataExports { nodes { downloadUrl } } }";
    let url = ana.ask(url, json!({})).await["dataExports"]["nodes"][0]["downloadUrl"].take();
    assert_eq!(Download::of(url.as_str().unwrap()).await.status, 200);
}

/// Signs in with another's word, or would.
pub(super) async fn with_an_identity(app: &TestApp, ana: &Person) {
    app.bank.issuers(json!({"forgery": "audience"})).await;
    let refused = Spa::open().through(ana, true, "carla").await;
    let refusal = format!("{APP}&error=login_refused");
    assert_eq!(refused.location, Some(refusal));
    app.bank.issuers(json!({})).await;
    let linked = Spa::open().link(ana, "carla").await;
    let id = linked["identity"]["id"].as_str().unwrap();
    does(
        ana,
        &format!("unlinkIdentity(input: {{identityId: \"{id}\"}})"),
    )
    .await;
}

/// What administrators do about her; she on the device she has left.
pub(super) async fn before_administrators(app: &TestApp, ana: &Person) -> Person {
    let eve = app.administrator("eve").await;
    let me = ana
        .ask("{ viewer { id } items { nodes { id } } }", json!({}))
        .await;
    let (id, item) = (&me["viewer"]["id"], &me["items"]["nodes"][0]["id"]);
    let look = format!("{{ admin {{ user(id: {id}) {{ email }} }} }}");
    eve.ask(&look, json!({})).await;
    does(&eve, &format!("syncUserItem(input: {{itemId: {item}}})")).await;
    for deed in ["promoteUser", "demoteUser", "lockUser", "unlockUser"] {
        does(&eve, &format!("{deed}(input: {{userId: {id}}})")).await;
    }
    // The lock has ended those she had. She has signed in often by now.
    app.clock.advance(Duration::from_mins(2));
    app.device("ana").await;
    does(&eve, &format!("endUserSessions(input: {{userId: {id}}})")).await;
    app.device("ana").await
}

/// Proves an address, moves to another, and has a new password by mail; who did.
pub(super) async fn by_mail(app: &TestApp, mailbox: &Mailbox) -> Person {
    let zoe = app.person("zoe").await;
    let stranger = zoe.stranger();
    let token = mailbox.next("zoe@example.com", "Confirm").await.token();
    let verify = |token: &str, password: &str| {
        format!("verifyEmail(input: {{token: \"{token}\", password: \"{password}\"}})")
    };
    tries(&stranger, &verify(&token, "not this one")).await;
    let failed = "SELECT count(*) FROM activities a JOIN users u ON u.id = a.user_id \
        WHERE u.email_key = 'zoe@example.com' AND a.kind = 'sign_in_failed'";
    app.becomes(failed, 1).await;
    does(&stranger, &verify(&token, "correct horse battery")).await;
    does(
        &zoe,
        "changeEmail(input: {email: \"lima@example.com\", password: \"correct horse battery\"})",
    )
    .await;
    let token = mailbox.next("lima@example.com", "Confirm").await.token();
    does(&zoe, &verify(&token, "correct horse battery")).await;
    does(
        &stranger,
        "requestPasswordReset(input: {email: \"lima@example.com\"})",
    )
    .await;
    let token = mailbox.next("lima@example.com", "Choose").await.token();
    let reset = "{token: \"TOKEN\", password: \"correct horse battery\"}".replace("TOKEN", &token);
    does(&stranger, &format!("resetPassword(input: {reset})")).await;
    app.device("lima").await
}

/// Signs in with a code, a wrong one first.
pub(super) async fn with_a_second_factor(app: &TestApp, zoe: &Person) {
    let (_, codes) = enable(app, zoe).await;
    let login = "mutation { login(input: {email: \"lima@example.com\", password: \"correct horse battery\"}) \
        { secondFactor { token } } }";
    let told = zoe.stranger().ask(login, json!({})).await;
    let token = &told["login"]["secondFactor"]["token"];
    for (code, refused) in [("nonsense", true), (&codes[0], false)] {
        let complete = format!("completeLogin(input: {{token: {token}, code: \"{code}\"}})");
        let told = tries(&zoe.stranger(), &complete).await;
        assert_eq!(told != json!([]), refused, "{told}");
    }
    says(app, "SECOND_FACTOR_FAILED").await;
    let password = "(input: {password: \"correct horse battery\"})";
    does(zoe, &format!("regenerateRecoveryCodes{password}")).await;
    does(zoe, &format!("disableTotp{password}")).await;
}
