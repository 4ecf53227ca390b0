//! Webhooks: signed, armed by the first sync, repeated until they are taken.

use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use passbook_sandbox::{Options, Settings, SignatureFault};
use serde_json::{Value, json};

use crate::support::{Access, Arrival, Bank, Receiver, at_once};

async fn linked(bank: &Bank, receiver: &Receiver, username: &str) -> Access {
    let token = bank
        .public_token(username, json!({ "webhook": receiver.url }))
        .await;
    bank.exchange(&token).await
}

/// Checks a webhook as a careful receiver does.
async fn verify(bank: &Bank, arrival: &Arrival, body: &[u8]) -> Result<(), String> {
    let token = arrival.signature.as_deref().ok_or("no signature")?;
    let header = decode_header(token).map_err(|error| error.to_string())?;
    if header.alg != Algorithm::ES256 {
        return Err("wrong algorithm".into());
    }
    let (status, answer) = bank
        .ask(
            "/webhook_verification_key/get",
            json!({ "key_id": header.kid }),
        )
        .await;
    if status != 200 {
        return Err(answer["error_code"].to_string());
    }
    let text = |name: &str| answer["key"][name].as_str().unwrap_or_default().to_owned();
    let key = DecodingKey::from_ec_components(&text("x"), &text("y"))
        .map_err(|error| error.to_string())?;
    let mut rules = Validation::new(Algorithm::ES256);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    let claims = decode::<Value>(token, &key, &rules)
        .map_err(|error| error.to_string())?
        .claims;
    let hash = digest(&SHA256, body)
        .as_ref()
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let now = bank.control("/clock", json!({})).await["now"]
        .as_str()
        .unwrap()
        .parse::<chrono::DateTime<chrono::Utc>>()
        .unwrap();
    match () {
        () if claims["request_body_sha256"] != json!(hash) => Err("body changed".into()),
        () if now.timestamp() - claims["iat"].as_i64().unwrap() > 300 => Err("too old".into()),
        () => Ok(()),
    }
}

#[tokio::test]
async fn a_signature_holds_for_its_own_body_only() {
    let bank = Bank::open().await;
    let mut receiver = Receiver::open().await;
    let ana = linked(&bank, &receiver, "user_good").await;
    bank.ok(
        "/sandbox/item/reset_login",
        json!({ "access_token": ana.token }),
    )
    .await;
    let arrival = receiver.next_of("ERROR").await;
    assert_eq!(verify(&bank, &arrival, &arrival.bytes).await, Ok(()));
    assert!(arrival.bytes.starts_with(b"{\n  \""));
    let rewritten = serde_json::to_vec(&arrival.body).unwrap();
    assert_eq!(
        verify(&bank, &arrival, &rewritten).await,
        Err("body changed".into())
    );
}

#[tokio::test]
async fn forgeries_look_as_ordered() {
    let orders = [
        (SignatureFault::WrongAlgorithm, "wrong algorithm"),
        (
            SignatureFault::UnknownKey,
            "\"INVALID_WEBHOOK_VERIFICATION_KEY_ID\"",
        ),
        (SignatureFault::OldIssue, "too old"),
        (SignatureFault::ChangedBody, "body changed"),
        (SignatureFault::Missing, "no signature"),
    ];
    for (fault, refusal) in orders {
        let mut settings = at_once();
        settings.webhooks.signature = fault;
        let bank = Bank::open_with(Options {
            settings,
            ..Options::default()
        })
        .await;
        let mut receiver = Receiver::open().await;
        let ana = linked(&bank, &receiver, "user_good").await;
        bank.ok(
            "/sandbox/item/reset_login",
            json!({ "access_token": ana.token }),
        )
        .await;
        let arrival = receiver.next_of("ERROR").await;
        assert_eq!(
            verify(&bank, &arrival, &arrival.bytes).await,
            Err(refusal.into())
        );
    }
}

#[tokio::test]
async fn a_rotated_key_signs_and_the_old_one_is_published_as_expired() {
    let bank = Bank::open().await;
    let mut receiver = Receiver::open().await;
    let ana = linked(&bank, &receiver, "user_good").await;
    bank.ok(
        "/sandbox/item/reset_login",
        json!({ "access_token": ana.token }),
    )
    .await;
    let before = receiver.next_of("ERROR").await;
    bank.control("/keys/rotate", json!({})).await;
    bank.ok(
        "/sandbox/item/reset_login",
        json!({ "access_token": ana.token }),
    )
    .await;
    let after = receiver.next_of("ERROR").await;
    let kid = |arrival: &Arrival| {
        decode_header(arrival.signature.as_deref().unwrap())
            .unwrap()
            .kid
            .unwrap()
    };
    assert_ne!(kid(&before), kid(&after));
    let old = bank
        .ok(
            "/webhook_verification_key/get",
            json!({ "key_id": kid(&before) }),
        )
        .await;
    assert!(old["key"]["expired_at"].is_i64());
    let keys: Value = serde_json::from_str(&bank.read("/control/keys").await).unwrap();
    assert_eq!(
        keys["keys"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|key| key["expired_at"].is_null())
            .count(),
        2
    );
    assert_eq!(verify(&bank, &after, &after.bytes).await, Ok(()));
}

#[tokio::test]
async fn sync_updates_are_told_only_after_the_first_sync() {
    let bank = Bank::open_with(Options::default()).await;
    bank.control(
        "/clock",
        json!({ "set": "2026-03-31T12:00:00Z", "hold": true }),
    )
    .await;
    let mut receiver = Receiver::open().await;
    let ana = linked(&bank, &receiver, "user_good").await;
    bank.control("/clock", json!({ "advance_seconds": 1 }))
        .await;
    assert_eq!(receiver.next().await.code(), "INITIAL_UPDATE");
    assert_eq!(bank.page(&ana, "", 500).await.0, 200);
    bank.control("/clock", json!({ "advance_seconds": 2 }))
        .await;
    let told = receiver.next_of("SYNC_UPDATES_AVAILABLE").await.body;
    assert_eq!(
        (
            &told["initial_update_complete"],
            &told["historical_update_complete"]
        ),
        (&json!(true), &json!(true))
    );
    assert_eq!(told["item_id"], json!(ana.item_id));
}

#[tokio::test]
async fn a_refresh_is_told_and_logged() {
    let bank = Bank::open_with(Options {
        settings: Settings {
            legacy_webhooks: false,
            ..at_once()
        },
        ..Options::default()
    })
    .await;
    let mut receiver = Receiver::open().await;
    let ana = linked(&bank, &receiver, "user_transactions_dynamic").await;
    bank.page(&ana, "", 500).await;
    bank.ok(
        "/transactions/refresh",
        json!({ "access_token": ana.token }),
    )
    .await;
    let told = receiver.next().await;
    assert_eq!(told.code(), "SYNC_UPDATES_AVAILABLE");
    assert!(
        bank.read("/control/webhooks")
            .await
            .contains("SYNC_UPDATES_AVAILABLE")
    );
    let item = bank
        .ok("/item/get", json!({ "access_token": ana.token }))
        .await;
    assert_eq!(
        item["status"]["last_webhook"]["code_sent"],
        "SYNC_UPDATES_AVAILABLE"
    );
}

#[tokio::test]
async fn duplicates_and_a_webhook_before_the_exchange_can_be_ordered() {
    let mut settings = at_once();
    settings.legacy_webhooks = false;
    settings.webhooks.duplicates = 2;
    settings.webhooks.before_exchange = true;
    let bank = Bank::open_with(Options {
        settings,
        ..Options::default()
    })
    .await;
    let mut receiver = Receiver::open().await;
    let ana = linked(&bank, &receiver, "user_good").await;
    for _ in 0..3 {
        let told = receiver.next().await;
        assert_eq!(
            (told.code(), &told.body["item_id"]),
            ("SYNC_UPDATES_AVAILABLE", &json!(ana.item_id))
        );
    }
}

#[tokio::test]
async fn a_changed_address_is_acknowledged_at_the_new_one() {
    let bank = Bank::open().await;
    let mut receiver = Receiver::open().await;
    let ana = bank.link("user_good").await;
    let fire = json!({ "access_token": ana.token, "webhook_code": "SYNC_UPDATES_AVAILABLE" });
    assert_eq!(
        bank.refused("/sandbox/item/fire_webhook", fire.clone())
            .await,
        "SANDBOX_WEBHOOK_INVALID"
    );
    bank.ok(
        "/item/webhook/update",
        json!({ "access_token": ana.token, "webhook": receiver.url }),
    )
    .await;
    assert_eq!(
        receiver.next().await.body["new_webhook_url"],
        json!(receiver.url)
    );
    assert_eq!(
        bank.ok("/sandbox/item/fire_webhook", fire).await["webhook_fired"],
        true
    );
    receiver.next_of("SYNC_UPDATES_AVAILABLE").await;
    let assets = json!({ "access_token": ana.token, "webhook_code": "PRODUCT_READY", "webhook_type": "ASSETS" });
    assert_eq!(
        bank.refused("/sandbox/item/fire_webhook", assets).await,
        "SANDBOX_PRODUCT_NOT_ENABLED"
    );
}

#[tokio::test]
async fn a_webhook_is_repeated_until_it_is_taken() {
    let bank = Bank::open().await;
    let mut receiver = Receiver::refusing(2).await;
    let ana = bank.link("user_good").await;
    bank.ok(
        "/item/webhook/update",
        json!({ "access_token": ana.token, "webhook": receiver.url }),
    )
    .await;
    let (first, second, third) = (
        receiver.next().await,
        receiver.next().await,
        receiver.next().await,
    );
    assert_eq!((&first.bytes, &second.bytes), (&second.bytes, &third.bytes));
    assert_eq!(verify(&bank, &third, &third.bytes).await, Ok(()));
}

#[tokio::test]
async fn a_dropped_webhook_is_logged_and_not_sent() {
    let mut settings = at_once();
    settings.webhooks.drop = 1.0;
    let bank = Bank::open_with(Options {
        settings,
        ..Options::default()
    })
    .await;
    let mut receiver = Receiver::open().await;
    let ana = linked(&bank, &receiver, "user_good").await;
    bank.ok(
        "/sandbox/item/reset_login",
        json!({ "access_token": ana.token }),
    )
    .await;
    bank.control("/settings", json!({ "webhooks": { "drop": 0.0 } }))
        .await;
    let fire = json!({ "access_token": ana.token, "webhook_code": "LOGIN_REPAIRED" });
    bank.ok("/sandbox/item/fire_webhook", fire).await;
    receiver.next_of("LOGIN_REPAIRED").await;
    assert!(
        bank.read("/control/webhooks")
            .await
            .contains("\"state\":\"dropped\"")
    );
}

#[tokio::test]
async fn any_body_can_be_sent_signed() {
    let bank = Bank::open().await;
    let mut receiver = Receiver::open().await;
    let body =
        json!({ "webhook_type": "ITEM", "webhook_code": "SOMETHING_NEW", "item_id": "nobody" });
    bank.control(
        "/webhooks",
        json!({ "url": receiver.url, "body": body, "times": 2 }),
    )
    .await;
    for _ in 0..2 {
        let arrival = receiver.next().await;
        assert_eq!(arrival.body, body);
        assert_eq!(verify(&bank, &arrival, &arrival.bytes).await, Ok(()));
    }
}
