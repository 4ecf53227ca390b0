//! A sandbox, a client of it, and somebody to receive webhooks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use passbook_sandbox::{Options, Sandbox, Settings};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A bank and somebody who talks to it.
pub(crate) struct Bank {
    pub(crate) sandbox: Sandbox,
    http: reqwest::Client,
}

/// An item that was linked.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) token: String,
    pub(crate) item_id: String,
}

/// A client's copy of an item's transactions, by id.
pub(crate) type Copy = BTreeMap<String, Value>;

/// Settings under which nothing has to be waited for.
pub(crate) fn at_once() -> Settings {
    let mut settings = Settings {
        initial_ready_ms: 0,
        history_ready_ms: 0,
        ..Settings::default()
    };
    settings.webhooks.retry_scale = 0.0;
    settings
}

impl Bank {
    pub(crate) async fn open() -> Self {
        Self::open_with(Options {
            settings: at_once(),
            ..Options::default()
        })
        .await
    }

    pub(crate) async fn open_with(options: Options) -> Self {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .build()
            .unwrap();
        Self {
            sandbox: Sandbox::start(options).await.unwrap(),
            http,
        }
    }

    pub(crate) async fn ask(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask_text(path, body.to_string()).await
    }

    pub(crate) async fn ask_text(&self, path: &str, body: String) -> (u16, Value) {
        let answer = self.send(path, body).await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    pub(crate) async fn send(
        &self,
        path: &str,
        body: String,
    ) -> reqwest::Result<reqwest::Response> {
        let request = self.http.post(format!("{}{path}", self.sandbox.url()));
        let request = request
            .header("plaid-client-id", "client")
            .header("plaid-secret", "secret");
        request
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
    }

    /// An answer that has to be 200.
    pub(crate) async fn ok(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// The code of an answer that has to be an error.
    pub(crate) async fn refused(&self, path: &str, body: Value) -> String {
        let (status, answer) = self.ask(path, body).await;
        assert!(status >= 400, "{path}: {answer}");
        assert!(
            answer["request_id"].is_string() && answer["error_type"].is_string(),
            "{answer}"
        );
        answer["error_code"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn public_token(&self, username: &str, options: Value) -> String {
        let mut all = json!({ "override_username": username, "override_password": "pass_good" });
        all.as_object_mut()
            .unwrap()
            .extend(options.as_object().cloned().unwrap_or_default());
        let body = json!({ "institution_id": "ins_109508", "initial_products": ["transactions"], "options": all });
        self.ok("/sandbox/public_token/create", body).await["public_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) async fn exchange(&self, public_token: &str) -> Access {
        let answer = self
            .ok(
                "/item/public_token/exchange",
                json!({ "public_token": public_token }),
            )
            .await;
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Access {
            token: text("access_token"),
            item_id: text("item_id"),
        }
    }

    pub(crate) async fn link(&self, username: &str) -> Access {
        let token = self.public_token(username, json!({})).await;
        self.exchange(&token).await
    }

    pub(crate) async fn page(&self, access: &Access, cursor: &str, count: u32) -> (u16, Value) {
        let body = json!({ "access_token": access.token, "cursor": cursor, "count": count });
        self.ask("/transactions/sync", body).await
    }

    /// Reads on from a cursor to the end, keeping a copy up to date, and returns the new cursor.
    pub(crate) async fn sync(
        &self,
        access: &Access,
        cursor: &str,
        count: u32,
        copy: &mut Copy,
    ) -> String {
        let mut cursor = cursor.to_owned();
        loop {
            let (status, page) = self.page(access, &cursor, count).await;
            assert_eq!(status, 200, "{page}");
            for row in page["added"]
                .as_array()
                .unwrap()
                .iter()
                .chain(page["modified"].as_array().unwrap())
            {
                copy.insert(
                    row["transaction_id"].as_str().unwrap().to_owned(),
                    row.clone(),
                );
            }
            for gone in page["removed"].as_array().unwrap() {
                copy.remove(gone["transaction_id"].as_str().unwrap());
            }
            page["next_cursor"]
                .as_str()
                .unwrap()
                .clone_into(&mut cursor);
            if page["has_more"] == false {
                return cursor;
            }
        }
    }

    /// What the bank says a complete copy holds.
    pub(crate) async fn oracle(&self, access: &Access) -> Copy {
        let text = self
            .read(&format!("/control/items/{}/oracle", access.item_id))
            .await;
        let rows = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.map(|row| (row["transaction_id"].as_str().unwrap().to_owned(), row))
            .collect()
    }

    pub(crate) async fn read(&self, path: &str) -> String {
        self.http
            .get(format!("{}{path}", self.sandbox.url()))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }

    pub(crate) async fn control(&self, path: &str, body: Value) -> Value {
        let answer = self
            .send(&format!("/control{path}"), body.to_string())
            .await
            .unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Sends a form and returns where it leads.
    pub(crate) async fn form(&self, address: &str, fields: &[(&str, &str)]) -> String {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        let request = self
            .http
            .post(address)
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(pairs.join("&")).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    pub(crate) async fn page_at(&self, address: &str) -> String {
        self.http
            .get(address)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// A webhook as it arrived.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) signature: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: Value,
}

impl Arrival {
    pub(crate) fn code(&self) -> &str {
        self.body["webhook_code"].as_str().unwrap()
    }
}

/// Somebody who receives webhooks, refusing the first few.
pub(crate) struct Receiver {
    pub(crate) url: String,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
}

impl Receiver {
    pub(crate) async fn open() -> Self {
        Self::refusing(0).await
    }

    /// One that refuses so many webhooks first.
    pub(crate) async fn refusing(times: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhook", listener.local_addr().unwrap());
        let (sender, arrivals) = mpsc::unbounded_channel();
        let router = Router::new()
            .route("/webhook", post(receive))
            .with_state(Arc::new(Inbox {
                sender,
                refusals: AtomicUsize::new(times),
            }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, arrivals }
    }

    pub(crate) async fn next(&mut self) -> Arrival {
        self.arrivals.recv().await.unwrap()
    }

    /// The next webhook of this code, whatever comes before it.
    pub(crate) async fn next_of(&mut self, code: &str) -> Arrival {
        loop {
            let arrival = self.next().await;
            if arrival.code() == code {
                return arrival;
            }
        }
    }
}

struct Inbox {
    sender: mpsc::UnboundedSender<Arrival>,
    refusals: AtomicUsize,
}

async fn receive(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, bytes: Bytes) -> StatusCode {
    let signature = headers
        .get("plaid-verification")
        .map(|value| value.to_str().unwrap().to_owned());
    let body = serde_json::from_slice(&bytes).unwrap();
    let _ = inbox.sender.send(Arrival {
        signature,
        headers,
        bytes: bytes.to_vec(),
        body,
    });
    let refuse = inbox
        .refusals
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        });
    if refuse.is_ok() {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    }
}
