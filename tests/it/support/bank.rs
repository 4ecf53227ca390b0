//! The bank of a story: the sandbox, and what a bank may do at any moment.

use std::sync::Arc;

use passbook_sandbox::{Options, Sandbox, Settings};
use serde_json::{Value, json};

use super::patiently;

/// The sandbox and a client of its control paths. Clones share the sandbox.
#[derive(Clone)]
pub(crate) struct Bank {
    sandbox: Arc<Sandbox>,
    http: reqwest::Client,
}

impl Bank {
    /// A bank that is ready at once.
    pub(crate) async fn open() -> Self {
        Self::of(Options::default()).await
    }

    /// Another one, which draws other ids.
    pub(crate) async fn another() -> Self {
        Self::of(Options {
            seed: 2,
            ..Options::default()
        })
        .await
    }

    async fn of(options: Options) -> Self {
        let mut settings = Settings {
            initial_ready_ms: 0,
            history_ready_ms: 0,
            ..Settings::default()
        };
        settings.legacy_webhooks = false;
        (settings.mx.step_ms, settings.mx.new_rows) = (0, 0);
        let options = Options {
            settings,
            ..options
        };
        let sandbox = Arc::new(Sandbox::start(options).await.unwrap());
        Self {
            sandbox,
            http: reqwest::Client::builder().build().unwrap(),
        }
    }

    pub(crate) fn url(&self) -> String {
        self.sandbox.url()
    }

    /// Calls a path as a Plaid client would.
    pub(crate) async fn ask(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url()));
        let request = request
            .header("plaid-client-id", "client")
            .header("plaid-secret", "secret");
        let answer = request
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub(crate) async fn look(&self, path: &str) -> Value {
        let text = self
            .http
            .get(format!("{}{path}", self.url()))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    /// The public token of a person who finished Link.
    pub(crate) async fn public_token(&self, username: &str, webhook: &str) -> String {
        self.public_token_at("ins_109508", username, webhook).await
    }

    pub(crate) async fn public_token_at(
        &self,
        institution: &str,
        username: &str,
        webhook: &str,
    ) -> String {
        let body = json!({
            "institution_id": institution,
            "initial_products": ["transactions"],
            "options": {
                "webhook": webhook,
                "override_username": username,
                "override_password": "pass_good",
                "transactions": {"days_requested": 730},
            },
        });
        let answer = self.ask("/sandbox/public_token/create", body).await;
        answer["public_token"].as_str().unwrap().to_owned()
    }

    /// The items the bank knows.
    pub(crate) async fn items(&self) -> Vec<Value> {
        self.look("/control/items").await["items"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// The only item that is not removed.
    pub(crate) async fn item(&self) -> Value {
        let mut items = self.items().await;
        items.retain(|item| item["removed"] == false);
        assert_eq!(items.len(), 1, "{items:?}");
        items.remove(0)
    }

    /// The id of the only item.
    pub(crate) async fn item_id(&self) -> String {
        self.item().await["item_id"].as_str().unwrap().to_owned()
    }

    /// Changes an item's transactions.
    pub(crate) async fn change(&self, item_id: &str, changes: Value) -> Value {
        self.ask(&format!("/control/items/{item_id}/transactions"), changes)
            .await
    }

    /// Replaces the faults that are planted.
    pub(crate) async fn faults(&self, faults: Value) {
        self.ask("/control/faults", json!({"faults": faults})).await;
    }

    /// Changes how the sandbox behaves.
    pub(crate) async fn settings(&self, settings: Value) {
        self.ask("/control/settings", settings).await;
    }

    /// Orders what the source of exchange rates says.
    pub(crate) async fn rates(&self, rules: Value) {
        self.ask("/control/alphavantage", rules).await;
    }

    /// How often the source of exchange rates was asked so far.
    pub(crate) async fn rate_calls(&self) -> usize {
        self.calls("/alphavantage/query").await.len()
    }

    /// Waits until the source of exchange rates was asked so often, and not oftener.
    pub(crate) async fn rates_asked(&self, calls: usize) {
        patiently(async { while self.rate_calls().await < calls {} }).await;
        assert_eq!(self.rate_calls().await, calls);
    }

    /// The webhooks the sandbox has to send, each with the results of its attempts.
    pub(crate) async fn webhooks(&self) -> Vec<Value> {
        self.lines("/control/webhooks").await
    }

    /// The webhooks so far, once none of them is still on its way.
    pub(crate) async fn webhooks_settled(&self) -> Vec<Value> {
        let settled = async {
            loop {
                let sent = self.webhooks().await;
                if sent.iter().all(|webhook| webhook["state"] != "waiting") {
                    return sent;
                }
                tokio::task::yield_now().await;
            }
        };
        patiently(settled).await
    }

    /// All transactions of an item as the bank has them now, by id.
    pub(crate) async fn oracle(&self, item_id: &str) -> Vec<Value> {
        let mut rows = self
            .lines(&format!("/control/items/{item_id}/oracle"))
            .await;
        rows.sort_by_key(|row| row["transaction_id"].as_str().unwrap().to_owned());
        rows
    }

    /// Makes something happen to an item.
    pub(crate) async fn event(&self, item_id: &str, event: Value) {
        self.ask(&format!("/control/items/{item_id}/events"), event)
            .await;
    }

    /// What was asked of a path so far: the result of each call.
    pub(crate) async fn calls(&self, endpoint: &str) -> Vec<Value> {
        let mut calls = self.lines("/control/requests").await;
        calls.retain(|call| call["endpoint"] == endpoint);
        calls
    }

    /// A webhook with the provider's signature, for the story to deliver.
    pub(crate) async fn signed(&self, body: Value) -> Signed {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (sender, mut taken) = tokio::sync::mpsc::channel(1);
        let take = move |headers: axum::http::HeaderMap, body: axum::body::Bytes| async move {
            let signature = headers["plaid-verification"].to_str().unwrap().to_owned();
            let signature = Some(signature);
            let body = body.to_vec();
            sender.send(Signed { signature, body }).await.unwrap();
        };
        let router = axum::Router::new().route("/", axum::routing::post(take));
        let receiver = tokio::spawn(async move { axum::serve(listener, router).await });
        self.ask("/control/webhooks", json!({"url": url, "body": body}))
            .await;
        let signed = taken.recv().await.unwrap();
        receiver.abort();
        signed
    }

    /// The page of a hosted link, as a browser shows it.
    pub(crate) async fn page(&self, address: &str) -> String {
        let answer = self.http.get(address).send().await.unwrap();
        answer.text().await.unwrap()
    }

    /// Fills in the form of a hosted link page.
    pub(crate) async fn fill(&self, address: &str, fields: &[(&str, &str)]) {
        let form = reqwest::Url::parse_with_params("http://form/", fields).unwrap();
        let request = self.http.post(address);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let body = form.query().unwrap_or_default().to_owned();
        let answer = request.body(body).send().await.unwrap();
        assert!(!answer.status().is_client_error(), "{}", answer.status());
    }

    /// Walks through a hosted link with all accounts shared.
    pub(crate) async fn walk(&self, page: &str, institution: Option<&str>, password: &str) {
        if let Some(institution) = institution {
            self.fill(page, &[("institution_id", institution)]).await;
        }
        self.fill(page, &[("username", "user_good"), ("password", password)])
            .await;
        if password == "mfa_questions_1_1" {
            self.fill(page, &[("answer", "answer_0_0")]).await;
        }
        let ids = values_of(&self.page(page).await, "account_id");
        let shared: Vec<(&str, &str)> = ids.iter().map(|id| ("account_id", id.as_str())).collect();
        self.fill(page, &shared).await;
        self.fill(page, &[]).await;
    }

    async fn lines(&self, path: &str) -> Vec<Value> {
        let text = self
            .http
            .get(format!("{}{path}", self.url()))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// A webhook, and what proves it genuine.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) signature: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// The values a form offers for a field.
fn values_of(page: &str, field: &str) -> Vec<String> {
    let mark = format!("name=\"{field}\" value=\"");
    let values = page.split(&mark).skip(1);
    values
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}
