//! Every code of the schema is met on the wire, so that none is only written about.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{
    Person, TestApp, crowd,
    social::{self, COMPLETE, Spa},
    with_one_hasher,
};

const EXCHANGE: &str = "/item/public_token/exchange";
const SYNC: &str = "mutation($id: ID!) { syncItem(input: {itemId: $id}) { userErrors { code } } }";

/// The codes of errors that were answered, wherever they stood.
#[derive(Default)]
struct Met(BTreeSet<String>);

impl Met {
    fn see(&mut self, answer: &Value) {
        match answer {
            Value::Object(fields) => {
                let code = fields.get("code").and_then(Value::as_str);
                self.0.extend(code.map(str::to_owned));
                fields.values().for_each(|value| self.see(value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.see(value)),
            _ => {}
        }
    }

    /// Asks what is refused.
    async fn ask(&mut self, person: &Person, document: &str, variables: Value) {
        self.see(&person.ask(document, variables).await);
    }
}

/// Whoever registers, signs in and goes on as nobody can.
async fn at_the_door(met: &mut Met, stranger: &Person) {
    let register = "mutation($email: String!, $password: String!) { \
                    register(input: {email: $email, password: $password}) { userErrors { code } } }";
    for (email, password) in [
        ("nobody", "short"),
        ("ana@example.com", "correct horse battery"),
    ] {
        let input = json!({"email": email, "password": password});
        met.ask(stranger, register, input).await;
    }
    let login = "mutation { login(input: {email: \"ana@example.com\", password: \"wrong\"}) { userErrors { code } } }";
    met.ask(stranger, login, json!({})).await;
    let refresh =
        "mutation { refreshSession(input: {refreshToken: \"old\"}) { userErrors { code } } }";
    met.ask(stranger, refresh, json!({})).await;
    let reset = "mutation { resetPassword(input: {token: \"old\", password: \"a better staple\"}) { userErrors { code } } }";
    met.ask(stranger, reset, json!({})).await;
    met.see(&crowd(stranger, login, json!({})).await.0);
}

/// Whoever comes when nobody is taken any more.
async fn at_the_closed_door(met: &mut Met, stranger: &Person) {
    let register = "mutation { register(input: {email: \"bob@example.com\", password: \"a better staple\"}) { userErrors { code } } }";
    met.ask(stranger, register, json!({})).await;
}

/// Identities that let nobody in, or that nobody may let go of.
async fn at_the_issuer(met: &mut Met, app: &TestApp, ana: &Person) {
    let nobody = ana.stranger();
    let told = Spa::open().complete(&nobody, "dora").await;
    let dora = nobody.with(told["accessToken"].as_str().unwrap());
    let change = "mutation { changePassword(input: {currentPassword: \"\", newPassword: \"four odd words\"}) { \
                  userErrors { code } } }";
    met.ask(&dora, change, json!({})).await;
    met.see(&Spa::open().link(ana, "dora").await);
    let identities = "{ viewer { identities { id } } }";
    let mut mine = dora.ask(identities, json!({})).await;
    let id = mine["viewer"]["identities"][0]["id"].take();
    let unlink =
        "mutation($id: ID!) { unlinkIdentity(input: {identityId: $id}) { userErrors { code } } }";
    met.ask(&dora, unlink, json!({"id": id})).await;
    met.ask(&nobody, COMPLETE, Spa::open().redeem("nothing"))
        .await;
    let unverified = json!({"claims": {"email_verified": false}});
    app.bank.issuers(unverified).await;
    met.see(&Spa::open().complete(&nobody, "eric").await);
}

/// Public tokens, and what the provider says of them.
async fn at_the_exchange(met: &mut Met, app: &TestApp, ana: &Person) {
    let webhook = format!("{}/webhooks/plaid", app.url);
    let (first, second) = tokio::join!(
        app.bank.public_token("user_good", &webhook),
        app.bank.public_token("user_good", &webhook),
    );
    met.see(&ana.exchange("garbage").await);
    for code in [
        "INTERNAL_SERVER_ERROR",
        "PRODUCTS_NOT_SUPPORTED",
        "INVALID_API_KEYS",
    ] {
        let fault = json!([{"kind": "error", "code": code, "endpoint": EXCHANGE}]);
        app.bank.faults(fault).await;
        met.see(&ana.exchange(&first).await);
    }
    let slow = json!([{"kind": "latency", "ms": 500, "endpoint": EXCHANGE}]);
    app.bank.faults(slow).await;
    let (one, other) = tokio::join!(
        ana.exchange_under(&first, Some("key")),
        ana.exchange_under(&first, Some("key"))
    );
    met.see(&one);
    met.see(&other);
    met.see(&ana.exchange_under(&second, Some("key")).await);
}

/// Syncs of items that cannot be synced any more.
async fn at_the_sync(met: &mut Met, app: &TestApp, ana: &Person) {
    met.ask(ana, SYNC, json!({"id": "item_unknown"})).await;
    let item = ana.link(&app.bank, "user_transactions_100").await;
    let items = app.bank.items().await;
    let theirs = |item: &&Value| item["username"] == "user_transactions_100";
    let there = items.iter().find(theirs).unwrap()["item_id"].as_str();
    let fails = async |code: &str| {
        let error = json!({"event": "error", "code": code});
        app.bank.event(there.unwrap(), error).await;
        app.bank.webhooks_settled().await;
        ana.quiet().await;
    };
    fails("ITEM_LOGIN_REQUIRED").await;
    met.see(&ana.sync(&item).await);
    fails("USER_PERMISSION_REVOKED").await;
    met.ask(ana, SYNC, json!({"id": item})).await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    // A token that does not open is nobody's fault but ours.
    app.meddle("UPDATE items SET access_token = substr(access_token, 2)")
        .await;
    met.see(&ana.sync(&item).await);
}

/// A bank that asks, and is answered when it asks no more.
async fn at_the_challenge(met: &mut Met, app: &TestApp, ana: &Person) {
    let item = ana.order_mx("mxuser", "challenge").await;
    let asked = app.stands(ana, &item, "CHALLENGED").await;
    for job in ana.quiet().await {
        met.see(&job);
    }
    ana.answer_all(&asked, "correct").await;
    app.stands(ana, &item, "SUCCESS").await;
    met.see(&ana.answer_all(&asked, "correct").await);
}

/// Somebody without a password who deletes her account long after she signed in.
async fn at_the_end(met: &mut Met, app: &TestApp, mia: &Person) {
    app.meddle("UPDATE users SET password_hash = '' WHERE email = 'mia@example.com'")
        .await;
    app.clock.advance(std::time::Duration::from_mins(11));
    let delete = "mutation { deleteAccount(input: {}) { userErrors { code } } }";
    met.ask(mia, delete, json!({})).await;
}

/// An account that is locked, and a last administrator.
async fn at_the_lock(met: &mut Met, app: &TestApp) {
    let (ada, bob) = (app.administrator("ada").await, app.person("bob").await);
    let lock = "mutation($id: ID!) { lockUser(input: {userId: $id}) { userErrors { code } } }";
    for person in [&ada, &bob] {
        let id = person.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].take();
        met.ask(&ada, lock, json!({"id": id})).await;
    }
    let login = "mutation { login(input: {email: \"bob@example.com\", password: \"correct horse battery\"}) { \
                 userErrors { code } } }";
    met.ask(&bob.stranger(), login, json!({})).await;
}

#[test]
fn every_code_a_payload_may_hold_is_met() {
    with_one_hasher(async {
        let app = social::start().await;
        let ana = app.person("ana").await;
        let mut met = Met::default();
        at_the_lock(&mut met, &app).await;
        at_the_issuer(&mut met, &app, &ana).await;
        at_the_door(&mut met, &ana.stranger()).await;
        at_the_exchange(&mut met, &app, &ana).await;
        at_the_sync(&mut met, &app, &ana).await;
        at_the_challenge(&mut met, &app, &app.person("eve").await).await;
        at_the_end(&mut met, &app, &app.person("mia").await).await;
        let app = app.restart_with(&[("REGISTRATION", "closed")]).await;
        at_the_closed_door(&mut met, &ana.stranger()).await;
        let document = "{ __type(name: \"ErrorCode\") { enumValues { name } } }";
        let schema = ana.ask(document, json!({})).await;
        let values = schema["__type"]["enumValues"].as_array().unwrap();
        let all = values.iter().map(|value| value["name"].as_str().unwrap());
        assert_eq!(met.0, all.map(str::to_owned).collect());
        drop(app);
    });
}
