//! A new secret key: what is sealed under the old one moves over, and the old one is not needed then.

use serde_json::json;

use crate::support::TestApp;

const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[tokio::test]
async fn banks_go_on_without_the_old_key_once_everything_is_under_the_new_one() {
    let app = TestApp::with(&[("SECRET_KEY", OLD)]).await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    ana.hosted_link(None).await;
    app.idle().await;
    let both = format!("{NEW},{OLD}");
    let app = app.restart_with(&[("SECRET_KEY", &both)]).await;
    // What is signed in stays signed in.
    ana.ask("{ viewer { id } }", json!({})).await;
    app.passes(std::time::Duration::from_hours(1), "secrets.rekey")
        .await;
    let app = app.restart_with(&[("SECRET_KEY", NEW)]).await;
    let ana = app.device("ana").await;
    assert_eq!(ana.sync(&item).await["status"], "SUCCEEDED");
    drop(app);
}

#[tokio::test]
async fn without_the_move_a_new_key_opens_nothing() {
    let app = TestApp::with(&[("SECRET_KEY", OLD)]).await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    app.idle().await;
    let app = app.restart_with(&[("SECRET_KEY", NEW)]).await;
    let ana = app.device("ana").await;
    let ended = ana.sync(&item).await;
    assert_eq!(ended["error"]["code"], "SERVER_ERROR", "{ended}");
    drop(app);
}
