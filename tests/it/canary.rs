//! Secrets are planted wherever the program is given one, and looked for wherever none may be: in what
//! it logs with everything switched on, in its metrics, in what its checks print, in answers that refuse
//! something, and in the database with its journal, after an end that nobody could prepare for.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    canary_elsewhere::{by_an_issuer, link_with_plaid},
    canary_mine::Mine,
    canary_people::{by_mail, second_factor, sign_in},
    support::{Bank, Download, Mailbox, Person, Place, Program, social::APP, unpack},
};

const SECRET_KEY: &str = "Y2FuYXJ5LWtleS1vZi0zMi1ieXRlcy1pbi10aGlzLTE=";
const PLAID_SECRET: &str = "canary-plaid-secret-5bd1";
const MX_API_KEY: &str = "canary-mx-api-key-90c4";
const MX_WEBHOOK_PASSWORD: &str = "canary-mx-webhook-77e2";
const SMTP_PASSWORD: &str = "canary-smtp-password-6e0d";
const CLIENT_SECRET: &str = "canary-client-secret-c71a";
const DATABASE_PASSWORD: &str = "canary-database-password-1b7e";
const RATES_KEY: &str = "CANARYRATES4F0D";
/// What she types for her bank, and answers when it asks.
const TYPED: &str = "canary-7f3a-in-the-coal-mine";
/// Her password, as `Person` has it, one that is wrong, and the one she takes then.
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const GUESSED: &str = "canary guessed 31fc";
pub(crate) const CHANGED: &str = "canary changed c0de";

#[tokio::test]
async fn no_secret_is_where_none_may_be() {
    let (place, bank) = (Place::make().await, Bank::open().await);
    let mut mine = Mine::default();
    let mailbox = Mailbox::open().await;
    let program = serve(&place, &bank, &mailbox, &mut mine).await;
    let ana = Person::register(&program.url, "ana").await;
    sign_in(&ana, &mut mine).await;
    by_mail(&ana, &mailbox, &mut mine).await;
    second_factor(&ana, &place, &mut mine).await;
    by_an_issuer(&ana, &bank, &mut mine).await;
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
    let shown = String::from_utf8_lossy(&log);
    assert!(shown.contains("Called MX"), "everything is logged");
    mine.hear("log", log);
    mine.hear("database", place.contents().await);
    assert_eq!(mine.found(), []);
    mine.plant("what is there", "mxbank");
    let there = [("what is there", "export"), ("what is there", "database")];
    assert_eq!(mine.found(), there);
}

/// The address of the database with a password in it, where it takes one.
fn with_password(url: &str, mine: &mut Mine) -> String {
    let Some(rest) = url.strip_prefix("postgres://postgres@") else {
        return url.to_owned();
    };
    mine.plant("DATABASE_URL's password", DATABASE_PASSWORD);
    format!("postgres://postgres:{DATABASE_PASSWORD}@{rest}")
}

/// Starts the program with a secret in every setting that takes one.
async fn serve(place: &Place, bank: &Bank, mailbox: &Mailbox, mine: &mut Mine) -> Program {
    let below = |path: &str| format!("{}/{path}", bank.url());
    let (mx, rates, issuer) = (below("mx"), below("alphavantage"), below("oidc/sandbox"));
    let database = with_password(place.url(), mine);
    let smtp = mailbox.url(&format!("passbook:{SMTP_PASSWORD}@"));
    let settings = [
        ("SMTP_URL", smtp.as_str()),
        ("MAIL_FROM", "passbook@example.com"),
        ("APP_URL", "https://app.example.com"),
        ("REGISTRATION", "open"),
        ("LISTEN", "127.0.0.1:0"),
        ("METRICS_LISTEN", "127.0.0.1:0"),
        ("DATABASE_URL", &database),
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
            "OIDC_SANDBOX_CLIENT_SECRET as it is sent",
            format!("client:{CLIENT_SECRET}"),
        ),
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
