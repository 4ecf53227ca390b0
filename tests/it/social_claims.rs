//! What issuers tell of a person, each in its way: in the ID token, by user info, or some here and some there.

use serde_json::{Value, json};

use crate::support::{
    Person, TestApp,
    social::{self, Spa},
};

/// Who comes to a server whose issuer speaks so; what the app is told.
async fn comes(app: &TestApp, rules: Value, person: &str) -> Value {
    app.bank.issuers(rules).await;
    Spa::open()
        .complete(&Person::nobody(&app.url), person)
        .await
}

#[tokio::test]
async fn an_issuer_may_write_the_time_of_a_change_as_text() {
    // As Auth0 does, in every ID token that `profile` was asked for.
    let app = social::start().await;
    let rules = json!({"claims": {"updated_at": "2025-12-23T10:59:07.841Z"}});
    let told = comes(&app, rules, "ana").await;
    assert_eq!(told["userErrors"], json!([]), "{told}");
    assert!(told["accessToken"].is_string(), "{told}");
}

#[tokio::test]
async fn what_a_token_leaves_out_is_asked_of_user_info() {
    // As Okta does: the address in the token, and what it knows of it and of her elsewhere.
    let app = social::start().await;
    let left_out =
        json!({"email_verified": null, "given_name": null, "family_name": null, "birthdate": null});
    let told = comes(&app, json!({"token_claims": left_out}), "ana").await;
    assert_eq!(told["userErrors"], json!([]), "{told}");
    let user = &told["user"];
    assert_eq!(
        (&user["firstName"], &user["lastName"], &user["birthDate"]),
        (&json!("Ana"), &json!("Sandbox"), &json!("1990-02-28"))
    );
    // A token that says everything needs no second question.
    let asked = app.bank.issuer_calls("userinfo").await;
    assert_eq!(asked, 1);
    let told = comes(&app, json!({}), "ana").await;
    assert!(told["accessToken"].is_string(), "{told}");
    assert_eq!(app.bank.issuer_calls("userinfo").await, asked);
}

#[tokio::test]
async fn what_is_said_of_one_address_counts_for_no_other() {
    let app = social::start().await;
    for (rules, refused) in [
        // Verified is the address of user info, which is not the token's.
        (
            json!({"token_claims": {"email": "ceo@example.com", "email_verified": null}}),
            true,
        ),
        // The same address in other letters may be somebody else's at the issuer.
        (
            json!({"token_claims": {"email": "ANA@example.com", "email_verified": null}}),
            true,
        ),
        // The token calls an address verified that it does not name, and user info names one that it does not vouch for.
        (
            json!({"claims": {"email_verified": false}, "token_claims": {"email": null, "email_verified": true}}),
            true,
        ),
        (
            json!({"claims": {"email_verified": null}, "token_claims": {"email": null, "email_verified": true}}),
            true,
        ),
        // What the token says of its own address is the last word.
        (
            json!({"token_claims": {"email_verified": false, "birthdate": null}}),
            true,
        ),
        (
            json!({"token_claims": {"email": null, "email_verified": null}}),
            false,
        ),
    ] {
        let told = comes(&app, rules.clone(), "ana").await;
        let code = told["userErrors"][0]["code"].as_str();
        assert_eq!(
            code,
            refused.then_some("EMAIL_UNVERIFIED"),
            "{rules} {told}"
        );
        assert_eq!(told["accessToken"].is_null(), refused, "{rules} {told}");
    }
    let made = "SELECT count(*) FROM users WHERE email_key LIKE '%ceo%'";
    assert_eq!(app.count(made).await, 0);
}

#[tokio::test]
async fn user_info_that_is_away_keeps_nobody_out_whom_the_token_proves() {
    let app = social::start().await;
    let rules = json!({"forgery": "user_info_away", "token_claims": {"birthdate": null}});
    let told = comes(&app, rules, "ana").await;
    assert!(told["accessToken"].is_string(), "{told}");
    assert_eq!(
        (&told["user"]["firstName"], &told["user"]["birthDate"]),
        (&json!("Ana"), &Value::Null)
    );
    assert_eq!(app.bank.issuer_calls("userinfo").await, 1);
}
