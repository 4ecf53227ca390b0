//! A person with a session, over HTTP and WebSocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

use super::bank::Bank;

/// What is waited for at most before it counts as lost.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Person {
    pub(crate) url: String,
    pub(crate) token: String,
    http: reqwest::Client,
}

/// A first sync that was asked for.
pub(crate) struct Linked {
    pub(crate) item: String,
    pub(crate) sync_job: String,
}

impl Person {
    pub(crate) async fn register(url: &str, name: &str) -> Self {
        let person = Self {
            url: url.to_owned(),
            token: String::new(),
            http: reqwest::Client::builder().build().unwrap(),
        };
        let input =
            json!({"email": format!("{name}@example.com"), "password": "correct horse battery"});
        let document = "mutation($input: RegisterInput!) { register(input: $input) { accessToken userErrors { code } } }";
        let answer = person.ask(document, json!({"input": input})).await;
        let token = answer["register"]["accessToken"].as_str();
        let token = token.unwrap_or_else(|| panic!("{answer}")).to_owned();
        Self { token, ..person }
    }

    /// The data of a document that is expected to succeed.
    pub(crate) async fn ask(&self, document: &str, variables: Value) -> Value {
        let body = json!({"query": document, "variables": variables});
        let mut request = self
            .http
            .post(format!("{}/graphql", self.url))
            .header("content-type", "application/json");
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let answer = request.body(body.to_string()).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let mut answer: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
        assert!(answer.get("errors").is_none(), "{document}: {answer}");
        answer["data"].take()
    }

    /// Exchanges a public token.
    pub(crate) async fn exchange(&self, public_token: &str) -> Linked {
        let document = "mutation($input: ExchangePublicTokenInput!) { exchangePublicToken(input: $input) { \
                        item { id } syncJob { id } userErrors { code } } }";
        let data = self
            .ask(document, json!({"input": {"publicToken": public_token}}))
            .await;
        let linked = &data["exchangePublicToken"];
        let id = |thing: &str| linked[thing]["id"].as_str().map(str::to_owned);
        Linked {
            item: id("item").unwrap_or_else(|| panic!("{data}")),
            sync_job: id("syncJob").unwrap(),
        }
    }

    /// Links a test user of the bank and waits until the first sync has succeeded.
    pub(crate) async fn link(&self, bank: &Bank, username: &str) -> Linked {
        let webhook = format!("{}/webhooks/plaid", self.url);
        let public_token = bank.public_token(username, &webhook).await;
        let linked = self.exchange(&public_token).await;
        self.synced(&linked.sync_job).await;
        linked
    }

    /// Follows a sync job until it has succeeded.
    pub(crate) async fn synced(&self, sync_job: &str) {
        let document = "subscription($id: ID!) { syncJobUpdated(syncJobId: $id) { syncJob { status error { code } } } }";
        let mut watch = self.watch(document, json!({"id": sync_job})).await;
        loop {
            let mut event = watch.next().await;
            let job = event["syncJobUpdated"]["syncJob"].take();
            match job["status"].as_str() {
                Some("SUCCEEDED") => return,
                Some("FAILED" | "CANCELLED") => panic!("{job}"),
                _ => {}
            }
        }
    }

    /// Opens a socket with a subscription on it.
    pub(crate) async fn watch(&self, document: &str, variables: Value) -> Watch {
        let mut socket = handshake(&self.url).await;
        let payload = json!({"Authorization": format!("Bearer {}", self.token)});
        let init = json!({"type": "connection_init", "payload": payload});
        send(&mut socket, init).await;
        let mut watch = Watch(socket);
        assert_eq!(watch.message().await["type"], "connection_ack");
        let payload = json!({"query": document, "variables": variables});
        let subscribe = json!({"id": "1", "type": "subscribe", "payload": payload});
        send(&mut watch.0, subscribe).await;
        watch
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a socket that has said nothing yet.
pub(crate) async fn handshake(url: &str) -> Socket {
    let address = format!("{}/graphql", url.replace("http:", "ws:"));
    let mut request = address.into_client_request().unwrap();
    let protocol = "graphql-transport-ws".parse().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    // There may be thousands of them.
    let small = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0);
    let opened = connect_async_with_config(request, Some(small), true).await;
    opened.unwrap().0
}

async fn send(socket: &mut Socket, message: Value) {
    let message = Message::text(message.to_string());
    socket.send(message).await.unwrap();
}

/// A subscription that is open.
pub(crate) struct Watch(Socket);

impl Watch {
    /// The data of the next event.
    pub(crate) async fn next(&mut self) -> Value {
        let mut message = self.message().await;
        assert_eq!(message["type"], "next", "{message}");
        message["payload"]["data"].take()
    }

    /// Returns when the server has taken the subscription in: it answers in order.
    pub(crate) async fn settled(&mut self) {
        send(&mut self.0, json!({"type": "ping"})).await;
        assert_eq!(self.message().await["type"], "pong");
    }

    async fn message(&mut self) -> Value {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.0.next()).await;
            let frame = frame.expect("nothing came").expect("the socket ended");
            if let Message::Text(text) = frame.unwrap() {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["type"] != "ping" {
                    return message;
                }
            }
        }
    }
}
