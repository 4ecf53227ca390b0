//! Requests Plaid would not take.

use serde_json::{Value, json};

use crate::support::Bank;

fn link(more: &Value) -> Value {
    let mut body = json!({
        "client_name": "Passbook", "language": "en", "country_codes": ["US"], "user": { "client_user_id": "ana" }, "products": ["transactions"],
    });
    let more = more.as_object().cloned().unwrap_or_default();
    for (name, value) in more {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(&name);
        } else {
            body[name] = value;
        }
    }
    body
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let bank = Bank::open().await;
    let ana = bank.link("user_good").await;
    let token = &ana.token;
    let cases = [
        (json!({}), "MISSING_FIELDS"),
        (
            json!({ "access_token": token, "surprise": 1 }),
            "UNKNOWN_FIELDS",
        ),
        (
            json!({ "access_token": token, "options": { "surprise": 1 } }),
            "UNKNOWN_FIELDS",
        ),
        (json!({ "access_token": 7 }), "INVALID_FIELD"),
        (
            json!({ "access_token": token, "count": 501 }),
            "INVALID_FIELD",
        ),
        (
            json!({ "access_token": token, "count": 1.5 }),
            "INVALID_FIELD",
        ),
        (
            json!({ "access_token": token, "cursor": null }),
            "INVALID_FIELD",
        ),
        (
            json!({ "access_token": token, "cursor": "made up" }),
            "INVALID_FIELD",
        ),
        (
            json!({ "access_token": token, "options": null }),
            "INVALID_FIELD",
        ),
        (
            json!({ "access_token": "access-production-00000000-0000-0000-0000-000000000000" }),
            "INVALID_ACCESS_TOKEN",
        ),
        (
            json!({ "access_token": token.to_uppercase() }),
            "INVALID_ACCESS_TOKEN",
        ),
    ];
    for (body, code) in cases {
        assert_eq!(
            bank.refused("/transactions/sync", body.clone()).await,
            code,
            "{body}"
        );
    }
    let (status, answer) = bank.ask_text("/transactions/sync", "{".into()).await;
    assert_eq!(
        (status, &answer["error_code"]),
        (400, &json!("INVALID_BODY"))
    );
    assert_eq!(bank.ask("/no/such/path", json!({})).await.0, 404);
}

#[tokio::test]
async fn link_tokens_are_checked() {
    let bank = Bank::open().await;
    let ana = bank.link("user_good").await;
    let cases = [
        (
            json!({ "client_name": "more than thirty characters long" }),
            "INVALID_FIELD",
        ),
        (json!({ "user": null }), "MISSING_FIELDS"),
        (
            json!({ "user": { "client_user_id": "ana@example.com" } }),
            "INVALID_FIELD",
        ),
        (json!({ "products": [] }), "INVALID_FIELD"),
        (json!({ "products": ["transaction"] }), "INVALID_FIELD"),
        (json!({ "products": ["balance"] }), "INVALID_PRODUCT"),
        (
            json!({ "optional_products": ["transactions"] }),
            "INVALID_FIELD",
        ),
        (
            json!({ "transactions": { "days_requested": 731 } }),
            "INVALID_FIELD",
        ),
        (
            json!({ "redirect_uri": "https://example.com/?a=1" }),
            "INVALID_FIELD",
        ),
        (json!({ "webhook": "not a url" }), "INVALID_FIELD"),
        (json!({ "language": "xx" }), "INVALID_FIELD"),
        (
            json!({ "hosted_link": { "url_lifetime_seconds": 0 } }),
            "INVALID_FIELD",
        ),
        (json!({ "institution_id": "ins_0" }), "INVALID_INSTITUTION"),
        (json!({ "access_token": ana.token }), "INVALID_FIELD"),
        (
            json!({ "access_token": "nonsense", "products": null }),
            "INVALID_ACCESS_TOKEN",
        ),
    ];
    for (change, code) in cases {
        assert_eq!(
            bank.refused("/link/token/create", link(&change)).await,
            code,
            "{change}"
        );
    }
    bank.ok(
        "/link/token/create",
        link(&json!({ "access_token": ana.token, "products": null })),
    )
    .await;
}

#[tokio::test]
async fn logins_fail_by_name_and_password() {
    let bank = Bank::open().await;
    let create = |bank: &'static str, username: &str, password: &str| {
        let options = json!({ "override_username": username, "override_password": password });
        json!({ "institution_id": bank, "initial_products": ["transactions"], "options": options })
    };
    let cases = [
        (
            create("ins_109508", "nobody", "pass_good"),
            "INVALID_CREDENTIALS",
        ),
        (
            create("ins_109508", "user_good", "wrong"),
            "INVALID_CREDENTIALS",
        ),
        (
            create("ins_109508", "user_good", "error_ITEM_LOCKED"),
            "ITEM_LOCKED",
        ),
        (
            create("ins_109508", "user_custom", "{"),
            "INVALID_CREDENTIALS",
        ),
        (
            create("ins_132361", "user_good", "pass_good"),
            "INSTITUTION_DOWN",
        ),
        (
            create("ins_133402", "user_good", "pass_good"),
            "INSTITUTION_NO_LONGER_SUPPORTED",
        ),
        (
            create("ins_0", "user_good", "pass_good"),
            "INVALID_INSTITUTION",
        ),
    ];
    for (body, code) in cases {
        assert_eq!(
            bank.refused("/sandbox/public_token/create", body.clone())
                .await,
            code,
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_public_token_is_good_once_and_for_half_an_hour() {
    let bank = Bank::open().await;
    let token = bank.public_token("user_good", json!({})).await;
    let ana = bank.exchange(&token).await;
    assert_eq!(
        bank.refused(
            "/item/public_token/exchange",
            json!({ "public_token": token })
        )
        .await,
        "INVALID_PUBLIC_TOKEN"
    );
    bank.control("/settings", json!({ "exchange_repeatable": true }))
        .await;
    assert_eq!(bank.exchange(&token).await.token, ana.token);
    let late = bank.public_token("user_good", json!({})).await;
    bank.control("/clock", json!({ "advance_seconds": 1801 }))
        .await;
    assert_eq!(
        bank.refused(
            "/item/public_token/exchange",
            json!({ "public_token": late })
        )
        .await,
        "INVALID_PUBLIC_TOKEN"
    );
}

#[tokio::test]
async fn a_custom_user_brings_his_own_rows() {
    let bank = Bank::open().await;
    let today = bank.control("/clock", json!({})).await["now"]
        .as_str()
        .unwrap()[..10]
        .to_owned();
    let row = json!({ "date_transacted": today, "date_posted": today, "amount": 12.345, "description": "Käse", "currency": "CHF" });
    let account = json!({ "type": "depository", "subtype": "checking", "starting_balance": 99.5, "meta": { "name": "Konto" }, "transactions": [row] });
    let password = json!({ "version": 2, "override_accounts": [account] }).to_string();
    let token = bank
        .public_token("user_custom", json!({ "override_password": password }))
        .await;
    let ana = bank.exchange(&token).await;
    let (_, page) = bank.page(&ana, "", 500).await;
    assert_eq!(page["added"].as_array().unwrap().len(), 1);
    assert_eq!(
        (
            page["added"][0]["amount"].to_string().as_str(),
            &page["added"][0]["name"]
        ),
        ("12.345", &json!("Käse"))
    );
    assert_eq!(page["accounts"][0]["name"], "Konto");
}
