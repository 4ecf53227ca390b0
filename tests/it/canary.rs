//! Secrets are planted wherever the program is given one, and looked for wherever none may be: in what
//! it logs with everything switched on, in its metrics, in what its checks print, in answers that refuse
//! something, and in the database with its journal, after an end that nobody could prepare for.

use base64::{Engine, engine::general_purpose::STANDARD};
use passbook::seal::hex;
use serde_json::{Value, json};

use crate::support::{Bank, Person, Place, Program};

const SECRET_KEY: &str = "Y2FuYXJ5LWtleS1vZi0zMi1ieXRlcy1pbi10aGlzLTE=";
const PLAID_SECRET: &str = "canary-plaid-secret-5bd1";
const MX_API_KEY: &str = "canary-mx-api-key-90c4";
const MX_WEBHOOK_PASSWORD: &str = "canary-mx-webhook-77e2";
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
    let program = serve(&place, &bank, &mut mine).await;
    let ana = Person::register(&program.url, "ana").await;
    sign_in(&ana, &mut mine).await;
    link_with_plaid(&ana, &bank, &mut mine).await;
    link_with_mx(&ana, &bank, &mut mine).await;
    news_from_mx(&program, &mut mine).await;
    rates_in_trouble(&ana, &bank, &mut mine).await;
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
    assert_eq!(mine.found(), [("what is there", "database")]);
}

/// Starts the program with a secret in every setting that takes one.
async fn serve(place: &Place, bank: &Bank, mine: &mut Mine) -> Program {
    let (mx, rates) = (
        format!("{}/mx", bank.url()),
        format!("{}/alphavantage", bank.url()),
    );
    let settings = [
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
    ];
    for name in [
        "SECRET_KEY",
        "PLAID_SECRET",
        "MX_API_KEY",
        "MX_WEBHOOK_PASSWORD",
        "ALPHAVANTAGE_API_KEY",
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
    let ordered = ana.order(input).await;
    let item = ordered["item"]["id"].as_str().unwrap();
    stands(ana, item, "SUCCESS").await;
    let member = bank.member().await;
    bank.set_member(&member, json!({"password": "challenge"}))
        .await;
    ana.ask_sync(item).await;
    let told = stands(ana, item, "CHALLENGED").await;
    ana.answer_all(&told, TYPED).await;
    let told = stands(ana, item, "ERROR").await;
    mine.hear("wrong answer", told.to_string());
    let credentials = ana.credentials("mxuser", TYPED).await;
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
