//! Leaving nothing behind: an account that is deleted is gone at once for its person, from every table in
//! the end, and from the providers however long that takes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Download, Person, TestApp, patiently,
    social::{self, Spa},
};

mod behind;
mod providers;

const DELETE: &str = "mutation($password: String) { deleteAccount(input: {password: $password}) { \
    deletedUserId userErrors { code field } } }";
const PASSWORD: &str = "correct horse battery";
const FOLLOW: &str = "subscription { itemUpdated { item { id } } }";
const REMOVE: &str = "/item/remove";

async fn delete(person: &Person, password: Option<&str>) -> Value {
    let mut data = person.ask(DELETE, json!({"password": password})).await;
    data["deleteAccount"].take()
}

/// Deletes an account; the row id of the person.
async fn leave(app: &TestApp, person: &Person) -> String {
    let told = delete(person, Some(PASSWORD)).await;
    assert_eq!(told["userErrors"], json!([]), "{told}");
    assert!(told["deletedUserId"].is_string(), "{told}");
    let id = format!(
        "SELECT {} FROM users WHERE deleted_at IS NOT NULL",
        app.hex("id")
    );
    app.text(&id).await
}

/// Lets time pass until nothing of anybody who left is there.
async fn is_gone(app: &TestApp) {
    let left = "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL";
    patiently(async {
        while app.count(left).await > 0 {
            app.clock.advance(Duration::from_mins(10));
            app.settles().await;
        }
    })
    .await;
}

/// The tables that name a person still.
async fn traces(app: &TestApp, id: &str) -> Vec<String> {
    let mut found = Vec::new();
    for table in app.tables_of_people().await {
        let sql = format!(
            "SELECT count(*) FROM {table} WHERE {} = '{id}'",
            app.hex("user_id")
        );
        if app.count(&sql).await > 0 {
            found.push(table);
        }
    }
    let rows = format!(
        "SELECT count(*) FROM users WHERE {} = '{id}'",
        app.hex("id")
    );
    if app.count(&rows).await > 0 {
        found.push("users".to_owned());
    }
    found
}

/// Whether neither token of a session opens anything.
async fn is_out(person: &Person) -> bool {
    let refresh = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { user { id } } }";
    let token = json!({"token": person.refresh_token});
    let refreshed = person.stranger().ask(refresh, token).await;
    let answer = person.answer("{ viewer { id } }", json!({})).await;
    answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        && refreshed["refreshSession"]["user"].is_null()
}

#[tokio::test]
async fn an_account_is_gone_at_once_and_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let (ana, phone) = (app.person("ana").await, app.device("ana").await);
    let bob = app.person("bob").await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    bob.link(&app.bank, "user_transactions_100").await;
    ana.link_mx(&app, "mxuser").await;
    ana.hosted_link(None).await;
    let export = "mutation { exportData { dataExport { id } } }";
    ana.ask(export, json!({})).await;
    app.until("data_exports", "status = 'ready'").await;
    let exports = "{ dataExports { nodes { downloadUrl } } }";
    let url = ana.ask(exports, json!({})).await["dataExports"]["nodes"][0]["downloadUrl"].take();
    ana.ask_sync(&item).await;
    ana.quiet().await;
    let mut sockets = [
        ana.watch(FOLLOW, json!({})).await,
        phone.watch(FOLLOW, json!({})).await,
    ];
    let id = format!(
        "SELECT {} FROM users WHERE email = 'ana@example.com'",
        app.hex("id")
    );
    let id = app.text(&id).await;
    assert!(
        traces(&app, &id).await.len() > 12,
        "{:?}",
        traces(&app, &id).await
    );
    let signed = app.bank.signed(json!({"webhook_type": "TRANSACTIONS", "webhook_code": "SYNC_UPDATES_AVAILABLE", "item_id": there})).await;

    assert_eq!(leave(&app, &ana).await, id);
    assert!(is_out(&ana).await && is_out(&phone).await);
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, 4403);
    }
    assert_eq!(Download::of(url.as_str().unwrap()).await.status, 404);
    let anew = app.person("ana").await;
    assert!(anew.transactions().await.is_empty());
    let items = format!(
        "SELECT count(*) FROM items WHERE {} = '{id}'",
        app.hex("user_id")
    );
    patiently(async {
        while app.count(&items).await > 0 {
            app.while_it_waits().await;
        }
    })
    .await;
    let theirs = app.bank.items().await;
    let removed = |item: &&Value| item["removed"] == true;
    assert_eq!(theirs.iter().filter(removed).count(), 1, "{theirs:?}");
    // The bank's word comes late.
    let jobs = "SELECT count(*) FROM jobs WHERE key <> 'all'";
    let parked = "SELECT count(*) FROM webhooks WHERE user_id IS NULL";
    let before = (app.count(jobs).await, app.count(parked).await);
    assert_eq!(app.deliver(&signed).await, 200);
    let after = (app.count(jobs).await, app.count(parked).await);
    assert_eq!(after, (before.0, before.1 + 1));
    is_gone(&app).await;
    assert_eq!(traces(&app, &id).await, Vec::<String>::new());
    assert_eq!(app.bank.mx_users().await, 0);
    let bob = app.device("bob").await;
    assert_eq!(bob.transactions().await.len(), 100);
    let anew = app.device("ana").await;
    anew.link(&app.bank, "user_good").await;
}

#[tokio::test]
async fn only_the_person_deletes_her_account() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let wrong = delete(&ana, Some("not this one")).await;
    let code = |told: &Value| {
        (
            told["userErrors"][0]["code"].clone(),
            told["userErrors"][0]["field"].clone(),
        )
    };
    assert_eq!(
        code(&wrong),
        (json!("INVALID_CREDENTIALS"), json!(["password"]))
    );
    app.until("activities", "kind = 'account_deletion_failed'")
        .await;
    for password in [None, Some("x".repeat(1025))] {
        let told = delete(&ana, password.as_deref()).await;
        assert_eq!(code(&told), (json!("INVALID_INPUT"), json!(["password"])));
    }
    assert_eq!(
        ana.stranger().error(DELETE, json!({})).await,
        "UNAUTHENTICATED"
    );
    for _ in 0..5 {
        delete(&ana, Some("nor this one")).await;
    }
    let told = delete(&ana, Some(PASSWORD)).await;
    assert_eq!(told["userErrors"][0]["code"], "RATE_LIMITED");
    ana.ask("{ viewer { id } }", json!({})).await;
    assert_eq!(
        app.count("SELECT count(*) FROM users WHERE deleted_at IS NULL")
            .await,
        1
    );
}

#[tokio::test]
async fn somebody_without_a_password_has_to_have_signed_in_a_moment_ago() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    app.meddle("UPDATE users SET password_hash = ''").await;
    app.clock.advance(Duration::from_mins(10));
    for password in [None, Some(PASSWORD), Some("")] {
        let told = delete(&ana, password).await;
        assert_eq!(told["userErrors"][0]["code"], "SIGN_IN_AGAIN", "{told}");
    }
    let failed = "SELECT count(*) FROM activities WHERE kind = 'account_deletion_failed'";
    app.becomes(failed, 3).await;
    // As if she had signed in three minutes ago.
    let bob = app.person("bob").await;
    app.meddle("UPDATE users SET password_hash = '' WHERE email = 'bob@example.com'")
        .await;
    app.clock.advance(Duration::from_mins(3));
    let told = delete(&bob, None).await;
    assert!(told["deletedUserId"].is_string(), "{told}");
    assert!(is_out(&bob).await && !is_out(&ana).await);
}

#[tokio::test]
async fn on_all_replicas_she_is_out_within_a_second() {
    let app = TestApp::start().await;
    let Some(other) = app.replica().await else {
        return;
    };
    let ana = app.person("ana").await;
    let there = ana.at(&other.url);
    let mut open = there.watch(FOLLOW, json!({})).await;
    leave(&app, &ana).await;
    assert_eq!(open.closed().await, 4403);
    assert_eq!(
        there.error("{ viewer { id } }", json!({})).await,
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn who_leaves_can_come_back_at_once_with_the_identity_she_had() {
    let app = social::start().await;
    let ana = app.person("ana").await;
    Spa::open().link(&ana, "carla").await;
    let app = app.restart_with(&[("WORKERS", "0")]).await;
    leave(&app, &ana).await;
    let anew = Spa::open().complete(&ana.stranger(), "carla").await;
    assert!(anew["accessToken"].is_string(), "{anew}");
    assert_eq!(app.count("SELECT count(*) FROM users").await, 2);
}
