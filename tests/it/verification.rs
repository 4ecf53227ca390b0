//! Proving an address, and moving to another.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Mailbox, Person};

const REQUEST: &str =
    "mutation { requestEmailVerification { user { emailVerified } userErrors { code } } }";
const VERIFY: &str = "mutation($token: String!, $password: String) { verifyEmail(input: {token: $token, \
    password: $password}) { user { email emailVerified } accessToken userErrors { code field } } }";
const CHANGE: &str = "mutation($email: String!, $password: String!) { changeEmail(input: {email: $email, \
    password: $password}) { user { email } userErrors { code field } } }";
const LOGIN: &str = "mutation($email: String!) { login(input: {email: $email, password: \"correct horse battery\"}) \
    { accessToken userErrors { code } } }";
const PASSWORD: &str = "correct horse battery";

async fn verify(person: &Person, token: &str, password: Option<&str>) -> Value {
    let input = json!({"token": token, "password": password});
    let mut data = person.ask(VERIFY, input).await;
    data["verifyEmail"].take()
}

async fn change(person: &Person, email: &str, password: &str) -> Value {
    let input = json!({"email": email, "password": password});
    let mut data = person.ask(CHANGE, input).await;
    data["changeEmail"].take()
}

async fn opens(person: &Person, email: &str) -> bool {
    let data = person.stranger().ask(LOGIN, json!({"email": email})).await;
    data["login"]["accessToken"].is_string()
}

async fn is_verified(person: &Person) -> bool {
    let data = person.ask("{ viewer { emailVerified } }", json!({})).await;
    data["viewer"]["emailVerified"] == true
}

#[tokio::test]
async fn the_mail_and_the_person_together_prove_an_address() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let token = mailbox.next("ana@example.com", "Confirm").await.token();
    // Whoever clicks on it elsewhere, or has it from somewhere, proves nothing by that.
    let refused = json!([{"code": "INVALID_CREDENTIALS", "field": ["password"]}]);
    for (person, password) in [
        (&ana.stranger(), None),
        (&ana.stranger(), Some("not this one")),
        (&bob, None),
    ] {
        let told = verify(person, &token, password).await;
        assert_eq!(told["userErrors"], refused);
        assert!(!is_verified(&ana).await);
    }
    let told = verify(&ana, &token, None).await;
    let wanted = json!({"user": {"email": "ana@example.com", "emailVerified": true}, "accessToken": null, "userErrors": []});
    assert_eq!(told, wanted);
    assert!(is_verified(&ana).await && !is_verified(&bob).await);
    let log = ana
        .ask("{ activity(first: 1) { nodes { kind } } }", json!({}))
        .await;
    assert_eq!(log["activity"]["nodes"][0]["kind"], "EMAIL_VERIFIED");
    let used = json!([{"code": "MAIL_TOKEN_INVALID", "field": ["token"]}]);
    assert_eq!(verify(&ana, &token, None).await["userErrors"], used);
    // On another device the password stands for the session, and opens one.
    let token = mailbox.next("bob@example.com", "Confirm").await.token();
    let told = verify(&bob.stranger(), &token, Some(PASSWORD)).await;
    let phone = bob.with(told["accessToken"].as_str().unwrap());
    assert!(is_verified(&phone).await);
}

#[tokio::test]
async fn of_several_mails_the_newest_counts_and_for_a_day() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let ana = app.person("ana").await;
    let first = mailbox.next("ana@example.com", "Confirm").await.token();
    assert_eq!(
        ana.ask(REQUEST, json!({})).await["requestEmailVerification"]["userErrors"],
        json!([])
    );
    let second = mailbox.next("ana@example.com", "Confirm").await.token();
    assert_ne!(first, second);
    let invalid = json!([{"code": "MAIL_TOKEN_INVALID", "field": ["token"]}]);
    assert_eq!(verify(&ana, &first, None).await["userErrors"], invalid);
    app.clock.advance(Duration::from_hours(24));
    let ana = app.device("ana").await;
    assert_eq!(verify(&ana, &second, None).await["userErrors"], invalid);
    ana.ask(REQUEST, json!({})).await;
    let third = mailbox.next("ana@example.com", "Confirm").await.token();
    assert_eq!(verify(&ana, &third, None).await["userErrors"], json!([]));
    // Nothing is sent to somebody who has proven it.
    let told = ana.ask(REQUEST, json!({})).await;
    assert_eq!(
        told["requestEmailVerification"]["user"]["emailVerified"],
        true
    );
    app.idle().await;
    assert!(mailbox.left().is_empty());
}

#[tokio::test]
async fn a_new_address_counts_once_it_is_proven_and_the_old_one_is_told() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    mailbox.next("ana@example.com", "Confirm").await;
    let wrong = change(&ana, "lima@example.com", "not this one").await;
    let refused = json!([{"code": "INVALID_CREDENTIALS", "field": ["password"]}]);
    assert_eq!(wrong["userErrors"], refused);
    let wrong = change(&ana, "lima@", PASSWORD).await;
    assert_eq!(
        wrong["userErrors"],
        json!([{"code": "INVALID_INPUT", "field": ["email"]}])
    );
    let asked = change(&ana, "Lima@example.com", PASSWORD).await;
    assert_eq!(
        asked,
        json!({"user": {"email": "ana@example.com"}, "userErrors": []})
    );
    mailbox
        .next("ana@example.com", "Your e-mail address is about to change")
        .await;
    let token = mailbox
        .next("Lima@example.com", "Confirm your new")
        .await
        .token();
    assert!(opens(&ana, "ana@example.com").await && !opens(&ana, "lima@example.com").await);
    assert_eq!(
        verify(&bob, &token, Some("not hers")).await["userErrors"],
        refused
    );
    let told = verify(&ana, &token, None).await;
    assert_eq!(
        told["user"],
        json!({"email": "Lima@example.com", "emailVerified": true})
    );
    assert!(!opens(&ana, "ana@example.com").await && opens(&ana, "lima@example.com").await);
    let log = ana
        .ask(
            "{ activity(filter: {kinds: [EMAIL_CHANGED, EMAIL_CHANGE_REQUESTED]}) { nodes { kind } } }",
            json!({}),
        )
        .await;
    let told = json!([{"kind": "EMAIL_CHANGED"}, {"kind": "EMAIL_CHANGE_REQUESTED"}]);
    assert_eq!(log["activity"]["nodes"], told);
    let stranger = ana.stranger();
    let input = json!({"email": "x@example.com", "password": PASSWORD});
    assert_eq!(stranger.error(CHANGE, input).await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn somebody_elses_address_is_not_told_to_be_taken_and_not_given_away() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let (ana, _bob) = (app.person("ana").await, app.person("bob").await);
    mailbox.next("bob@example.com", "Confirm").await;
    let taken = change(&ana, "bob@example.com", PASSWORD).await;
    let free = change(&ana, "free@example.com", PASSWORD).await;
    assert_eq!(taken, free);
    let mail = mailbox
        .next("bob@example.com", "You have an account already")
        .await;
    assert!(!mail.text.contains("token"), "{}", mail.text);
    // Free when it was asked for, and not when it is answered.
    let token = mailbox
        .next("free@example.com", "Confirm your new")
        .await
        .token();
    app.person("free").await;
    let told = verify(&ana, &token, None).await;
    assert_eq!(told["userErrors"][0]["code"], "EMAIL_TAKEN");
}

#[tokio::test]
async fn a_new_password_takes_back_what_was_asked_for_with_the_old_one() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let ana = app.person("ana").await;
    change(&ana, "eve@example.com", PASSWORD).await;
    let token = mailbox
        .next("eve@example.com", "Confirm your new")
        .await
        .token();
    let password = "mutation { changePassword(input: {currentPassword: \"correct horse battery\", \
                    newPassword: \"a better staple\"}) { userErrors { code } } }";
    ana.ask(password, json!({})).await;
    let told = verify(&ana, &token, None).await;
    assert_eq!(told["userErrors"][0]["code"], "MAIL_TOKEN_INVALID");
    let data = ana.ask("{ viewer { email } }", json!({})).await;
    assert_eq!(data["viewer"]["email"], "ana@example.com");
}

#[tokio::test]
async fn an_account_that_is_locked_or_being_deleted_proves_nothing() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let ana = app.person("ana").await;
    let token = mailbox.next("ana@example.com", "Confirm").await.token();
    for column in ["locked_at", "deleted_at"] {
        app.meddle(&format!("UPDATE users SET {column} = created_at"))
            .await;
        // With the session that is just about to end, and without.
        for (person, password) in [(&ana, None), (&ana.stranger(), Some(PASSWORD))] {
            let told = verify(person, &token, password).await;
            assert_eq!(told["userErrors"][0]["code"], "MAIL_TOKEN_INVALID");
        }
        app.meddle(&format!("UPDATE users SET {column} = NULL"))
            .await;
    }
    assert!(!is_verified(&ana).await);
    let told = verify(&ana, &token, None).await;
    assert_eq!(told["userErrors"], json!([]), "it is hers to use still");
}
