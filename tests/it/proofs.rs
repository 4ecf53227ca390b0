//! What somebody has proven holds until it is used: a password that is changed, or a session that is ended, between
//! the look and the deed proves nothing any more.

use serde_json::{Value, json};

use crate::{
    second_factor::enable,
    support::{
        Mailbox, Person, TestApp,
        social::{APP, START, Spa},
        while_hashing, with_one_hasher,
    },
};

const PASSWORD: &str = "correct horse battery";
/// Each is asked for with the right password.
const DEEDS: &[(&str, &str)] = &[
    (
        "enableTotp",
        "enableTotp(input: {password: $password}) { secret ",
    ),
    (
        "disableTotp",
        "disableTotp(input: {password: $password}) { user { totpEnabled } ",
    ),
    (
        "regenerateRecoveryCodes",
        "regenerateRecoveryCodes(input: {password: $password}) { recoveryCodes ",
    ),
    (
        "changeEmail",
        "changeEmail(input: {email: \"other@example.com\", password: $password}) { user { email } ",
    ),
    (
        "deleteAccount",
        "deleteAccount(input: {password: $password}) { deletedUserId ",
    ),
];

async fn server(mailbox: &Mailbox) -> TestApp {
    TestApp::with(&[
        ("SMTP_URL", &mailbox.url("")),
        ("MAIL_FROM", "Passbook <passbook@example.com>"),
        ("APP_URL", "https://app.example.com"),
        ("REGISTRATION", "open"),
        ("REDIRECT_URIS", APP),
        ("METRICS_LISTEN", "127.0.0.1:0"),
    ])
    .await
}

/// Somebody with the second factor on where the deed needs it.
async fn somebody(app: &TestApp, deed: &str) -> Person {
    let person = app.person(deed).await;
    if ["disableTotp", "regenerateRecoveryCodes"].contains(&deed) {
        enable(app, &person).await;
    }
    person
}

/// As another password would be set meanwhile: `echo -n password | argon2 somesalt -id -m 16 -t 1`.
fn another_password(name: &str) -> String {
    format!(
        "UPDATE users SET password_hash = '$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg' \
         WHERE email_key = '{}@example.com'",
        name.to_lowercase()
    )
}

/// How things stand that the deeds would change.
async fn state(app: &TestApp) -> Vec<i64> {
    let mut state = Vec::new();
    for sql in [
        "SELECT count(*) FROM totps",
        "SELECT count(*) FROM recovery_codes",
        "SELECT count(*) FROM mails WHERE kind = 'change_email'",
        "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL",
        "SELECT count(*) FROM users WHERE email_verified_at IS NOT NULL",
        "SELECT count(*) FROM login_attempts",
        "SELECT count(*) FROM sessions WHERE revoked_at IS NULL",
    ] {
        state.push(app.count(sql).await);
    }
    state
}

#[test]
fn a_password_that_is_changed_meanwhile_proves_nothing() {
    with_one_hasher(async {
        let mailbox = Mailbox::open().await;
        let app = server(&mailbox).await;
        for (name, field) in DEEDS {
            let person = somebody(&app, name).await;
            let document =
                format!("mutation($password: String!) {{ {field} userErrors {{ code }} }} }}");
            let before = state(&app).await;
            let asked = person.ask(&document, json!({"password": PASSWORD}));
            let told = while_hashing(&app, asked, &another_password(name)).await;
            let code = &told[name]["userErrors"][0]["code"];
            assert_eq!(code, "INVALID_CREDENTIALS", "{told}");
            assert_eq!(state(&app).await, before, "{name}");
        }
        let person = app.person("linker").await;
        let before = state(&app).await;
        let asked = person.ask(START, json!({"input": Spa::open().input(true)}));
        let told = while_hashing(&app, asked, &another_password("linker")).await;
        assert_eq!(
            told["startSocialLogin"]["userErrors"],
            json!([{"code": "INVALID_CREDENTIALS", "field": ["password"]}])
        );
        assert_eq!(state(&app).await, before);
    });
}

#[test]
fn nor_does_it_let_anybody_in() {
    with_one_hasher(async {
        let mailbox = Mailbox::open().await;
        let app = server(&mailbox).await;
        let ana = app.person("ana").await;
        app.person("bob").await;
        let token = mailbox.next("ana@example.com", "Confirm").await.token();
        let before = state(&app).await;
        let verify = "mutation($token: String!, $password: String!) { verifyEmail(input: {token: $token, \
                      password: $password}) { accessToken userErrors { code } } }";
        let login = "mutation($password: String!) { login(input: {email: \"ana@example.com\", password: $password}) \
                     { accessToken userErrors { code } } }";
        for (name, document) in [("verifyEmail", verify), ("login", login)] {
            let stranger = ana.stranger();
            let asked = stranger.ask(document, json!({"token": token, "password": PASSWORD}));
            let told = while_hashing(&app, asked, &another_password("ana")).await;
            let refused =
                json!({"accessToken": null, "userErrors": [{"code": "INVALID_CREDENTIALS"}]});
            assert_eq!(told[name], refused);
            assert_eq!(state(&app).await, before, "{name}");
            // Hers again, for the next: it is his too.
            app.meddle(
                "UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE email_key = 'bob@example.com') \
                 WHERE email_key = 'ana@example.com'",
            )
            .await;
        }
    });
}

#[test]
fn a_session_that_is_ended_meanwhile_does_nothing_more() {
    with_one_hasher(async {
        let mailbox = Mailbox::open().await;
        let app = server(&mailbox).await;
        for (name, field) in DEEDS {
            let person = somebody(&app, name).await;
            let document =
                format!("mutation($password: String!) {{ {field} userErrors {{ code }} }} }}");
            let end = format!(
                "UPDATE sessions SET revoked_at = created_at, revoked_reason = 'logout' WHERE user_id = \
                 (SELECT id FROM users WHERE email_key = '{}@example.com')",
                name.to_lowercase()
            );
            let asked = person.answer(&document, json!({"password": PASSWORD}));
            let told: Value = while_hashing(&app, asked, &end).await;
            let code = &told["errors"][0]["extensions"]["code"];
            assert_eq!(code, "UNAUTHENTICATED", "{name}: {told}");
        }
        let gone = "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL OR email_key = 'other@example.com'";
        assert_eq!(app.count(gone).await, 0);
        assert_eq!(app.count("SELECT count(*) FROM recovery_codes").await, 20);
    });
}
