//! What the provider did not send, and what proves that it did.

use std::time::Duration;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use passbook::seal::sha256_hex;
use serde_json::{Value, json};

use crate::support::{Signed, TestApp};

const KEY: &str = "/webhook_verification_key/get";

/// The body of a webhook about an item.
fn body(kind: &str, code: &str, item: &str) -> Value {
    json!({"webhook_type": kind, "webhook_code": code, "item_id": item, "environment": "sandbox", "error": null})
}

/// The three parts of the token that goes with a webhook.
fn parts(webhook: &Signed) -> [&str; 3] {
    let token = webhook.signature.as_ref().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    parts.try_into().unwrap()
}

/// The token with one letter of its signature changed.
fn reworded(webhook: &Signed, at: usize) -> String {
    let [header, claims, signature] = parts(webhook);
    let mut letters = signature.to_owned().into_bytes();
    letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
    format!("{header}.{claims}.{}", String::from_utf8(letters).unwrap())
}

/// The token as somebody signs it who knows the name of the provider's key and not the key.
fn signed_by_another(webhook: &Signed) -> String {
    let [header, claims, _] = parts(webhook);
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let message = format!("{header}.{claims}");
    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Another body, with claims that fit it and the signature there was.
fn of_another_body(webhook: &Signed) -> Signed {
    let [header, claims, signature] = parts(webhook);
    let mut body = webhook.body.clone();
    body.push(b' ');
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
    let mut claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["request_body_sha256"] = sha256_hex(&body).into();
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    Signed {
        signature: Some(format!("{header}.{claims}.{signature}")),
        body,
    }
}

#[tokio::test]
async fn a_forged_webhook_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item().await["item_id"]
        .as_str()
        .unwrap()
        .to_owned();
    for fault in [
        "wrong_algorithm",
        "unknown_key",
        "old_issue",
        "changed_body",
        "missing",
    ] {
        app.bank
            .settings(json!({"webhooks": {"signature": fault, "attempts": 1}}))
            .await;
        app.bank
            .change(&there, json!({"add": [{"name": "Coffee", "amount": 4.10}]}))
            .await;
        let sent = app.bank.webhooks_settled().await;
        let result = &sent.last().unwrap()["attempts"][0]["result"];
        assert_eq!(*result, "401", "{fault}");
    }
    assert!(
        ana.transactions()
            .await
            .iter()
            .all(|row| row["name"] != "Coffee")
    );
}

#[tokio::test]
async fn only_what_is_signed_as_it_stands_is_taken() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_good").await;
    let there = app.bank.item_id().await;
    ana.quiet().await;
    let kept = app.count("SELECT count(*) FROM webhooks").await;
    let sound = app
        .bank
        .signed(body("ITEM", "NEW_ACCOUNTS_AVAILABLE", &there))
        .await;
    let with = |signature: Option<&str>| Signed {
        signature: signature.map(str::to_owned),
        ..sound.clone()
    };
    let mut changed = sound.clone();
    changed.body.push(b' ');
    let other = app.bank.signed(body("ITEM", "ERROR", &there)).await;
    for forged in [
        with(None),
        with(Some("")),
        with(Some("a.b.c")),
        with(Some("...")),
        with(other.signature.as_deref()),
        with(Some(&reworded(&sound, 9))),
        with(Some(&signed_by_another(&sound))),
        of_another_body(&sound),
        changed,
    ] {
        assert_eq!(app.deliver(&forged).await, 401, "{:?}", forged.signature);
    }
    for size in [64 * 1024 + 1, 1 << 20] {
        let large = Signed {
            body: vec![b' '; size],
            ..sound.clone()
        };
        assert_eq!(app.deliver(&large).await, 413);
    }
    let page = reqwest::Client::builder().build().unwrap();
    let get = page
        .get(format!("{}/webhooks/plaid", app.url))
        .send()
        .await
        .unwrap();
    assert_eq!(get.status(), 405);
    app.clock.advance(Duration::from_secs(310));
    assert_eq!(app.deliver(&sound).await, 401, "old");
    assert_eq!(app.count("SELECT count(*) FROM webhooks").await, kept);
}

#[tokio::test]
async fn keys_change_and_fail_and_nothing_genuine_is_refused_for_good() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_good").await;
    let there = app.bank.item_id().await;
    let first = app
        .bank
        .signed(body("ITEM", "NEW_ACCOUNTS_AVAILABLE", &there))
        .await;
    app.bank.ask("/control/keys/rotate", json!({})).await;
    let second = app.bank.signed(body("ITEM", "ERROR", &there)).await;
    assert_eq!(
        (app.deliver(&first).await, app.deliver(&second).await),
        (200, 200)
    );

    app.bank.ask("/control/keys/rotate", json!({})).await;
    let third = app.bank.signed(body("ITEM", "ERROR", &there)).await;
    let down = json!([{"kind": "html", "status": 502, "endpoint": KEY}]);
    app.bank.faults(down).await;
    assert_eq!(app.deliver(&third).await, 503);
    let asked = app.bank.calls(KEY).await.len();
    assert_eq!(app.deliver(&second).await, 200, "a known key needs nobody");
    assert_eq!(app.bank.calls(KEY).await.len(), asked);
    app.bank.faults(json!([])).await;
    app.clock.advance(Duration::from_mins(2));
    assert_eq!(app.deliver(&third).await, 200);
}
