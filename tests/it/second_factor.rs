//! The second factor: without a code no session, however somebody came to the door.

use std::time::Duration;

use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};

use crate::support::{Mailbox, Person, TestApp};

const ENABLE: &str = "mutation($password: String) { enableTotp(input: {password: $password}) { secret uri userErrors { code field } } }";
const CONFIRM: &str = "mutation($code: String!) { confirmTotp(input: {code: $code}) { user { totpEnabled } recoveryCodes userErrors { code field } } }";
const DISABLE: &str = "mutation($input: DisableTotpInput!) { disableTotp(input: $input) { user { totpEnabled } userErrors { code field } } }";
const REGENERATE: &str = "mutation($input: RegenerateRecoveryCodesInput!) { regenerateRecoveryCodes(input: $input) { recoveryCodes userErrors { code } } }";
const LOGIN: &str = "mutation($password: String!) { login(input: {email: \"ana@example.com\", password: $password}) { \
    user { id } accessToken refreshToken secondFactor { token expiresAt } userErrors { code } } }";
const COMPLETE: &str = "mutation($token: String!, $code: String!) { completeLogin(input: {token: $token, code: $code}) { \
    user { email } accessToken secondFactor { token } userErrors { code field } } }";
const PASSWORD: &str = "correct horse battery";
/// Who waits for a row that somebody else holds.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND wait_event_type = 'Lock'";

/// An authenticator app, which knows a secret and the time.
pub(crate) struct Authenticator<'a>(Vec<u8>, &'a TestApp);

impl Authenticator<'_> {
    fn code(&self) -> String {
        code_at(&self.0, self.1.clock.now())
    }

    /// One that was not shown yet.
    fn next(&self) -> String {
        self.1.clock.advance(Duration::from_secs(30));
        self.code()
    }
}

/// What an app with this secret shows.
pub(crate) fn code_at(secret: &[u8], now: DateTime<Utc>) -> String {
    let step = now.timestamp() / 30;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 0xf);
    let number = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap());
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// A code that is none.
fn other(code: &str) -> String {
    let last = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &code[..5])
}

/// Whether her log tells of something.
async fn is_told(person: &Person, kind: &str) -> bool {
    let log =
        "query($kinds: [ActivityKind!]) { activity(filter: {kinds: $kinds}) { nodes { kind } } }";
    let log = person.ask(log, json!({"kinds": [kind]})).await;
    log["activity"]["nodes"][0]["kind"] == kind
}

/// Switches it on; the app and the recovery codes.
pub(crate) async fn enable<'a>(
    app: &'a TestApp,
    person: &Person,
) -> (Authenticator<'a>, Vec<String>) {
    let data = person.ask(ENABLE, json!({"password": PASSWORD})).await;
    let secret = data["enableTotp"]["secret"].as_str().unwrap();
    let phone = Authenticator(BASE32_NOPAD.decode(secret.as_bytes()).unwrap(), app);
    let data = person.ask(CONFIRM, json!({"code": phone.code()})).await;
    assert_eq!(data["confirmTotp"]["user"]["totpEnabled"], true, "{data}");
    let codes = data["confirmTotp"]["recoveryCodes"].as_array().unwrap();
    let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned());
    (phone, codes.collect())
}

async fn login(person: &Person) -> Value {
    let mut data = person
        .stranger()
        .ask(LOGIN, json!({"password": PASSWORD}))
        .await;
    data["login"].take()
}

/// The token of a sign-in that asks for a code.
async fn asked(person: &Person) -> String {
    let told = login(person).await;
    assert!(
        told["accessToken"].is_null() && told["refreshToken"].is_null(),
        "{told}"
    );
    assert!(told["user"].is_null(), "{told}");
    told["secondFactor"]["token"].as_str().unwrap().to_owned()
}

async fn complete(person: &Person, token: &str, code: &str) -> Value {
    let input = json!({"token": token, "code": code});
    let mut data = person.stranger().ask(COMPLETE, input).await;
    data["completeLogin"].take()
}

fn code(told: &Value) -> &str {
    told["userErrors"][0]["code"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn a_sign_in_takes_a_code_of_the_app_and_each_once() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    for (password, refused) in [
        (None, "INVALID_INPUT"),
        (Some("not this one"), "INVALID_CREDENTIALS"),
    ] {
        let data = ana.ask(ENABLE, json!({"password": password})).await;
        assert_eq!(code(&data["enableTotp"]), refused);
    }
    let early = ana.ask(CONFIRM, json!({"code": "123456"})).await;
    assert_eq!(code(&early["confirmTotp"]), "INVALID_INPUT");
    let begun = ana.ask(ENABLE, json!({"password": PASSWORD})).await;
    let secret = begun["enableTotp"]["secret"].as_str().unwrap();
    let uri = begun["enableTotp"]["uri"].as_str().unwrap();
    assert_eq!(
        uri,
        format!("otpauth://totp/Passbook:ana@example.com?secret={secret}&issuer=Passbook")
    );
    // Until it is confirmed nothing has changed.
    assert!(login(&ana).await["accessToken"].is_string());
    let (phone, _) = enable(&app, &ana).await;
    let his = enable(&app, &bob).await.0;
    let token = asked(&ana).await;
    // It opens nothing by itself.
    let viewer = "{ viewer { email } }";
    assert_eq!(
        ana.with(&token).error(viewer, json!({})).await,
        "UNAUTHENTICATED"
    );
    for wrong in [
        other(&phone.next()),
        his.code(),
        String::new(),
        "12345678".to_owned(),
    ] {
        let told = complete(&ana, &token, &wrong).await;
        assert_eq!(code(&told), "INVALID_CREDENTIALS", "{wrong}");
        assert_eq!(told["userErrors"][0]["field"], json!(["code"]));
    }
    let shown = phone.code();
    let done = complete(&ana, &token, &shown).await;
    assert_eq!(done["user"]["email"], "ana@example.com", "{done}");
    let fresh = ana.with(done["accessToken"].as_str().unwrap());
    fresh.ask(viewer, json!({})).await;
    // Who looked over her shoulder has nothing.
    let told = complete(&ana, &asked(&ana).await, &shown).await;
    assert_eq!(code(&told), "INVALID_CREDENTIALS");
    app.until("activities", "kind = 'second_factor_failed'")
        .await;
    let log = ana
        .ask("{ activity(first: 20) { nodes { kind } } }", json!({}))
        .await
        .to_string();
    assert!(
        log.contains("TOTP_ENABLED") && log.contains("SECOND_FACTOR_FAILED"),
        "{log}"
    );
}

#[tokio::test]
async fn a_recovery_code_stands_in_once() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let (_, codes) = enable(&app, &ana).await;
    let (_, his) = enable(&app, &bob).await;
    assert_eq!(codes.len(), 10);
    let told = complete(&ana, &asked(&ana).await, &his[0]).await;
    assert_eq!(code(&told), "INVALID_CREDENTIALS");
    let typed = codes[0].to_uppercase().replace('-', " ");
    let done = complete(&ana, &asked(&ana).await, &typed).await;
    assert!(done["accessToken"].is_string(), "{done}");
    let told = complete(&ana, &asked(&ana).await, &codes[0]).await;
    assert_eq!(code(&told), "INVALID_CREDENTIALS");
    let log = ana
        .ask(
            "{ activity(first: 20) { nodes { kind detail } } }",
            json!({}),
        )
        .await;
    let used = json!({"kind": "RECOVERY_CODE_USED", "detail": "9 left"});
    assert!(
        log["activity"]["nodes"].as_array().unwrap().contains(&used),
        "{log}"
    );
    let fresh = ana
        .ask(REGENERATE, json!({"input": {"password": PASSWORD}}))
        .await;
    let fresh = fresh["regenerateRecoveryCodes"]["recoveryCodes"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let told = complete(&ana, &asked(&ana).await, &codes[2]).await;
    assert_eq!(code(&told), "INVALID_CREDENTIALS");
    let done = complete(&ana, &asked(&ana).await, &fresh).await;
    assert!(done["accessToken"].is_string(), "{done}");
    assert!(is_told(&ana, "RECOVERY_CODES_REGENERATED").await);
}

#[tokio::test]
async fn five_codes_are_tried_with_a_sign_in_and_then_no_more() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (phone, _) = enable(&app, &ana).await;
    let token = asked(&ana).await;
    for _ in 0..5 {
        let told = complete(&ana, &token, &other(&phone.next())).await;
        assert_eq!(code(&told), "INVALID_CREDENTIALS");
    }
    let told = complete(&ana, &token, &phone.code()).await;
    assert_eq!(code(&told), "RATE_LIMITED");
    // Whoever begins again, which takes the password, may go on; and what is open stays open.
    let done = complete(&ana, &asked(&ana).await, &phone.code()).await;
    assert!(done["accessToken"].is_string(), "{done}");
    ana.ask("{ viewer { id } }", json!({})).await;
}

#[tokio::test]
async fn so_many_codes_are_tried_with_all_sign_ins_of_an_account() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let (phone, codes) = enable(&app, &ana).await;
    let (_, his) = enable(&app, &bob).await;
    let mut told = Vec::new();
    for _ in 0..3 {
        let token = asked(&ana).await;
        for _ in 0..4 {
            let wrong = other(&phone.code());
            told.push(code(&complete(&ana, &token, &wrong).await).to_owned());
        }
    }
    let tried = told.iter().filter(|code| *code == "INVALID_CREDENTIALS");
    assert_eq!((tried.count(), told[10].as_str()), (10, "RATE_LIMITED"));
    let refused = complete(&ana, &asked(&ana).await, &codes[0]).await;
    assert_eq!(code(&refused), "RATE_LIMITED");
    let input = json!({"input": {"code": his[0]}});
    let done = bob.ask(DISABLE, input).await;
    assert_eq!(done["disableTotp"]["userErrors"], json!([]));
    app.clock.advance(Duration::from_mins(4));
    let done = complete(&ana, &asked(&ana).await, &codes[0]).await;
    assert!(done["accessToken"].is_string(), "{done}");
}

#[tokio::test]
async fn a_stolen_session_uses_up_no_code_that_lets_her_in() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (phone, _) = enable(&app, &ana).await;
    let mut told = Vec::new();
    for _ in 0..12 {
        let input = json!({"input": {"code": other(&phone.code())}});
        let data = ana.ask(DISABLE, input).await;
        told.push(code(&data["disableTotp"]).to_owned());
    }
    let tried = told.iter().filter(|code| *code == "INVALID_CREDENTIALS");
    // The tenth was the one that switched it on.
    assert_eq!((tried.count(), told[11].as_str()), (9, "RATE_LIMITED"));
    let done = complete(&ana, &asked(&ana).await, &phone.next()).await;
    assert!(done["accessToken"].is_string(), "{done}");
}

#[tokio::test]
async fn a_code_that_two_bring_at_once_lets_one_of_them_in() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (phone, codes) = enable(&app, &ana).await;
    for shown in [phone.next(), codes[0].clone()] {
        let (one, two) = (asked(&ana).await, asked(&ana).await);
        let (first, second) =
            tokio::join!(complete(&ana, &one, &shown), complete(&ana, &two, &shown));
        let mut told = [code(&first), code(&second)];
        told.sort_unstable();
        assert_eq!(told, ["INVALID_CREDENTIALS", "none"], "{shown}");
    }
    assert_eq!(app.count("SELECT count(*) FROM sessions").await, 3);
}

#[tokio::test]
async fn a_second_factor_that_is_switched_on_meanwhile_is_asked_for() {
    let app = TestApp::with(&[("METRICS_LISTEN", "127.0.0.1:0")]).await;
    let ana = app.person("ana").await;
    let begun = ana.ask(ENABLE, json!({"password": PASSWORD})).await;
    assert!(begun["enableTotp"]["secret"].is_string());
    let sessions = app.count("SELECT count(*) FROM sessions").await;
    // Her row is held by whoever confirms it, and the sign-in has compared the password already.
    let on = "UPDATE users SET totp_enabled_at = created_at";
    let Some(held) = app.hold(on).await else {
        // Elsewhere nobody reads while somebody writes.
        app.meddle(on).await;
        asked(&ana).await;
        return;
    };
    let before = app.hashes().await;
    let confirmed = async {
        while app.hashes().await == before {}
        app.becomes(WAITING, 1).await;
        held.commit().await.unwrap();
    };
    let (token, ()) = tokio::join!(asked(&ana), confirmed);
    assert!(token.starts_with("psf_"), "{token}");
    assert_eq!(app.count("SELECT count(*) FROM sessions").await, sessions);
}

#[tokio::test]
async fn a_password_that_is_changed_while_a_code_is_counted_voids_the_sign_in() {
    let app = TestApp::start().await;
    let (ana, _) = (app.person("ana").await, app.person("bob").await);
    let (phone, _) = enable(&app, &ana).await;
    let token = asked(&ana).await;
    complete(&ana, &token, &other(&phone.code())).await;
    let change = "UPDATE users SET password_hash = 'another' WHERE email_key = 'ana@example.com'";
    let Some(held) = app.hold("UPDATE throttles SET free_at = free_at").await else {
        // Elsewhere nobody reads while somebody writes.
        app.meddle(change).await;
        let told = complete(&ana, &token, &phone.next()).await;
        assert_eq!(code(&told), "SESSION_EXPIRED");
        return;
    };
    let changed = async {
        app.becomes(WAITING, 1).await;
        app.meddle(change).await;
        held.commit().await.unwrap();
    };
    let shown = phone.next();
    let (told, ()) = tokio::join!(complete(&ana, &token, &shown), changed);
    assert_eq!(code(&told), "SESSION_EXPIRED");
}

#[tokio::test]
async fn a_sign_in_is_completed_soon_by_whoever_began_it_or_not_at_all() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let (phone, _) = enable(&app, &ana).await;
    let token = asked(&ana).await;
    for (at, letter) in token.char_indices().skip(4) {
        let mut tampered = token.clone();
        tampered.replace_range(at..=at, if letter == 'A' { "B" } else { "A" });
        let told = complete(&ana, &tampered, "123456").await;
        assert_eq!(code(&told), "SESSION_EXPIRED", "{at}");
    }
    for nothing in ["", "psf_", &bob.refresh_token, &ana.token] {
        assert_eq!(
            code(&complete(&ana, nothing, "123456").await),
            "SESSION_EXPIRED"
        );
    }
    let late = asked(&ana).await;
    app.clock.advance(Duration::from_mins(5));
    assert_eq!(
        code(&complete(&ana, &late, &phone.code()).await),
        "SESSION_EXPIRED"
    );
    // A new password voids what the old one began.
    let token = asked(&ana).await;
    let change = "mutation { changePassword(input: {currentPassword: \"correct horse battery\", \
                  newPassword: \"a better staple\"}) { userErrors { code } } }";
    ana.ask(change, json!({})).await;
    assert_eq!(
        code(&complete(&ana, &token, &phone.next()).await),
        "SESSION_EXPIRED"
    );
}

#[tokio::test]
async fn a_new_password_by_mail_does_not_switch_it_off() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let ana = app.person("ana").await;
    let (phone, _) = enable(&app, &ana).await;
    let verification = mailbox.next("ana@example.com", "Confirm").await.token();
    let verify = "mutation($token: String!) { verifyEmail(input: {token: $token, password: \"correct horse battery\"}) { \
                  accessToken secondFactor { token } userErrors { code } } }";
    let told = ana
        .stranger()
        .ask(verify, json!({"token": verification}))
        .await;
    assert!(told["verifyEmail"]["accessToken"].is_null(), "{told}");
    assert!(
        told["verifyEmail"]["secondFactor"]["token"].is_string(),
        "{told}"
    );
    let request = "mutation { requestPasswordReset(input: {email: \"ana@example.com\"}) { userErrors { code } } }";
    ana.stranger().ask(request, json!({})).await;
    let token = mailbox.next("ana@example.com", "Choose").await.token();
    let reset = "mutation($token: String!) { resetPassword(input: {token: $token, password: \"a better staple\"}) { \
                 accessToken secondFactor { token } userErrors { code } } }";
    let told = ana.stranger().ask(reset, json!({"token": token})).await;
    assert!(told["resetPassword"]["accessToken"].is_null(), "{told}");
    let token = told["resetPassword"]["secondFactor"]["token"]
        .as_str()
        .unwrap();
    let done = complete(&ana, token, &phone.next()).await;
    assert!(done["accessToken"].is_string(), "{done}");
}

#[tokio::test]
async fn it_is_switched_off_by_a_password_or_a_code_and_not_by_a_session_alone() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (phone, codes) = enable(&app, &ana).await;
    let again = ana.ask(ENABLE, json!({"password": PASSWORD})).await;
    assert_eq!(code(&again["enableTotp"]), "INVALID_INPUT");
    for (input, refused) in [
        (json!({}), "INVALID_INPUT"),
        (json!({"password": "not this one"}), "INVALID_CREDENTIALS"),
        (json!({"code": other(&phone.next())}), "INVALID_CREDENTIALS"),
    ] {
        let told = ana.ask(DISABLE, json!({"input": input})).await;
        assert_eq!(code(&told["disableTotp"]), refused);
        let told = ana.ask(REGENERATE, json!({"input": input})).await;
        assert_eq!(code(&told["regenerateRecoveryCodes"]), refused);
    }
    let done = ana
        .ask(DISABLE, json!({"input": {"code": phone.code()}}))
        .await;
    assert_eq!(done["disableTotp"]["user"]["totpEnabled"], false, "{done}");
    assert!(is_told(&ana, "TOTP_DISABLED").await);
    assert!(login(&ana).await["accessToken"].is_string());
    assert_eq!(app.count("SELECT count(*) FROM totps").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM recovery_codes").await, 0);
    // What was of the old one is void with the next.
    let (phone, _) = enable(&app, &ana).await;
    let told = complete(&ana, &asked(&ana).await, &codes[5]).await;
    assert_eq!(code(&told), "INVALID_CREDENTIALS");
    let done = ana
        .ask(DISABLE, json!({"input": {"password": PASSWORD}}))
        .await;
    assert_eq!(done["disableTotp"]["userErrors"], json!([]));
    drop(phone);
    let stranger = ana.stranger();
    assert_eq!(
        stranger.error(ENABLE, json!({"password": PASSWORD})).await,
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn somebody_without_a_password_has_to_have_signed_in_a_moment_ago() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    app.meddle("UPDATE users SET password_hash = ''").await;
    app.clock.advance(Duration::from_mins(11));
    for password in [None, Some("")] {
        let data = ana.ask(ENABLE, json!({"password": password})).await;
        assert_eq!(code(&data["enableTotp"]), "SIGN_IN_AGAIN");
    }
    app.meddle("UPDATE users SET totp_enabled_at = created_at")
        .await;
    for input in [json!({}), json!({"password": ""})] {
        let data = ana.ask(DISABLE, json!({"input": input})).await;
        assert_eq!(code(&data["disableTotp"]), "SIGN_IN_AGAIN");
    }
}

#[tokio::test]
async fn the_secret_moves_to_a_new_key() {
    const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let app = TestApp::with(&[("SECRET_KEY", OLD)]).await;
    let ana = app.person("ana").await;
    let secret = enable(&app, &ana).await.0.0;
    let both = format!("{NEW},{OLD}");
    let app = app.restart_with(&[("SECRET_KEY", &both)]).await;
    app.passes(Duration::from_hours(1), "secrets.rekey").await;
    let app = app.restart_with(&[("SECRET_KEY", NEW)]).await;
    let phone = Authenticator(secret, &app);
    let done = complete(&ana, &asked(&ana).await, &phone.next()).await;
    assert!(done["accessToken"].is_string(), "{done}");
}
