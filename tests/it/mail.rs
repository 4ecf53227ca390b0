//! Mail leaves by a job: late if it has to, once it can, and to nobody but whom it is for.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Mailbox, Person, TestApp};

const VERIFY: &str =
    "mutation { requestEmailVerification { user { emailVerified } userErrors { code message } } }";
const RESET: &str = "mutation($email: String!) { requestPasswordReset(input: {email: $email}) { \
    userErrors { code message field } } }";

async fn ask(person: &Person, email: &str) -> Value {
    let mut data = person.ask(RESET, json!({"email": email})).await;
    data["requestPasswordReset"]["userErrors"].take()
}

#[tokio::test]
async fn a_mail_waits_for_a_mail_server_that_is_away() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    mailbox.answers(451);
    let ana = app.person("ana").await;
    app.until("jobs", "kind = 'mail.send' AND state = 'waiting'")
        .await;
    assert!(mailbox.left().is_empty());
    mailbox.answers(0);
    app.clock.advance(Duration::from_mins(1));
    let mail = mailbox.next("ana@example.com", "Confirm").await;
    assert!(
        mail.text
            .contains("https://app.example.com/verify-email#token=")
    );
    for line in [
        "From: Passbook <passbook@example.com>",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/plain",
    ] {
        assert!(mail.head.contains(line), "{line}: {}", mail.head);
    }
    app.idle().await;
    assert!(mailbox.left().is_empty(), "once");
    let data = ana.ask("{ viewer { emailVerified } }", json!({})).await;
    assert_eq!(data["viewer"]["emailVerified"], false);
}

#[tokio::test]
async fn an_address_nobody_has_is_given_up_and_not_written_down() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    mailbox.answers(550);
    let _ana = app.person("ana").await;
    app.until("jobs", "kind = 'mail.send' AND state = 'dead'")
        .await;
    let said = "SELECT count(*) FROM jobs WHERE kind = 'mail.send' AND last_error LIKE '%550%' \
                AND last_error NOT LIKE '%example.com%'";
    assert_eq!(app.count(said).await, 1);
}

#[tokio::test]
async fn nothing_but_one_address_gets_a_mail() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("verified").await;
    let stranger = Person::nobody(&app.url);
    let register = "mutation($email: String!) { register(input: {email: $email, password: \"correct horse battery\"}) { \
                    verificationSent userErrors { code field } } }";
    for email in [
        "ana@example.com\r\nBcc: eve@example.com",
        "ana@example.com\nBcc: eve@example.com",
        "ana@example.com, eve@example.com",
        "Ana <ana@example.com>",
        "ana@example.com\0",
    ] {
        let told = stranger.ask(register, json!({"email": email})).await;
        let wanted = json!({"verificationSent": false, "userErrors": [{"code": "INVALID_INPUT", "field": ["email"]}]});
        assert_eq!(told["register"], wanted, "{email:?}");
        let told = ask(&stranger, email).await;
        assert_eq!(told[0]["code"], "INVALID_INPUT", "{email:?}");
    }
    assert_eq!(app.count("SELECT count(*) FROM mails").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM registrations").await, 0);
}

#[tokio::test]
async fn without_a_mail_server_it_is_said_what_is_missing() {
    let real = [
        ("PLAID_ENV", "sandbox"),
        ("PLAID_CLIENT_ID", "abc"),
        ("PLAID_SECRET", "def"),
    ];
    let app = TestApp::with(&real).await;
    let ana = app.person("ana").await;
    let told = ana.ask(VERIFY, json!({})).await;
    let told = &told["requestEmailVerification"]["userErrors"][0];
    assert_eq!(told["code"], "NOT_OFFERED");
    assert!(told["message"].as_str().unwrap().contains("SMTP_URL"));
    let change = "mutation { changeEmail(input: {email: \"a@b.example\", password: \"correct horse battery\"}) { \
                  userErrors { code } } }";
    let told = ana.ask(change, json!({})).await;
    assert_eq!(told["changeEmail"]["userErrors"][0]["code"], "NOT_OFFERED");
    for email in ["ana@example.com", "bob@example.com"] {
        assert_eq!(ask(&ana.stranger(), email).await[0]["code"], "NOT_OFFERED");
    }
    assert_eq!(app.count("SELECT count(*) FROM mails").await, 0);
}

#[tokio::test]
async fn nobody_is_buried_in_mail() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let ana = app.person("ana").await.stranger();
    // Somebody who has an account and somebody who has none: told apart by nothing.
    for email in ["ana@example.com", "nobody@example.com"] {
        for _ in 0..3 {
            assert_eq!(ask(&ana, email).await, json!([]), "{email}");
        }
        assert_eq!(ask(&ana, email).await[0]["code"], "RATE_LIMITED", "{email}");
    }
    app.clock.advance(Duration::from_mins(21));
    assert_eq!(ask(&ana, "ana@example.com").await, json!([]));
}

#[tokio::test]
async fn what_is_over_is_forgotten() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    app.person("ana").await;
    mailbox.next("ana@example.com", "Confirm").await;
    let app = app.restart_with(&[("REGISTRATION", "verified")]).await;
    let register = "mutation { register(input: {email: \"bob@example.com\", password: \"correct horse battery\"}) { \
                    verificationSent } }";
    Person::nobody(&app.url).ask(register, json!({})).await;
    mailbox.next("bob@example.com", "Confirm").await;
    app.idle().await;
    assert_eq!(app.count("SELECT count(*) FROM mails").await, 2);
    app.passes(Duration::from_hours(25), "auth.prune").await;
    assert_eq!(app.count("SELECT count(*) FROM registrations").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM mails").await, 0);
}
