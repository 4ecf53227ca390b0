//! A client of the API, as anybody may write one: GraphQL over HTTP, and subscriptions over a
//! WebSocket in the protocol `graphql-transport-ws`.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use super::broken;
use crate::cli::failure::Failure;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser or an app: it follows no redirect by itself.
pub(super) fn http() -> Result<reqwest::Client, Failure> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .map_err(broken)
}

/// A client, signed in once it has a token.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Client {
    pub(super) fn new(server: &str) -> Result<Self, Failure> {
        Ok(Self {
            http: http()?,
            url: format!("{server}/graphql"),
            token: None,
        })
    }

    /// Goes on as the person a token belongs to.
    pub(super) fn sign_in(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    /// Asks one field, and returns what it holds. What the server refuses is the caller's to see.
    pub(super) async fn ask(
        &self,
        field: &str,
        document: &str,
        variables: Value,
    ) -> Result<Value, Failure> {
        let body = json!({"query": document, "variables": variables});
        let mut request = self.http.post(&self.url).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = async { request.send().await?.json::<Value>().await };
        let mut answer = answer
            .await
            .map_err(|error| broken(format!("{field}: {error}")))?;
        if let Some(errors) = answer.get("errors") {
            return Err(broken(format!("{field}: {errors}")));
        }
        Ok(answer["data"][field].take())
    }

    /// Does one thing, and returns what came of it; a refusal ends the demo.
    pub(super) async fn mutate(
        &self,
        field: &str,
        document: &str,
        variables: Value,
    ) -> Result<Value, Failure> {
        let payload = self.ask(field, document, variables).await?;
        match payload["userErrors"].as_array() {
            Some(refusals) if refusals.is_empty() => Ok(payload),
            _ => Err(broken(format!("{field}: {}", payload["userErrors"]))),
        }
    }

    /// Opens a subscription.
    pub(super) async fn watch(
        &self,
        field: &'static str,
        document: &str,
        variables: Value,
    ) -> Result<Watch, Failure> {
        let opened = async {
            let mut request = self.url.replacen("http", "ws", 1).into_client_request()?;
            let protocol = HeaderValue::from_static("graphql-transport-ws");
            let headers = request.headers_mut();
            headers.insert("sec-websocket-protocol", protocol);
            connect_async(request).await
        };
        let (socket, _) = opened
            .await
            .map_err(|error| broken(format!("{field}: {error}")))?;
        let mut watch = Watch { field, socket };
        let bearer = format!("Bearer {}", self.token.as_deref().unwrap_or_default());
        let payload = json!({"Authorization": bearer});
        watch
            .send(json!({"type": "connection_init", "payload": payload}))
            .await?;
        let welcome = watch.message().await?;
        if welcome["type"] != "connection_ack" {
            return Err(broken(format!("{field}: {welcome}")));
        }
        let payload = json!({"query": document, "variables": variables});
        watch
            .send(json!({"id": "1", "type": "subscribe", "payload": payload}))
            .await?;
        Ok(watch)
    }
}

/// A subscription that is open.
#[derive(Debug)]
pub(super) struct Watch {
    field: &'static str,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Watch {
    /// What the next event holds.
    pub(super) async fn next(&mut self) -> Result<Value, Failure> {
        let mut message = self.message().await?;
        let payload = &mut message["payload"];
        if payload["data"][self.field].is_object() {
            return Ok(payload["data"][self.field].take());
        }
        Err(broken(format!("{}: {message}", self.field)))
    }

    /// The next message that is about more than the connection.
    async fn message(&mut self) -> Result<Value, Failure> {
        let failed = |what: &dyn std::fmt::Display| broken(format!("{}: {what}", self.field));
        loop {
            let text = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => {
                    return Err(failed(&format_args!("the server closed it: {frame:?}")));
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(failed(&error)),
                None => return Err(failed(&"the connection ended")),
            };
            let message: Value = serde_json::from_str(&text).map_err(|error| failed(&error))?;
            if message["type"] != "ping" {
                return Ok(message);
            }
            self.socket
                .send(Message::text(json!({"type": "pong"}).to_string()))
                .await
                .map_err(|error| broken(format!("{}: {error}", self.field)))?;
        }
    }

    async fn send(&mut self, message: Value) -> Result<(), Failure> {
        let sent = self.socket.send(Message::text(message.to_string())).await;
        sent.map_err(|error| broken(format!("{}: {error}", self.field)))
    }
}
