//! Secrets are planted wherever the program is given one, and looked for wherever none may be: in what
//! it logs with everything switched on, in its metrics, in what its checks print, in answers that refuse
//! something, and in the database with its journal, after an end that nobody could prepare for.

use base64::{Engine, engine::general_purpose::STANDARD};
use data_encoding::BASE32_NOPAD;
use passbook::{clock::Clock, seal::hex};
use serde_json::{Value, json};

use crate::{
    second_factor::code_at,
    support::{
        Bank, Download, Mailbox, Person, Place, Program,
        social::{APP, Browser, COMPLETE, Spa},
        unpack,
    },
};

const SECRET_KEY: &str = "Y2FuYXJ5LWtleS1vZi0zMi1ieXRlcy1pbi10aGlzLTE=";
const PLAID_SECRET: &str = "canary-plaid-secret-5bd1";
const MX_API_KEY: &str = "canary-mx-api-key-90c4";
const MX_WEBHOOK_PASSWORD: &str = "canary-mx-webhook-77e2";
const SMTP_PASSWORD: &str = "canary-smtp-password-6e0d";
const CLIENT_SECRET: &str = "canary-client-secret-c71a";
const RATES_KEY: &str = "CANARYRATES4F0D";
/// What she types for her bank, and answers when it asks.
const TYPED: &str = "canary-7f3a-in-the-coal-mine";
/// Her password, as `Person` has it, one that is wrong, and the one she takes then.
const PASSWORD: &str = "correct horse battery";
const GUESSED: &str = "canary guessed 31fc";
const CHANGED: &str = "canary changed c0de";

/// What somebody might look for, and whose it is.
struct Canary {
    name: &'static str,
    value: String,
}

/// What was planted, and all that was said where none of it may be.
#[derive(Default)]
struct Mine {
    canaries: Vec<Canary>,
    heard: Vec<(&'static str, Vec<u8>)>,
}

impl Mine {
    fn plant(&mut self, name: &'static str, value: &str) {
        assert!(!value.is_empty(), "{name}");
        let value = value.to_owned();
        self.canaries.push(Canary { name, value });
    }

    fn hear(&mut self, place: &'static str, said: impl Into<Vec<u8>>) {
        self.heard.push((place, said.into()));
    }

    /// What was found, and where.
    fn found(&self) -> Vec<(&'static str, &'static str)> {
        let found = self.canaries.iter().flat_map(|canary| {
            let told = self
                .heard
                .iter()
                .filter(|(_, said)| has(said, &canary.value));
            told.map(|&(place, _)| (canary.name, place))
        });
        found.collect()
    }
}

/// Whether a text is there, as it is or as the bytes it is made of. All that is looked for is ASCII,
/// which stays what it is among bytes that are no text.
fn has(said: &[u8], text: &str) -> bool {
    let said = String::from_utf8_lossy(said);
    said.contains(text) || said.contains(&hex(text.as_bytes()))
}

#[tokio::test]
async fn no_secret_is_where_none_may_be() {
    let (place, bank) = (Place::make().await, Bank::open().await);
    let mut mine = Mine::default();
    let mailbox = Mailbox::open().await;
    let program = serve(&place, &bank, &mailbox, &mut mine).await;
    let ana = Person::register(&program.url, "ana").await;
    sign_in(&ana, &mut mine).await;
    by_mail(&ana, &mailbox, &mut mine).await;
    second_factor(&ana, &mut mine).await;
    by_an_issuer(&ana, &mut mine).await;
    link_with_plaid(&ana, &bank, &mut mine).await;
    link_with_mx(&ana, &bank, &mut mine).await;
    news_from_mx(&program, &mut mine).await;
    rates_in_trouble(&ana, &bank, &mut mine).await;
    take_everything(&ana, &mut mine).await;
    let metrics = reqwest::get(&program.metrics).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("passbook_provider_calls_total"));
    mine.hear("metrics", metrics);
    mine.hear("doctor", program.says("doctor").await);
    let log = program.kill();
    assert!(has(&log, "Called MX"), "everything is logged");
    mine.hear("log", log);
    mine.hear("database", place.contents().await);
    assert_eq!(mine.found(), []);
    mine.plant("what is there", "mxbank");
    let there = [("what is there", "export"), ("what is there", "database")];
    assert_eq!(mine.found(), there);
}

/// Starts the program with a secret in every setting that takes one.
async fn serve(place: &Place, bank: &Bank, mailbox: &Mailbox, mine: &mut Mine) -> Program {
    let below = |path: &str| format!("{}/{path}", bank.url());
    let (mx, rates, issuer) = (below("mx"), below("alphavantage"), below("oidc/sandbox"));
    let smtp = mailbox.url(&format!("passbook:{SMTP_PASSWORD}@"));
    let settings = [
        ("SMTP_URL", smtp.as_str()),
        ("MAIL_FROM", "passbook@example.com"),
        ("APP_URL", "https://app.example.com"),
        ("REGISTRATION", "open"),
        ("LISTEN", "127.0.0.1:0"),
        ("METRICS_LISTEN", "127.0.0.1:0"),
        ("DATABASE_URL", place.url()),
        ("SECRET_KEY", SECRET_KEY),
        ("RUST_LOG", "trace"),
        ("PLAID_ENV", "sandbox"),
        ("PLAID_CLIENT_ID", "client"),
        ("PLAID_SECRET", PLAID_SECRET),
        ("PLAID_BASE_URL", &bank.url()),
        ("MX_ENV", "int"),
        ("MX_CLIENT_ID", "client"),
        ("MX_API_KEY", MX_API_KEY),
        ("MX_BASE_URL", &mx),
        ("MX_WEBHOOK_USER", "mx"),
        ("MX_WEBHOOK_PASSWORD", MX_WEBHOOK_PASSWORD),
        ("ALPHAVANTAGE_API_KEY", RATES_KEY),
        ("ALPHAVANTAGE_BASE_URL", &rates),
        ("RATE_DAILY_LIMIT", "0"),
        ("REDIRECT_URIS", APP),
        ("OIDC_PROVIDERS", "sandbox"),
        ("OIDC_SANDBOX_ISSUER", &issuer),
        ("OIDC_SANDBOX_CLIENT_ID", "client"),
        ("OIDC_SANDBOX_CLIENT_SECRET", CLIENT_SECRET),
    ];
    for name in [
        "SECRET_KEY",
        "PLAID_SECRET",
        "MX_API_KEY",
        "MX_WEBHOOK_PASSWORD",
        "ALPHAVANTAGE_API_KEY",
        "OIDC_SANDBOX_CLIENT_SECRET",
    ] {
        let (_, value) = settings.iter().find(|(known, _)| *known == name).unwrap();
        mine.plant(name, value);
    }
    for (name, login) in [
        ("MX_API_KEY as it is sent", format!("client:{MX_API_KEY}")),
        (
            "MX_WEBHOOK_PASSWORD as it is sent",
            format!("mx:{MX_WEBHOOK_PASSWORD}"),
        ),
    ] {
        mine.plant(name, &STANDARD.encode(login));
    }
    mine.plant("SMTP_URL's password", SMTP_PASSWORD);
    let login = STANDARD.encode(format!("\0passbook\0{SMTP_PASSWORD}"));
    mine.plant("SMTP_URL's password as it is sent", &login);
    mine.plant("the key itself", "canary-key-of-32-bytes-in-this-1");
    Program::serve(&settings).await
}

/// Everything a password, an access token and a refresh token go through.
async fn sign_in(ana: &Person, mine: &mut Mine) {
    mine.plant("password", PASSWORD);
    mine.plant("guessed password", GUESSED);
    mine.plant("changed password", CHANGED);
    mine.plant("access token", &ana.token);
    mine.plant("refresh token", &ana.refresh_token);
    let login = "mutation($password: String!) { login(input: {email: \"ana@example.com\", password: $password}) { \
                 userErrors { code message } } }";
    let refused = ana
        .stranger()
        .answer(login, json!({"password": GUESSED}))
        .await;
    assert!(refused.to_string().contains("INVALID_CREDENTIALS"));
    mine.hear("refused sign-in", refused.to_string());
    // In the document itself, as careless programs write them, and in one that does not parse.
    for document in [
        format!(
            "mutation {{ login(input: {{email: \"ana@example.com\", password: \"{GUESSED}\"}}) {{ user {{ id }} }} }}"
        ),
        format!(
            "mutation {{ login(input: {{email: 5, password: \"{GUESSED}\"}}) {{ user {{ id }} }} }}"
        ),
        format!("mutation {{ login(input: {{email: \"a\", password: \"{GUESSED}\" }}) {{ user "),
    ] {
        let refused = ana.stranger().answer(&document, json!({})).await;
        mine.hear("refused document", refused.to_string());
    }
    let change = "mutation($old: String!, $new: String!) { changePassword(input: {currentPassword: $old, \
                  newPassword: $new}) { userErrors { code message } } }";
    let changed = ana
        .ask(change, json!({"old": PASSWORD, "new": CHANGED}))
        .await;
    assert_eq!(changed["changePassword"]["userErrors"], json!([]));
    let refresh = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { refreshToken \
                   userErrors { code message } } }";
    let next = ana
        .stranger()
        .ask(refresh, json!({"token": ana.refresh_token}))
        .await;
    let next = next["refreshSession"]["refreshToken"].as_str().unwrap();
    mine.plant("next refresh token", next);
    let mut bent = next.to_owned();
    bent.pop();
    let refused = ana.stranger().answer(refresh, json!({"token": bent})).await;
    mine.plant("refresh token without its end", &bent);
    mine.hear("refused refresh", refused.to_string());
}

/// Tokens that travel by mail, used and refused.
async fn by_mail(ana: &Person, mailbox: &Mailbox, mine: &mut Mine) {
    let proof = mailbox.next("ana@example.com", "Confirm").await.token();
    mine.plant("token that proves an address", &proof);
    let verify = "mutation($token: String!, $password: String) { verifyEmail(input: {token: $token, password: $password}) { \
                  userErrors { code message } } }";
    for (token, password) in [
        (&proof[1..], None),
        (&proof, Some(GUESSED)),
        (&proof, Some(CHANGED)),
    ] {
        let input = json!({"token": token, "password": password});
        let answer = ana.stranger().answer(verify, input).await;
        mine.hear("answer to a proof", answer.to_string());
    }
    let request = "mutation { requestPasswordReset(input: {email: \"ana@example.com\"}) { userErrors { code message } } }";
    ana.stranger().ask(request, json!({})).await;
    let token = mailbox.next("ana@example.com", "Choose").await.token();
    mine.plant("token that resets", &token);
    let reset = "mutation($token: String!) { resetPassword(input: {token: $token, password: \"password123\"}) { \
                 userErrors { code message } } }";
    let answer = ana.stranger().answer(reset, json!({"token": token})).await;
    mine.hear("refused reset", answer.to_string());
}

/// A secret for an app, its recovery codes, and a sign-in between password and code. It is off again then.
async fn second_factor(ana: &Person, mine: &mut Mine) {
    let enable = "mutation($password: String!) { enableTotp(input: {password: $password}) { secret userErrors { code } } }";
    let begun = ana.ask(enable, json!({"password": CHANGED})).await;
    let secret = begun["enableTotp"]["secret"].as_str().unwrap();
    mine.plant("secret of an app", secret);
    let confirm = "mutation($code: String!) { confirmTotp(input: {code: $code}) { recoveryCodes userErrors { code } } }";
    let code = code_at(
        &BASE32_NOPAD.decode(secret.as_bytes()).unwrap(),
        Clock::default().now(),
    );
    let done = ana.ask(confirm, json!({"code": code})).await;
    let codes = done["confirmTotp"]["recoveryCodes"].as_array().unwrap();
    for code in codes.iter().map(|code| code.as_str().unwrap()) {
        mine.plant("recovery code", code);
        mine.plant("recovery code without signs", &code.replace('-', ""));
    }
    let login = "mutation($password: String!) { login(input: {email: \"ana@example.com\", password: $password}) { \
                 secondFactor { token } } }";
    let asked = ana
        .stranger()
        .ask(login, json!({"password": CHANGED}))
        .await;
    let token = asked["login"]["secondFactor"]["token"].as_str().unwrap();
    mine.plant("token of a sign-in", token);
    let complete = "mutation($token: String!, $code: String!) { completeLogin(input: {token: $token, code: $code}) { \
                    userErrors { code message } } }";
    for code in ["000000", codes[0].as_str().unwrap()] {
        let input = json!({"token": token, "code": code});
        let answer = ana.stranger().answer(complete, input).await;
        mine.hear("answer to a code", answer.to_string());
    }
    let disable = "mutation($password: String!) { disableTotp(input: {password: $password}) { userErrors { code } } }";
    let done = ana.ask(disable, json!({"password": CHANGED})).await;
    assert_eq!(done["disableTotp"]["userErrors"], json!([]));
}

/// Somebody who signs in with an account elsewhere, after a try that another app spoils.
async fn by_an_issuer(ana: &Person, mine: &mut Mine) {
    let (nobody, spa, browser) = (ana.stranger(), Spa::open(), Browser::open());
    let first = spa.start(&nobody, false).await;
    mine.plant("ticket", &last_word(&first));
    let back = browser.sign_in(&first, "eva").await;
    let cookie = browser.cookie().unwrap();
    let cookie = cookie.split([';', '=']).nth(1).unwrap();
    mine.plant("cookie of a social login", cookie);
    for (name, value) in reqwest::Url::parse(&back).unwrap().query_pairs() {
        match &*name {
            "state" => mine.plant("state", &value),
            "code" => mine.plant("code of the issuer", &value),
            _ => {}
        }
    }
    let seen = browser.get(&back).await;
    let code = seen.word("code").unwrap();
    mine.plant("code of the app", &code);
    mine.hear("second visit", browser.get(&back).await.body);
    let wrong = Spa::open().redeem(&code);
    let refused = nobody.answer(COMPLETE, wrong).await;
    assert!(refused.to_string().contains("SOCIAL_LOGIN_INVALID"));
    mine.hear("refused social login", refused.to_string());
    let told = Spa::open().complete(&nobody, "eva").await;
    mine.plant(
        "access token of a social login",
        told["accessToken"].as_str().unwrap(),
    );
}

/// The value of the last parameter of an address.
fn last_word(url: &str) -> String {
    let url = reqwest::Url::parse(url).unwrap();
    url.query_pairs().last().unwrap().1.into_owned()
}

/// A bank by Plaid, well and in trouble, followed through a socket.
async fn link_with_plaid(ana: &Person, bank: &Bank, mine: &mut Mine) {
    let item = ana.link(bank, "user_good").await;
    let there = bank.item().await;
    mine.plant(
        "Plaid's access token",
        there["access_token"].as_str().unwrap(),
    );
    let down = json!([{"kind": "error", "code": "INTERNAL_SERVER_ERROR", "endpoint": "/transactions/sync", "count": 1}]);
    bank.faults(down).await;
    let ended = ana.sync(&item).await;
    mine.hear("sync in trouble", ended.to_string());
    let refused = ana.exchange("public-sandbox-of-nobody").await;
    assert_ne!(refused["userErrors"], json!([]));
    mine.hear("refused exchange", refused.to_string());
    let link = "mutation { createLinkToken { linkToken userErrors { code } } }";
    let link = ana.ask(link, json!({})).await;
    let token = link["createLinkToken"]["linkToken"].as_str().unwrap();
    assert!(token.starts_with("link-"), "{token}");
}

/// A bank by MX: refused, asked questions, and given other credentials.
async fn link_with_mx(ana: &Person, bank: &Bank, mine: &mut Mine) {
    mine.plant("what she typed for her bank", TYPED);
    let away = json!([{"kind": "status", "status": 500, "endpoint": "POST /mx/users/{user_guid}/members", "count": 1}]);
    bank.faults(away).await;
    let credentials = ana.credentials("mxuser", TYPED).await;
    let input =
        json!({"institutionCode": "mxbank", "credentials": credentials, "idempotencyKey": "key"});
    mine.hear("failed order", ana.order(input.clone()).await.to_string());
    let unknown =
        json!({"institutionCode": "mxbank", "credentials": [{"fieldId": "x y", "value": TYPED}]});
    mine.hear("refused order", ana.order(unknown).await.to_string());
    let members = "/mx/users/{user_guid}/members";
    let repeats = async |call: &str| {
        let call = call.replace("MEMBERS", members);
        let echo = json!([{"kind": "echo", "status": 422, "endpoint": call, "count": 1}]);
        bank.faults(echo).await;
    };
    repeats("POST MEMBERS").await;
    let refused = ana.order(input.clone()).await;
    assert_ne!(refused["userErrors"], json!([]));
    mine.hear("repeated order", refused.to_string());
    let ordered = ana.order(input).await;
    let item = ordered["item"]["id"].as_str().unwrap();
    stands(ana, item, "SUCCESS").await;
    let member = bank.member().await;
    bank.set_member(&member, json!({"password": "challenge"}))
        .await;
    ana.ask_sync(item).await;
    let told = stands(ana, item, "CHALLENGED").await;
    repeats("PUT MEMBERS/{member_guid}/resume").await;
    let refused = ana.answer_all(&told, TYPED).await;
    assert_ne!(refused["userErrors"], json!([]));
    mine.hear("repeated answers", refused.to_string());
    let told = stands(ana, item, "CHALLENGED").await;
    ana.answer_all(&told, TYPED).await;
    let told = stands(ana, item, "ERROR").await;
    mine.hear("wrong answer", told.to_string());
    let credentials = ana.credentials("mxuser", TYPED).await;
    repeats("PUT MEMBERS/{member_guid}").await;
    let refused = ana.update(item, credentials.clone()).await;
    assert_ne!(refused["userErrors"], json!([]));
    mine.hear("repeated credentials", refused.to_string());
    ana.update(item, credentials).await;
    stands(ana, item, "SUCCESS").await;
}

/// Waits until an item stands so; the item then.
async fn stands(ana: &Person, item: &str, status: &str) -> Value {
    let document = "subscription($id: ID!) { itemUpdated(itemId: $id) { item { linkStatus } } }";
    let mut watch = ana.watch(document, json!({"id": item})).await;
    while watch.next().await["itemUpdated"]["item"]["linkStatus"] != status {}
    ana.mx_item(item).await
}

/// A copy of everything, by an address that is a secret for as long as it is good.
async fn take_everything(ana: &Person, mine: &mut Mine) {
    ana.ask("mutation { exportData { dataExport { id } } }", json!({}))
        .await;
    let follow = "subscription { dataExportUpdated { dataExport { downloadUrl } } }";
    let mut events = ana.watch(follow, json!({})).await;
    let url = loop {
        let told = events.next().await;
        if let Some(url) = told["dataExportUpdated"]["dataExport"]["downloadUrl"].as_str() {
            break url.to_owned();
        }
    };
    let (path, token) = url.split_once("?token=").unwrap();
    mine.plant("address of an export", token);
    let forged = Download::of(&format!("{path}?token={}", &token[1..])).await;
    mine.hear("refused download", forged.bytes);
    let archive = Download::of(&url).await;
    let files: Vec<Vec<u8>> = unpack(&archive.bytes).into_values().collect();
    mine.hear("export", files.concat());
}

/// What MX sends, with its password and with a wrong one.
async fn news_from_mx(program: &Program, mine: &mut Mine) {
    let wrong = "canary-wrong-webhook-password";
    mine.plant("a wrong webhook password", wrong);
    let client = reqwest::Client::builder().build().unwrap();
    for (password, status) in [(MX_WEBHOOK_PASSWORD, 204), (wrong, 401)] {
        let request = client.post(format!("{}/webhooks/mx", program.url));
        let request = request.basic_auth("mx", Some(password));
        let body = json!({"type": "MEMBER", "action": "UPDATED", "member_guid": "MBR-nobody"});
        let answer = request
            .header("content-type", "application/json")
            .body(body.to_string())
            .send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), status);
        mine.hear("answer to a webhook", answer.text().await.unwrap());
    }
}

/// A source of rates that does not answer, or says that the key is wrong.
async fn rates_in_trouble(ana: &Person, bank: &Bank, mine: &mut Mine) {
    let refresh = "mutation { refreshExchangeRate(input: {base: \"BTC\", quote: \"USD\"}) { userErrors { code \
                   message } } }";
    for trouble in ["unavailable", "daily_limit", "invalid_key"] {
        bank.rates(json!({"next": [trouble, trouble, trouble]}))
            .await;
        let answer = ana.answer(refresh, json!({})).await;
        mine.hear("rate in trouble", answer.to_string());
    }
}
