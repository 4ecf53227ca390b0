//! The bank: `passbook sandbox` as a process of its own, and its control paths.

use serde_json::{Value, json};

use super::{
    place::Place,
    program::{Program, address, answers},
};

pub(crate) struct Bank {
    pub(crate) program: Program,
    url: String,
    http: reqwest::Client,
}

impl Bank {
    /// A bank that is ready at once and speaks as Plaid does today.
    pub(crate) async fn open(place: &Place, seed: u64) -> Self {
        let address = address();
        let seed = seed.to_string();
        let args = ["sandbox", "--listen", &address, "--seed", &seed];
        let program = Program::start(place, &args, &[]);
        let url = format!("http://{address}");
        answers(&format!("{url}/control/settings")).await;
        let http = reqwest::Client::builder().build().unwrap();
        let bank = Self { program, url, http };
        let settings =
            json!({"initial_ready_ms": 0, "history_ready_ms": 0, "legacy_webhooks": false});
        bank.ask("/control/settings", settings).await;
        bank
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A second way to speak to the same bank, for tasks beside.
    pub(crate) fn speaker(&self) -> Speaker {
        Speaker {
            url: self.url.clone(),
            http: self.http.clone(),
        }
    }

    pub(crate) async fn ask(&self, path: &str, body: Value) -> Value {
        self.speaker().ask(path, body).await
    }

    /// The public token of a person who finished Link.
    pub(crate) async fn public_token(&self, username: &str, webhook: &str) -> String {
        let body = json!({
            "institution_id": "ins_109508",
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

    /// The calls that were made, oldest first.
    pub(crate) async fn calls(&self) -> Vec<Value> {
        self.speaker().lines("/control/requests").await
    }

    /// Forgets what was written down: `requests` or `webhooks`.
    pub(crate) async fn forget(&self, journal: &str) {
        let url = format!("{}/control/{journal}", self.url);
        self.http.delete(url).send().await.unwrap();
    }
}

/// Speaks to the bank.
#[derive(Clone)]
pub(crate) struct Speaker {
    url: String,
    http: reqwest::Client,
}

impl Speaker {
    /// Calls a path as a Plaid client would, and expects to be obeyed.
    pub(crate) async fn ask(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url));
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

    /// The item that was not seen before.
    pub(crate) async fn newest_item(&self, seen: &[String]) -> Value {
        let text = self.look("/control/items").await;
        let items: Value = serde_json::from_str(&text).unwrap();
        let fresh = items["items"].as_array().unwrap().iter().find(|item| {
            let id = item["item_id"].as_str().unwrap();
            item["access_token"].is_string() && !seen.iter().any(|seen| seen == id)
        });
        fresh.expect("nothing was linked").clone()
    }

    async fn look(&self, path: &str) -> String {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await;
        answer.unwrap().text().await.unwrap()
    }

    /// The lines of a path that answers with one JSON value a line.
    pub(crate) async fn lines(&self, path: &str) -> Vec<Value> {
        let text = self.look(path).await;
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The lines at the head of such a path: as many as come in so many bytes.
    pub(crate) async fn head(&self, path: &str, bytes: usize) -> Vec<Value> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await;
        let mut answer = answer.unwrap();
        let mut text = Vec::new();
        while text.len() < bytes
            && let Some(piece) = answer.chunk().await.unwrap()
        {
            text.extend_from_slice(&piece);
        }
        let whole = text.iter().rposition(|byte| *byte == b'\n').unwrap();
        let lines = text[..whole].split(|byte| *byte == b'\n');
        lines
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }
}
