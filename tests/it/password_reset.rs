//! A forgotten password: a mail leads to a new one, and nothing to learn for anybody else.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    second_factor::enable,
    support::{
        Mailbox, Person,
        social::{APP, Spa},
    },
};

const REQUEST: &str = "mutation($email: String!) { requestPasswordReset(input: {email: $email}) { userErrors { code } } }";
const RESET: &str = "mutation($token: String!, $password: String!) { resetPassword(input: {token: $token, \
    password: $password}) { user { email emailVerified } accessToken userErrors { code message field } } }";
const LOGIN: &str = "mutation($password: String!) { login(input: {email: \"ana@example.com\", password: $password}) { \
    accessToken userErrors { code } } }";
const OLD: &str = "correct horse battery";
const NEW: &str = "a better staple";
const SUBJECT: &str = "Choose a new password";

async fn request(person: &Person, email: &str) -> (u16, String) {
    person.raw(REQUEST, json!({"email": email})).await
}

async fn reset(person: &Person, token: &str, password: &str) -> Value {
    let input = json!({"token": token, "password": password});
    let mut data = person.ask(RESET, input).await;
    data["resetPassword"].take()
}

async fn opens(person: &Person, password: &str) -> bool {
    let data = person
        .stranger()
        .ask(LOGIN, json!({"password": password}))
        .await;
    data["login"]["accessToken"].is_string()
}

#[tokio::test]
async fn a_mail_leads_to_a_new_password_and_everybody_is_signed_out() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let mut open = ana
        .watch("subscription { itemUpdated { cursor } }", json!({}))
        .await;
    let nobody = ana.stranger();
    assert_eq!(request(&nobody, "ANA@example.com ").await.0, 200);
    let mail = mailbox.next("ana@example.com", SUBJECT).await;
    assert!(
        mail.text
            .contains("https://app.example.com/reset-password#token=")
    );
    let token = mail.token();
    // A password that will not do costs nothing but another try.
    let weak = reset(&nobody, &token, "password123").await;
    assert_eq!(weak["userErrors"][0]["code"], "WEAK_PASSWORD");
    let done = reset(&nobody, &token, NEW).await;
    assert_eq!(done["userErrors"], json!([]));
    // Whoever has the mail reads what is sent to the address.
    assert_eq!(
        done["user"],
        json!({"email": "ana@example.com", "emailVerified": true})
    );
    let fresh = ana.with(done["accessToken"].as_str().unwrap());
    assert_eq!(open.closed().await, 4403);
    let viewer = "{ viewer { email } }";
    assert_eq!(ana.error(viewer, json!({})).await, "UNAUTHENTICATED");
    assert_eq!(
        fresh.ask(viewer, json!({})).await["viewer"]["email"],
        "ana@example.com"
    );
    assert!(opens(&ana, NEW).await && !opens(&ana, OLD).await);
    mailbox
        .next("ana@example.com", "Your password was changed")
        .await;
    let log = fresh
        .ask("{ activity(first: 20) { nodes { kind } } }", json!({}))
        .await;
    assert!(log.to_string().contains("PASSWORD_RESET"), "{log}");
    bob.ask(viewer, json!({})).await;
}

#[tokio::test]
async fn an_address_nobody_has_answers_alike_and_leaves_nothing() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let ana = app.person("ana").await.stranger();
    mailbox.next("ana@example.com", "Confirm").await;
    let unknown = request(&ana, "bob@example.com").await;
    let known = request(&ana, "ana@example.com").await;
    assert_eq!(unknown, known);
    mailbox.next("ana@example.com", SUBJECT).await;
    app.idle().await;
    assert!(mailbox.left().is_empty());
    let kept = "SELECT count(*) FROM mails WHERE email_key = 'bob@example.com'";
    assert_eq!(app.count(kept).await, 0);
}

#[tokio::test]
async fn a_token_that_is_not_good_answers_one_thing() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let ana = app.person("ana").await.stranger();
    let verification = mailbox.next("ana@example.com", "Confirm").await.token();
    request(&ana, "ana@example.com").await;
    let older = mailbox.next("ana@example.com", SUBJECT).await.token();
    request(&ana, "ana@example.com").await;
    let token = mailbox.next("ana@example.com", SUBJECT).await.token();
    let mut refused = vec![
        reset(&ana, "nonsense", NEW).await,
        reset(&ana, "", NEW).await,
        reset(&ana, &verification, NEW).await,
        reset(&ana, &older, NEW).await,
        // The mail of one with the proof of another.
        reset(&ana, &format!("{}{}", &token[..30], &older[30..]), NEW).await,
        reset(&ana, &format!("{token}A"), NEW).await,
        reset(&ana, &"x".repeat(5_000), NEW).await,
    ];
    for at in 4..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let tampered = String::from_utf8(bytes).unwrap();
        refused.push(reset(&ana, &tampered, NEW).await);
    }
    assert!(opens(&ana, OLD).await);
    assert_eq!(reset(&ana, &token, NEW).await["userErrors"], json!([]));
    refused.push(reset(&ana, &token, "yet another one").await);
    app.clock.advance(Duration::from_mins(21));
    request(&ana, "ana@example.com").await;
    let late = mailbox.next("ana@example.com", SUBJECT).await.token();
    app.clock.advance(Duration::from_hours(1));
    refused.push(reset(&ana, &late, "yet another one").await);
    assert_eq!(refused[0]["userErrors"][0]["code"], "MAIL_TOKEN_INVALID");
    for (at, told) in refused.iter().enumerate() {
        assert_eq!(told, &refused[0], "{at}");
    }
    assert!(opens(&ana, NEW).await);
}

#[tokio::test]
async fn of_two_who_use_a_token_at_once_one_does() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let ana = app.person("ana").await.stranger();
    request(&ana, "ana@example.com").await;
    let token = mailbox.next("ana@example.com", SUBJECT).await.token();
    let (one, other) = tokio::join!(
        reset(&ana, &token, NEW),
        reset(&ana, &token, "not a better one")
    );
    let in_by = |told: &Value| usize::from(told["accessToken"].is_string());
    assert_eq!(in_by(&one) + in_by(&other), 1, "{one} {other}");
    let codes = [&one, &other].map(|told| told["userErrors"][0]["code"].clone());
    assert!(codes.contains(&json!("MAIL_TOKEN_INVALID")), "{codes:?}");
}

#[tokio::test]
async fn a_mail_to_an_address_the_account_has_left_opens_nothing() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let ana = app.person("ana").await;
    request(&ana, "ana@example.com").await;
    let token = mailbox.next("ana@example.com", SUBJECT).await.token();
    let change = "mutation { changeEmail(input: {email: \"lima@example.com\", password: \"correct horse battery\"}) { \
                  userErrors { code } } }";
    ana.ask(change, json!({})).await;
    let proof = mailbox
        .next("lima@example.com", "Confirm your new")
        .await
        .token();
    let verify =
        "mutation($token: String!) { verifyEmail(input: {token: $token}) { userErrors { code } } }";
    ana.ask(verify, json!({"token": proof})).await;
    let told = reset(&ana.stranger(), &token, NEW).await;
    assert_eq!(told["userErrors"][0]["code"], "MAIL_TOKEN_INVALID");
    ana.ask("{ viewer { id } }", json!({})).await;
}

#[tokio::test]
async fn whoever_took_an_address_first_has_no_way_in_once_its_owner_comes() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let app = app.restart_with(&[("REDIRECT_URIS", APP)]).await;
    // Eve registers Ana's address, which nobody proves, and makes herself at home.
    let eve = app.person("ana").await;
    let linked = Spa::open().link(&eve, "eve").await;
    assert_eq!(linked["userErrors"], json!([]));
    enable(&app, &eve).await;
    let nobody = eve.stranger();
    request(&nobody, "ana@example.com").await;
    let token = mailbox.next("ana@example.com", SUBJECT).await.token();
    let done = reset(&nobody, &token, NEW).await;
    let ana = nobody.with(done["accessToken"].as_str().unwrap());
    let mine = "{ viewer { totpEnabled identities { id } } }";
    assert_eq!(
        ana.ask(mine, json!({})).await["viewer"],
        json!({"totpEnabled": false, "identities": []})
    );
    let told = Spa::open().complete(&nobody, "eve").await;
    assert_eq!(
        told["user"]["email"], "eve@example.com",
        "an account of her own"
    );
}

#[tokio::test]
async fn a_mail_changes_nothing_about_a_locked_account() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let ana = app.person("ana").await;
    let nobody = ana.stranger();
    request(&nobody, "ana@example.com").await;
    let token = mailbox.next("ana@example.com", SUBJECT).await.token();
    app.meddle("UPDATE users SET locked_at = created_at").await;
    let told = reset(&nobody, &token, NEW).await;
    assert_eq!(told["userErrors"][0]["code"], "MAIL_TOKEN_INVALID");
    app.meddle("UPDATE users SET locked_at = NULL").await;
    assert!(opens(&ana, OLD).await && !opens(&ana, NEW).await);
}

#[tokio::test]
async fn a_new_password_takes_back_what_was_asked_for_with_the_old_one() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let ana = app.person("ana").await;
    let verify = "mutation($token: String!) { verifyEmail(input: {token: $token, password: \"a better staple\"}) { \
                  accessToken userErrors { code } } }";
    let change = "mutation($password: String!) { changeEmail(input: {email: \"eve@example.com\", password: $password}) \
                  { userErrors { code } } }";
    // Somebody who knows the old one moves the account to herself; the owner sets a new one by mail.
    let asked = ana.ask(change, json!({"password": OLD})).await;
    assert_eq!(asked["changeEmail"]["userErrors"], json!([]));
    let theirs = mailbox.next("eve@example.com", "Confirm").await.token();
    request(&ana, "ana@example.com").await;
    let token = mailbox.next("ana@example.com", SUBJECT).await.token();
    let done = reset(&ana.stranger(), &token, NEW).await;
    let ana = ana.with(done["accessToken"].as_str().unwrap());
    let told = ana.stranger().ask(verify, json!({"token": theirs})).await;
    let told = &told["verifyEmail"]["userErrors"][0]["code"];
    assert_eq!(told, "MAIL_TOKEN_INVALID");
    // So it is where she changes it herself, and with mails that reset it.
    request(&ana, "ana@example.com").await;
    let token = mailbox.next("ana@example.com", SUBJECT).await.token();
    let changed = ana
        .ask(
            "mutation { changePassword(input: {currentPassword: \"a better staple\", newPassword: \"four odd words here\"}) \
             { userErrors { code } } }",
            json!({}),
        )
        .await;
    assert_eq!(changed["changePassword"]["userErrors"], json!([]));
    let told = reset(&ana.stranger(), &token, OLD).await;
    assert_eq!(told["userErrors"][0]["code"], "MAIL_TOKEN_INVALID");
    assert!(opens(&ana, "four odd words here").await);
}
