//! Registering where an address has to be proven first: nobody learns who has an account, and nobody gets one with
//! somebody else's password.

use serde_json::{Value, json};

use crate::support::{Mailbox, Person, TestApp};

const REGISTER: &str = "mutation($email: String!, $password: String!) { register(input: {email: $email, \
    password: $password, firstName: \"Ana\"}) { user { id } accessToken verificationSent userErrors { code message field } } }";
const VERIFY: &str = "mutation($token: String!, $password: String) { verifyEmail(input: {token: $token, \
    password: $password}) { user { email emailVerified firstName } accessToken userErrors { code } } }";
const LOGIN: &str = "mutation($email: String!, $password: String!) { login(input: {email: $email, \
    password: $password}) { accessToken userErrors { code } } }";
const HERS: &str = "correct horse battery";
const EVES: &str = "wrong mule accumulator";

async fn register(person: &Person, email: &str, password: &str) -> (u16, String) {
    let input = json!({"email": email, "password": password});
    person.raw(REGISTER, input).await
}

async fn verify(person: &Person, token: &str, password: Option<&str>) -> Value {
    let input = json!({"token": token, "password": password});
    let mut data = person.ask(VERIFY, input).await;
    data["verifyEmail"].take()
}

async fn opens(person: &Person, password: &str) -> bool {
    let input = json!({"email": "ana@example.com", "password": password});
    let data = person.ask(LOGIN, input).await;
    data["login"]["accessToken"].is_string()
}

#[tokio::test]
async fn an_account_begins_when_its_address_is_proven() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("verified").await;
    let ana = Person::nobody(&app.url);
    let (status, text) = register(&ana, "Ana@example.com", HERS).await;
    assert_eq!(status, 200);
    assert!(text.contains("\"verificationSent\":true"), "{text}");
    assert!(text.contains("\"accessToken\":null"), "{text}");
    let token = mailbox.next("Ana@example.com", "Confirm").await.token();
    assert!(!opens(&ana, HERS).await);
    assert_eq!(app.count("SELECT count(*) FROM users").await, 0);
    let told = verify(&ana, &token, None).await;
    assert_eq!(told["userErrors"][0]["code"], "INVALID_CREDENTIALS");
    let told = verify(&ana, &token, Some(HERS)).await;
    let user = json!({"email": "Ana@example.com", "emailVerified": true, "firstName": "Ana"});
    assert_eq!(told["user"], user);
    let ana = ana.with(told["accessToken"].as_str().unwrap());
    let log = ana
        .ask("{ activity(first: 5) { nodes { kind } } }", json!({}))
        .await;
    assert_eq!(log["activity"]["nodes"], json!([{"kind": "REGISTERED"}]));
    let again = verify(&ana.stranger(), &token, Some(HERS)).await;
    assert_eq!(again["userErrors"][0]["code"], "MAIL_TOKEN_INVALID");
    assert!(opens(&ana.stranger(), HERS).await);
}

#[tokio::test]
async fn who_has_not_come_before_the_door_is_closed_stays_outside() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("verified").await;
    let ana = Person::nobody(&app.url);
    register(&ana, "ana@example.com", HERS).await;
    let token = mailbox.next("ana@example.com", "Confirm").await.token();
    let app = app.restart_with(&[("REGISTRATION", "closed")]).await;
    let told = verify(&ana, &token, Some(HERS)).await;
    assert_eq!(told["userErrors"][0]["code"], "NOT_OFFERED");
    assert_eq!(app.count("SELECT count(*) FROM users").await, 0);
}

#[tokio::test]
async fn a_fresh_address_and_a_taken_one_answer_alike_and_cost_the_same() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    app.person("ana").await;
    mailbox.next("ana@example.com", "Confirm").await;
    let app = app
        .restart_with(&[
            ("REGISTRATION", "verified"),
            ("METRICS_LISTEN", "127.0.0.1:0"),
        ])
        .await;
    let eve = Person::nobody(&app.url);
    let mut answers = Vec::new();
    let mut hashes = Vec::new();
    for email in ["ANA@example.com", "ana@example.com ", "bob@example.com"] {
        let before = app.hashes().await;
        answers.push(register(&eve, email, EVES).await);
        hashes.push(app.hashes().await - before);
    }
    assert_eq!(hashes, [1, 1, 1]);
    assert!(
        answers.iter().all(|told| *told == answers[0]),
        "{answers:?}"
    );
    // Only who reads the mail learns which it was.
    for _ in 0..2 {
        let mail = mailbox
            .next("ana@example.com", "You have an account already")
            .await;
        assert!(!mail.text.contains("token"), "{}", mail.text);
    }
    mailbox.next("bob@example.com", "Confirm").await;
    app.idle().await;
    assert!(mailbox.left().is_empty());
    assert_eq!(app.count("SELECT count(*) FROM users").await, 1);
    assert!(opens(&eve, HERS).await);
}

#[tokio::test]
async fn nobody_gets_an_account_with_a_strangers_password_in_it() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("verified").await;
    let ana = Person::nobody(&app.url);
    // Eve was first, with Ana's address and a password of her own.
    register(&ana, "ana@example.com", EVES).await;
    let eves = mailbox.next("ana@example.com", "Confirm").await.token();
    register(&ana, "ana@example.com", HERS).await;
    let hers = mailbox.next("ana@example.com", "Confirm").await.token();
    // Ana opens Eve's mail, and then her own.
    let told = verify(&ana, &eves, Some(HERS)).await;
    assert_eq!(told["userErrors"][0]["code"], "INVALID_CREDENTIALS");
    assert_eq!(app.count("SELECT count(*) FROM users").await, 0);
    let told = verify(&ana, &hers, Some(HERS)).await;
    assert_eq!(told["userErrors"], json!([]));
    // What is left of Eve's leads nowhere, even for somebody who has both.
    let told = verify(&ana, &eves, Some(EVES)).await;
    assert_eq!(told["userErrors"][0]["code"], "EMAIL_TAKEN");
    assert!(opens(&ana, HERS).await && !opens(&ana, EVES).await);
}

#[tokio::test]
async fn a_password_is_guessed_at_with_a_mail_five_times() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("verified").await;
    let ana = Person::nobody(&app.url);
    register(&ana, "ana@example.com", HERS).await;
    let token = mailbox.next("ana@example.com", "Confirm").await.token();
    for _ in 0..5 {
        let told = verify(&ana, &token, Some(EVES)).await;
        assert_eq!(told["userErrors"][0]["code"], "INVALID_CREDENTIALS");
    }
    let told = verify(&ana, &token, Some(HERS)).await;
    assert_eq!(told["userErrors"][0]["code"], "RATE_LIMITED");
    app.clock.advance(std::time::Duration::from_secs(13));
    let told = verify(&ana, &token, Some(HERS)).await;
    assert_eq!(told["userErrors"], json!([]));
}

#[tokio::test]
async fn a_server_that_is_closed_takes_nobody_new() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let app = app.restart_with(&[("REGISTRATION", "closed")]).await;
    let eve = Person::nobody(&app.url);
    let mut answers = Vec::new();
    for email in ["ana@example.com", "bob@example.com", "nonsense"] {
        answers.push(register(&eve, email, EVES).await);
    }
    assert!(answers[0].1.contains("NOT_OFFERED"), "{answers:?}");
    assert!(
        answers.iter().all(|told| *told == answers[0]),
        "{answers:?}"
    );
    assert!(opens(&eve, HERS).await, "who is there stays");
}
