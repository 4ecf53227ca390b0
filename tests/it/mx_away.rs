//! A server that is off for MX, or in another of MX's environments than the banks were linked in: nothing
//! is taken for gone, nothing is given up, and all goes on when it is back.

use std::time::Duration;

use serde_json::json;

use crate::support::{Bank, TestApp};

const OFF: &[(&str, &str)] = &[("MX_ENV", "off")];
const ELSEWHERE: &[(&str, &str)] = &[
    ("MX_ENV", "int"),
    ("MX_CLIENT_ID", "client"),
    ("MX_API_KEY", "key"),
];
const BACK: &[(&str, &str)] = &[
    ("MX_ENV", "local"),
    ("MX_CLIENT_ID", ""),
    ("MX_API_KEY", ""),
];
const KEPT: &str = "SELECT count(*) FROM items WHERE length(access_token) > 0";

/// The server goes on with other settings and another bank.
async fn moves(mut app: TestApp, bank: Bank, settings: &[(&str, &str)]) -> TestApp {
    app.bank = bank;
    app.restart_with(settings).await
}

#[tokio::test]
async fn what_is_to_be_given_up_waits_until_mx_is_there_again() {
    for away in [OFF, ELSEWHERE] {
        let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
        let (ana, bob) = (app.person("ana").await, app.person("bob").await);
        let item = ana.link_mx(&app, "mxuser").await;
        // Of bob there is nothing at MX but that it knows him.
        let his = bob.link_mx(&app, "mxuser").await;
        bob.remove(&his).await;
        app.bank.members_are(1).await;
        app.idle().await;
        let there = app.bank.clone();
        let app = moves(app, Bank::another().await, away).await;
        ana.remove(&item).await;
        bob.leaves().await;
        for _ in 0..6 {
            app.passes(Duration::from_mins(11), "linking.sweep").await;
            app.settles().await;
        }
        let of = |kind: &str, state: &str| {
            format!("SELECT count(*) FROM jobs WHERE kind = '{kind}' AND state = '{state}'")
        };
        for kind in ["linking.remove", "deletion.finish"] {
            assert_eq!(app.count(&of(kind, "dead")).await, 0, "{kind} {away:?}");
            assert_eq!(app.count(&of(kind, "waiting")).await, 1, "{kind} {away:?}");
        }
        assert_eq!(app.count(KEPT).await, 1, "{away:?}");
        assert_eq!(app.count("SELECT count(*) FROM provider_users").await, 2);

        let app = moves(app, there, BACK).await;
        assert_eq!(app.bank.mx_users().await, 2);
        app.clock.advance(Duration::from_hours(9));
        app.bank.members_are(0).await;
        app.becomes("SELECT count(*) FROM provider_users", 1).await;
        assert_eq!(app.bank.mx_users().await, 1);
        app.becomes(KEPT, 0).await;
    }
}

#[tokio::test]
async fn what_another_environment_does_not_know_is_not_gone() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    let rows = ana.transactions().await.len();
    let there = app.bank.clone();
    let app = moves(app, Bank::another().await, ELSEWHERE).await;
    app.passes(Duration::from_hours(25), "sync.sweep").await;
    let job = ana.ask_sync(&item).await;
    let ended = app.sync_ends(&ana, &job).await;
    assert_eq!(ended["error"]["code"], "PROVIDER_MISCONFIGURED", "{ended}");
    assert_eq!(ana.mx_item(&item).await["linkStatus"], "SUCCESS");
    // Who links a bank there is somebody new to that environment, and known again in the first.
    let other = ana.link_mx(&app, "mxuser").await;
    assert_eq!(ana.transactions().await.len(), rows * 2);

    let app = moves(app, there, BACK).await;
    let job = ana.ask_sync(&item).await;
    assert_eq!(app.sync_ends(&ana, &job).await["status"], "SUCCEEDED");
    assert_eq!(ana.mx_item(&other).await["linkStatus"], "SUCCESS");
    let fields = ana.fields("Hazel").await;
    let typed = |field: &serde_json::Value| json!({"fieldId": field["id"], "value": "mxuser"});
    let credentials: serde_json::Value = fields.iter().map(typed).collect();
    let ordered = ana
        .order(json!({"institutionCode": "hazel_bank", "credentials": credentials}))
        .await;
    assert!(ordered["item"]["id"].is_string(), "{ordered}");
    assert_eq!(app.bank.mx_users().await, 1);
    assert_eq!(app.bank.members().await.len(), 2);
}

#[tokio::test]
async fn a_token_that_no_key_opens_is_kept_and_tried_seldom() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    ana.widget(&app.bank).await;
    // What is sealed for another place opens here as little as under another key.
    let other = "UPDATE items SET access_token = (SELECT token FROM link_tokens)";
    assert_eq!(app.meddle(other).await, 1);
    ana.remove(&item).await;
    for _ in 0..3 {
        app.passes(Duration::from_mins(11), "linking.sweep").await;
        app.settles().await;
    }
    let tries = "SELECT count(*) FROM jobs WHERE kind = 'linking.remove'";
    assert_eq!(app.count(tries).await, 1);
    assert_eq!(
        app.count(&format!("{tries} AND state = 'waiting'")).await,
        1
    );
    assert_eq!(app.count(KEPT).await, 1);
}
