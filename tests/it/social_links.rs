//! An identity as a way in that lasts: who can add one, who is told, and what it leaves her.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    second_factor::code_at,
    social::{code_of, kinds},
    support::{
        Bank, Mailbox, Person, TestApp,
        social::{self, APP, Browser, LINK, START, Spa},
    },
};

const EXCHANGE: &str = "/item/public_token/exchange";
const UNLINK: &str =
    "mutation($id: ID!) { unlinkIdentity(input: {identityId: $id}) { userErrors { code field } } }";
const MINE: &str = "{ viewer { identities { id issuer } } }";

/// A server whose app is registered, and that sends mail.
async fn start(mailbox: &Mailbox) -> TestApp {
    TestApp::with(&[
        ("REDIRECT_URIS", APP),
        ("SMTP_URL", &mailbox.url("")),
        ("MAIL_FROM", "passbook@example.com"),
        ("APP_URL", "https://app.example.com"),
        ("REGISTRATION", "open"),
    ])
    .await
}

/// What sets a new password for ana, as who reads her mail can.
async fn token(app: &TestApp, mailbox: &Mailbox) -> String {
    let request = "mutation { requestPasswordReset(input: {email: \"ana@example.com\"}) { userErrors { code } } }";
    Person::nobody(&app.url).ask(request, json!({})).await;
    mailbox.next("ana@example.com", "Choose").await.token()
}

/// Sets it, and lets her in.
async fn reset(app: &TestApp, token: &str) -> Person {
    let nobody = Person::nobody(&app.url);
    let set = "mutation($token: String!) { resetPassword(input: {token: $token, password: \"a better staple\"}) { \
               accessToken userErrors { code } } }";
    let done = nobody.ask(set, json!({"token": token})).await;
    nobody.with(done["resetPassword"]["accessToken"].as_str().unwrap())
}

/// A request that exchanges something first, which takes until what happens `meanwhile` is over, and then does `then`.
/// What it was answered.
async fn slowly(
    app: &TestApp,
    thief: &Person,
    then: &str,
    meanwhile: impl Future<Output = ()>,
) -> Value {
    let webhook = format!("{}/webhooks/plaid", app.url);
    let token = app.bank.public_token("user_good", &webhook).await;
    let slow = json!({"kind": "latency", "ms": 3_000, "endpoint": EXCHANGE});
    app.bank.faults(json!([slow])).await;
    let document = format!(
        "mutation($t: String!) {{ exchangePublicToken(input: {{publicToken: $t}}) {{ item {{ id }} }} {then} }}"
    );
    let meanwhile = async {
        app.until("exchanges", "started_at IS NOT NULL").await;
        meanwhile.await;
    };
    tokio::join!(thief.answer(&document, json!({"t": token})), meanwhile).0
}

/// What links somebody's identity, as part of a document.
async fn link(thief: &Person) -> String {
    let spa = Spa::open();
    let seen = spa.through(thief, true, "eve").await;
    let (code, verifier) = (seen.word("code").unwrap(), &spa.verifier);
    format!(
        "linkIdentity(input: {{code: \"{code}\", codeVerifier: \"{verifier}\"}}) {{ identity {{ id }} \
         userErrors {{ code }} }}"
    )
}

#[tokio::test]
async fn what_was_begun_before_a_reset_links_nothing_after_it() {
    let mailbox = Mailbox::open().await;
    let app = start(&mailbox).await;
    // Somebody who registered with her address before she came, and is at it still.
    let thief = app.person("ana").await;
    let link = link(&thief).await;
    // One that is on its way while she comes.
    let way = Spa::open().start(&thief, true).await;
    let token = token(&app, &mailbox).await;
    let meanwhile = async { drop(reset(&app, &token).await) };
    let answer = slowly(&app, &thief, &link, meanwhile).await;
    let linked = &answer["data"]["linkIdentity"];
    assert_eq!(code_of(linked), "SOCIAL_LOGIN_INVALID", "{answer}");
    assert_eq!(app.count("SELECT count(*) FROM identities").await, 0);
    assert_eq!(app.count("SELECT count(*) FROM login_attempts").await, 0);
    assert_eq!(Browser::open().get(&way).await.status, 400);
}

#[tokio::test]
async fn a_request_whose_session_was_ended_meanwhile_links_nothing() {
    let app = social::start().await;
    let thief = app.person("ana").await;
    let (link, ana) = (link(&thief).await, app.device("ana").await);
    let leave = "mutation { logoutEverywhere { userErrors { code } } }";
    let meanwhile = async { drop(ana.ask(leave, json!({})).await) };
    let answer = slowly(&app, &thief, &link, meanwhile).await;
    assert_eq!(
        answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
        "{answer}"
    );
    assert_eq!(app.count("SELECT count(*) FROM identities").await, 0);
}

#[tokio::test]
async fn a_request_whose_session_was_ended_meanwhile_switches_no_second_factor_on() {
    let mailbox = Mailbox::open().await;
    let app = start(&mailbox).await;
    let thief = app.person("ana").await;
    let enable = "mutation { enableTotp(input: {password: \"correct horse battery\"}) { secret } }";
    let begun = thief.ask(enable, json!({})).await;
    let secret = begun["enableTotp"]["secret"].as_str().unwrap().as_bytes();
    let secret = data_encoding::BASE32_NOPAD.decode(secret).unwrap();
    // She has proven her address long ago: then a reset leaves what is half done.
    app.meddle("UPDATE users SET email_verified_at = created_at")
        .await;
    let token = token(&app, &mailbox).await;
    let code = code_at(&secret, app.clock.now());
    let confirm = format!(
        "confirmTotp(input: {{code: \"{code}\"}}) {{ recoveryCodes userErrors {{ code }} }}"
    );
    let meanwhile = async { drop(reset(&app, &token).await) };
    let answer = slowly(&app, &thief, &confirm, meanwhile).await;
    assert_eq!(
        answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED",
        "{answer}"
    );
    let on = "SELECT count(*) FROM users WHERE totp_enabled_at IS NOT NULL";
    assert_eq!(app.count(on).await, 0);
}

#[tokio::test]
async fn whoever_is_linked_or_unlinked_is_told_by_mail() {
    let mailbox = Mailbox::open().await;
    let app = start(&mailbox).await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let linked = Spa::open().link(&ana, "eve").await;
    let mail = mailbox
        .next("ana@example.com", "An account elsewhere was linked")
        .await;
    assert!(mail.text.contains("If it was not you"), "{}", mail.text);
    // One that she has already is no news.
    Spa::open().link(&ana, "eve").await;
    let id = &linked["identity"]["id"];
    // A stranger tells nobody anything.
    bob.ask(UNLINK, json!({"id": id})).await;
    Spa::open().link(&bob, "eve").await;
    ana.ask(UNLINK, json!({"id": id})).await;
    mailbox
        .next("ana@example.com", "An account elsewhere was unlinked")
        .await;
    app.idle().await;
    let more = mailbox.left();
    assert!(
        !more.iter().any(|mail| mail.head.contains("elsewhere")),
        "{more:?}"
    );
}

#[tokio::test]
async fn an_identity_of_a_provider_that_is_gone_is_no_way_in() {
    let bank = Bank::open().await;
    let issuer = |name: &str| format!("{}/oidc/{name}", bank.url());
    let (one, two) = (issuer("sandbox"), issuer("two"));
    let both = [
        ("REDIRECT_URIS", APP),
        ("OIDC_PROVIDERS", "sandbox,two"),
        ("OIDC_SANDBOX_ISSUER", &one),
        ("OIDC_SANDBOX_CLIENT_ID", "a"),
        ("OIDC_SANDBOX_CLIENT_SECRET", "b"),
        ("OIDC_TWO_ISSUER", &two),
        ("OIDC_TWO_CLIENT_ID", "a"),
        ("OIDC_TWO_CLIENT_SECRET", "b"),
    ];
    let app = TestApp::beside(&bank, &both).await;
    let nobody = Person::nobody(&app.url);
    let told = Spa::open().complete(&nobody, "ana").await;
    let ana = nobody.with(told["accessToken"].as_str().unwrap());
    let spa = Spa::open();
    let mut input = spa.input(true);
    input["provider"] = json!("two");
    let url = ana.ask(START, json!({"input": input})).await;
    let url = url["startSocialLogin"]["authorizationUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    let browser = Browser::open();
    let back = browser.sign_in(&url, "ana").await;
    let code = browser.get(&back).await.word("code").unwrap();
    let linked = ana.ask(LINK, spa.redeem(&code)).await;
    assert_eq!(linked["linkIdentity"]["userErrors"], json!([]), "{linked}");
    // The operator gives one of them up, and another server has its name now.
    let app = app
        .restart_with(&[("OIDC_TWO_ISSUER", &issuer("three"))])
        .await;
    let mine = ana.ask(MINE, json!({})).await["viewer"]["identities"].take();
    let id_of = |issuer: &str| {
        let all = mine.as_array().unwrap();
        let found = all.iter().find(|one| one["issuer"] == issuer);
        found.unwrap()["id"].clone()
    };
    let kept = ana.ask(UNLINK, json!({"id": id_of(&one)})).await;
    assert_eq!(
        kept["unlinkIdentity"]["userErrors"][0]["code"], "LAST_SIGN_IN",
        "{kept}"
    );
    // What opens nothing may always go.
    let gone = ana.ask(UNLINK, json!({"id": id_of(&two)})).await;
    assert_eq!(gone["unlinkIdentity"]["userErrors"], json!([]));
    assert_eq!(app.count("SELECT count(*) FROM identities").await, 1);
}

#[tokio::test]
async fn what_an_issuer_knows_fills_what_she_left_empty_and_changes_nothing() {
    let app = social::start().await;
    let ana = app.person("ana").await;
    let profile = "{ viewer { firstName lastName birthDate email } }";
    let empty = "mutation { updateProfile(input: {firstName: \"Anna\", lastName: null, birthDate: null}) { \
                 userErrors { code } } }";
    ana.ask(empty, json!({})).await;
    Spa::open().link(&ana, "eve").await;
    let known = ana.ask(profile, json!({})).await["viewer"].take();
    let wanted = json!({
        "firstName": "Anna", "lastName": "Sandbox", "birthDate": "1990-02-28", "email": "ana@example.com",
    });
    assert_eq!(known, wanted);
    app.clock.advance(Duration::from_secs(1));
    app.bank
        .issuers(json!({"claims": {"family_name": "Other"}}))
        .await;
    Spa::open().link(&ana, "frida").await;
    assert_eq!(ana.ask(profile, json!({})).await["viewer"], wanted);
}

#[tokio::test]
async fn an_open_session_alone_links_nothing() {
    let app = social::start().await;
    let ana = app.person("ana").await;
    for (password, refused) in [
        (Value::Null, "INVALID_INPUT"),
        (json!("not this one"), "INVALID_CREDENTIALS"),
    ] {
        let mut input = Spa::open().input(true);
        input["password"] = password;
        let told = ana.ask(START, json!({"input": input})).await;
        assert_eq!(code_of(&told["startSocialLogin"]), refused);
    }
    app.until("activities", "kind = 'identity_refused'").await;
    assert_eq!(kinds(&ana).await[0], "IDENTITY_REFUSED -");
    app.meddle("UPDATE users SET password_hash = ''").await;
    app.clock.advance(Duration::from_mins(11));
    let told = ana
        .ask(START, json!({"input": Spa::open().input(true)}))
        .await;
    assert_eq!(code_of(&told["startSocialLogin"]), "SIGN_IN_AGAIN");
    assert_eq!(app.count("SELECT count(*) FROM login_attempts").await, 0);
}

#[tokio::test]
async fn nobody_locks_herself_out() {
    let app = social::start().await;
    let nobody = Person::nobody(&app.url);
    let told = Spa::open().complete(&nobody, "ana").await;
    let ana = nobody.with(told["accessToken"].as_str().unwrap());
    let mine = ana.ask(MINE, json!({})).await["viewer"]["identities"].take();
    let first = mine[0]["id"].clone();
    let kept = ana.ask(UNLINK, json!({"id": first})).await["unlinkIdentity"].take();
    let refusal = json!([{"code": "LAST_SIGN_IN", "field": ["identityId"]}]);
    assert_eq!(kept["userErrors"], refusal);
    Spa::open().link(&ana, "carla").await;
    let gone = ana.ask(UNLINK, json!({"id": first})).await["unlinkIdentity"].take();
    assert_eq!(gone["userErrors"], json!([]));
    // No password opens an account that has none, and none can be changed.
    let change = "mutation { changePassword(input: {currentPassword: \"\", newPassword: \"four odd words\"}) { \
                  userErrors { code } } }";
    let told = ana.ask(change, json!({})).await;
    assert_eq!(code_of(&told["changePassword"]), "NO_PASSWORD");
    for password in ["", " ", "four odd words"] {
        let login = "mutation($password: String!) { login(input: {email: \"ana@example.com\", password: $password}) { \
                     userErrors { code } } }";
        let told = nobody.ask(login, json!({"password": password})).await;
        assert_eq!(code_of(&told["login"]), "INVALID_CREDENTIALS");
    }
}
