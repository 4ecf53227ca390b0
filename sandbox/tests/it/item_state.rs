//! What can befall an item after linking.

use serde_json::{Value, json};

use crate::support::{Bank, Receiver};

#[tokio::test]
async fn a_removed_item_is_gone() {
    let bank = Bank::open().await;
    let (ana, stranger) = (bank.link("user_good").await, bank.link("user_good").await);
    let item = json!({ "access_token": ana.token });
    bank.ok("/item/remove", item.clone()).await;
    for path in [
        "/item/get",
        "/item/remove",
        "/accounts/get",
        "/transactions/sync",
    ] {
        assert_eq!(
            bank.refused(path, item.clone()).await,
            "ITEM_NOT_FOUND",
            "{path}"
        );
    }
    bank.ok("/item/get", json!({ "access_token": stranger.token }))
        .await;
}

#[tokio::test]
async fn a_rotated_token_is_dead() {
    let bank = Bank::open().await;
    let ana = bank.link("user_good").await;
    let answer = bank
        .ok(
            "/item/access_token/invalidate",
            json!({ "access_token": ana.token }),
        )
        .await;
    assert_eq!(
        bank.refused("/item/get", json!({ "access_token": ana.token }))
            .await,
        "INVALID_ACCESS_TOKEN"
    );
    bank.ok(
        "/item/get",
        json!({ "access_token": answer["new_access_token"] }),
    )
    .await;
}

#[tokio::test]
async fn each_webhook_comes_with_the_state_it_tells_of() {
    let bank = Bank::open().await;
    let mut receiver = Receiver::open().await;
    let token = bank
        .public_token("user_good", json!({ "webhook": receiver.url }))
        .await;
    let ana = bank.exchange(&token).await;
    let item = json!({ "access_token": ana.token });
    let fire = |code: &str| json!({ "access_token": ana.token, "webhook_code": code, "webhook_type": "ITEM" });

    bank.ok("/sandbox/item/reset_login", item.clone()).await;
    let error = receiver.next_of("ERROR").await.body;
    assert_eq!(
        (&error["error"]["error_code"], &error["error"]["status"]),
        (&json!("ITEM_LOGIN_REQUIRED"), &json!(400))
    );
    assert_eq!(
        bank.refused("/accounts/balance/get", item.clone()).await,
        "ITEM_LOGIN_REQUIRED"
    );
    assert_eq!(
        bank.ok("/item/get", item.clone()).await["item"]["error"]["error_code"],
        "ITEM_LOGIN_REQUIRED"
    );

    bank.ok("/sandbox/item/fire_webhook", fire("LOGIN_REPAIRED"))
        .await;
    receiver.next_of("LOGIN_REPAIRED").await;
    let before = bank.ok("/accounts/get", item.clone()).await["accounts"]
        .as_array()
        .unwrap()
        .len();

    bank.ok("/sandbox/item/fire_webhook", fire("USER_ACCOUNT_REVOKED"))
        .await;
    let revoked = receiver.next_of("USER_ACCOUNT_REVOKED").await.body["account_id"].clone();
    let left = bank.ok("/accounts/get", item.clone()).await["accounts"]
        .as_array()
        .unwrap()
        .clone();
    assert!(
        left.len() == before - 1 && left.iter().all(|account| account["account_id"] != revoked)
    );

    bank.control(
        &format!("/items/{}/events", ana.item_id),
        json!({ "event": "pending_expiration" }),
    )
    .await;
    let ends = receiver.next_of("PENDING_EXPIRATION").await.body["consent_expiration_time"].clone();
    assert!(ends.is_string());
    bank.control("/clock", json!({ "advance_seconds": 8 * 86_400 }))
        .await;
    assert_eq!(
        bank.refused("/transactions/sync", item.clone()).await,
        "ITEM_LOGIN_REQUIRED"
    );

    bank.ok(
        "/sandbox/item/fire_webhook",
        fire("USER_PERMISSION_REVOKED"),
    )
    .await;
    receiver.next_of("USER_PERMISSION_REVOKED").await;
    assert_eq!(
        bank.refused("/accounts/get", item).await,
        "USER_PERMISSION_REVOKED"
    );
}

#[tokio::test]
async fn balances_are_the_published_examples_to_the_digit() {
    let bank = Bank::open().await;
    let ana = bank.link("user_good").await;
    let answer = bank
        .ok(
            "/accounts/balance/get",
            json!({ "access_token": ana.token }),
        )
        .await;
    let accounts = answer["accounts"].as_array().unwrap();
    let find = |mask: &str| {
        accounts
            .iter()
            .find(|account| account["mask"] == mask)
            .unwrap()
    };
    assert_eq!(
        find("6666")["balances"]["current"].to_string(),
        "23631.9805"
    );
    assert_eq!(find("8888")["balances"]["current"].to_string(), "56302.06");
    assert_eq!(find("3333")["balances"]["available"], Value::Null);
    let some = json!({ "access_token": ana.token, "options": { "account_ids": [find("0000")["account_id"]] } });
    assert_eq!(
        bank.ok("/accounts/get", some).await["accounts"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let unknown = json!({ "access_token": ana.token, "options": { "account_ids": ["nobody"] } });
    assert_eq!(
        bank.refused("/accounts/get", unknown).await,
        "INVALID_ACCOUNT_ID"
    );
}
