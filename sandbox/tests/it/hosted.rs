//! The hosted link page, walked through as a browser would.

use serde_json::{Value, json};

use crate::support::{Access, Bank, Receiver};

async fn link_token(bank: &Bank, more: Value) -> (String, String) {
    let mut body = json!({
        "client_name": "Passbook", "language": "en", "country_codes": ["US"], "user": { "client_user_id": "ana" }, "hosted_link": {},
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().cloned().unwrap_or_default());
    let answer = bank.ok("/link/token/create", body).await;
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("link_token"), text("hosted_link_url"))
}

fn account_ids(page: &str) -> Vec<String> {
    let marked = page.split("name=\"account_id\" value=\"").skip(1);
    marked
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

async fn session(bank: &Bank, link_token: &str) -> Value {
    let answer = bank
        .ok("/link/token/get", json!({ "link_token": link_token }))
        .await;
    answer["link_sessions"][0].clone()
}

#[tokio::test]
async fn somebody_links_a_bank_past_security_questions() {
    let bank = Bank::open().await;
    let mut receiver = Receiver::open().await;
    let (token, page) = link_token(
        &bank,
        json!({ "products": ["transactions"], "webhook": receiver.url }),
    )
    .await;
    assert!(
        bank.page_at(&format!("{page}?q=platy"))
            .await
            .contains("First Platypus Bank")
    );
    bank.form(&page, &[("institution_id", "ins_109508")]).await;
    bank.form(
        &page,
        &[("username", "user_good"), ("password", "mfa_questions_2_1")],
    )
    .await;
    bank.form(&page, &[("answer", "wrong")]).await;
    assert!(bank.page_at(&page).await.contains("INVALID_MFA"));
    bank.form(&page, &[("answer", "answer_0_0")]).await;
    bank.form(&page, &[("answer", "answer_1_0")]).await;
    let ids = account_ids(&bank.page_at(&page).await);
    assert_eq!(ids.len(), 8);
    bank.form(&page, &[("account_id", &ids[0]), ("account_id", &ids[2])])
        .await;
    bank.form(&page, &[]).await;
    assert!(
        bank.page_at(&page)
            .await
            .contains("You can close this page")
    );

    let finished = receiver.next_of("SESSION_FINISHED").await;
    let linked = session(&bank, &token).await["results"]["item_add_results"][0].clone();
    assert_eq!(
        finished.body["public_tokens"],
        json!([linked["public_token"]])
    );
    assert_eq!(
        (&finished.body["status"], &finished.body["link_token"]),
        (&json!("SUCCESS"), &json!(token))
    );
    assert_eq!(linked["accounts"].as_array().unwrap().len(), 2);
    let ana = bank
        .exchange(linked["public_token"].as_str().unwrap())
        .await;
    let accounts = bank
        .ok("/accounts/get", json!({ "access_token": ana.token }))
        .await;
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn somebody_leaves_after_a_wrong_password() {
    let bank = Bank::open().await;
    let app = "http://localhost:3000/back?state=1";
    let (token, page) = link_token(
        &bank,
        json!({ "products": ["transactions"], "hosted_link": { "completion_redirect_uri": app } }),
    )
    .await;
    bank.form(&page, &[("institution_id", "ins_109509")]).await;
    bank.form(
        &page,
        &[("username", "user_good"), ("password", "error_ITEM_LOCKED")],
    )
    .await;
    assert_eq!(bank.form(&page, &[("action", "exit")]).await, app);
    let exit = session(&bank, &token).await["exit"].clone();
    assert_eq!(exit["error"]["error_code"], "ITEM_LOCKED");
    assert_eq!(exit["metadata"]["status"], "requires_credentials");
    assert_eq!(
        exit["metadata"]["institution"]["institution_id"],
        "ins_109509"
    );
}

#[tokio::test]
async fn signing_in_again_repairs_the_item_and_may_add_an_account() {
    let bank = Bank::open().await;
    let ana: Access = bank.link("user_good").await;
    let refused = json!({ "access_token": ana.token });
    bank.ok(
        "/item/webhook/update",
        json!({ "access_token": ana.token, "webhook": "http://127.0.0.1:9/nobody" }),
    )
    .await;
    let fire = json!({ "access_token": ana.token, "webhook_code": "NEW_ACCOUNTS_AVAILABLE", "webhook_type": "ITEM" });
    bank.ok("/sandbox/item/fire_webhook", fire).await;
    bank.ok("/sandbox/item/reset_login", refused.clone()).await;
    assert_eq!(
        bank.refused("/transactions/sync", refused.clone()).await,
        "ITEM_LOGIN_REQUIRED"
    );
    let update =
        json!({ "access_token": ana.token, "update": { "account_selection_enabled": true } });
    let (_, page) = link_token(&bank, update).await;
    bank.form(
        &page,
        &[("username", "somebody_else"), ("password", "pass_good")],
    )
    .await;
    assert!(
        bank.page_at(&page)
            .await
            .contains("INVALID_UPDATED_USERNAME")
    );
    bank.form(
        &page,
        &[("username", "user_good"), ("password", "pass_good")],
    )
    .await;
    let ids = account_ids(&bank.page_at(&page).await);
    assert_eq!(ids.len(), 9);
    let fields: Vec<(&str, &str)> = ids.iter().map(|id| ("account_id", id.as_str())).collect();
    bank.form(&page, &fields).await;
    bank.form(&page, &[]).await;
    assert_eq!(
        bank.ok("/accounts/get", refused.clone()).await["accounts"]
            .as_array()
            .unwrap()
            .len(),
        9
    );
    assert_eq!(
        bank.ok("/item/get", refused).await["item"]["error"],
        Value::Null
    );
}

#[tokio::test]
async fn what_is_typed_is_shown_as_text() {
    let bank = Bank::open().await;
    let (_, page) = link_token(
        &bank,
        json!({ "products": ["transactions"], "client_name": "<script>alert(1)" }),
    )
    .await;
    let shown = bank.page_at(&format!("{page}?q=%22%3E%3Cimg%3E")).await;
    assert!(!shown.contains("<script") && !shown.contains("<img>"));
    assert!(
        bank.page_at(&format!("{}/hl/unknown", bank.sandbox.url()))
            .await
            .contains("No such link")
    );
}

#[tokio::test]
async fn a_link_ends_with_its_time() {
    let bank = Bank::open().await;
    let (_, page) = link_token(
        &bank,
        json!({ "products": ["transactions"], "hosted_link": { "url_lifetime_seconds": 60 } }),
    )
    .await;
    bank.control("/clock", json!({ "advance_seconds": 61 }))
        .await;
    assert!(bank.page_at(&page).await.contains("expired"));
}

#[tokio::test]
async fn what_was_revoked_is_not_repaired() {
    let bank = Bank::open().await;
    let ana = bank.link("user_good").await;
    bank.control(
        &format!("/items/{}/events", ana.item_id),
        json!({ "event": "error", "code": "USER_PERMISSION_REVOKED" }),
    )
    .await;
    let (_, page) = link_token(&bank, json!({ "access_token": ana.token })).await;
    bank.form(
        &page,
        &[("username", "user_good"), ("password", "pass_good")],
    )
    .await;
    assert!(bank.page_at(&page).await.contains("ACCESS_NOT_GRANTED"));
}
