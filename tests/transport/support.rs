//! A server for a test, and the two ways to talk to it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::routing::get;
use chrono::DateTime;
use futures_util::{SinkExt, StreamExt};
use migration::{Migrator, MigratorTrait};
use passbook::{
    auth::Access,
    config::Config,
    database::Database,
    error::{Error, Result},
    metrics::Metrics,
    seal::Keys,
    server::{Server, Site},
    transport::{Door, Limits},
    viewer::Viewer,
};
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error as WsError, Message, client::IntoClientRequest, http::Request},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::schema::{Executor, PATIENCE, Probe, build};

/// Knows one person, and ends her session when told.
#[derive(Clone, Debug, Default)]
pub struct TestDoor {
    pub over: CancellationToken,
}

impl Door for TestDoor {
    async fn authenticate(&self, token: &str) -> Result<Access> {
        match token {
            "ana" => Ok(Access {
                viewer: Viewer {
                    user_id: Uuid::from_u128(1),
                    session_id: Uuid::from_u128(2),
                },
                expires_at: DateTime::UNIX_EPOCH,
            }),
            "later" => Err(Error::Unavailable(Arc::new(std::io::Error::other("down")))),
            _ => Err(Error::Unauthenticated),
        }
    }

    async fn ended(&self, _access: Access) {
        self.over.cancelled().await;
    }
}

pub struct TestServer {
    pub probe: Probe,
    pub door: TestDoor,
    pub address: std::net::SocketAddr,
    pub db: Database,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<()>,
    http: reqwest::Client,
    file: PathBuf,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", self.file.display()));
        }
    }
}

/// Routes that are not the API's.
fn extra() -> axum::Router {
    let routes = axum::Router::new().route("/extra", get(async || "extra"));
    routes.route(
        "/panics",
        get(async || assert!(cfg!(not(test)), "on purpose")),
    )
}

pub fn config(pairs: &[(&str, &str)]) -> Arc<Config> {
    let mut all = vec![
        ("LISTEN", "127.0.0.1:0"),
        ("ALLOWED_ORIGINS", "https://app.example/"),
    ];
    all.retain(|(name, _)| !pairs.iter().any(|(other, _)| name == other));
    all.extend(pairs);
    Arc::new(Config::from_pairs(all).unwrap())
}

pub fn keys() -> Arc<Keys> {
    Arc::new(Keys::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap())
}

pub async fn database() -> (Database, PathBuf) {
    let name = format!("transport-{}.db", Uuid::now_v7());
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let url = format!("sqlite://{}", file.display());
    (Database::connect(&url).await.unwrap(), file)
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(Limits::default(), &[]).await
    }

    pub async fn with(limits: Limits, pairs: &[(&str, &str)]) -> Self {
        Self::serving(build, limits, pairs).await
    }

    pub async fn serving(
        schema: impl FnOnce(Probe) -> Executor,
        limits: Limits,
        pairs: &[(&str, &str)],
    ) -> Self {
        let (db, file) = database().await;
        Migrator::up(db.migrate(), None).await.unwrap();
        let (probe, door) = (Probe::default(), TestDoor::default());
        let site = Site {
            config: config(pairs),
            db: db.clone(),
            metrics: Metrics::default(),
            keys: keys(),
            executor: schema(probe.clone()),
            door: door.clone(),
            routes: extra(),
            limits: Arc::new(limits),
        };
        let server = Server::bind(site).await.unwrap();
        let address = server.address();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(server.serve(shutdown.clone()));
        Self {
            probe,
            door,
            address,
            db,
            shutdown,
            task,
            http: reqwest::Client::builder().build().unwrap(),
            file,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        self.http.request(method, self.url(path))
    }

    /// A POST as modern clients send it.
    pub fn post(&self, body: &Value) -> reqwest::RequestBuilder {
        self.request("POST", "/graphql")
            .header("accept", "application/graphql-response+json")
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// The status and body of a document.
    pub async fn ask(&self, query: &str) -> (u16, Value) {
        read(self.post(&json!({ "query": query }))).await
    }

    pub fn upgrade(&self) -> Request<()> {
        let url = format!("ws://{}/graphql", self.address);
        let mut request = url.into_client_request().unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        request
    }

    /// A socket that has said nothing yet.
    pub async fn socket(&self) -> Socket {
        Socket::open(self.upgrade()).await.unwrap()
    }

    /// A socket that is acknowledged.
    pub async fn ready_socket(&self) -> Socket {
        let mut socket = self.socket().await;
        socket.say(&json!({ "type": "connection_init" })).await;
        assert_eq!(socket.hear().await, json!({ "type": "connection_ack" }));
        socket
    }
}

/// Sends a request; its status and body.
pub async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let request = request.timeout(PATIENCE);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

/// The code of the first error.
pub fn code(body: &Value) -> &str {
    body["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or("none")
}

pub fn next(id: &str, data: &Value) -> Value {
    json!({ "type": "next", "id": id, "payload": { "data": data } })
}

pub fn complete(id: &str) -> Value {
    json!({ "type": "complete", "id": id })
}

pub fn init(token: &Value) -> Value {
    json!({ "type": "connection_init", "payload": token })
}

pub struct Socket(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn open(request: Request<()>) -> Result<Self, Box<WsError>> {
        let (stream, _) = connect_async(request).await.map_err(Box::new)?;
        Ok(Self(stream))
    }

    pub async fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub async fn send(&mut self, message: Message) {
        // The server may have closed already; what it said shows when we listen.
        let _ = self.0.send(message).await;
    }

    pub async fn subscribe(&mut self, id: &str, query: &str) {
        let payload = json!({ "query": query });
        self.say(&json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await;
    }

    /// The next message; a close as its code and reason.
    pub async fn hear(&mut self) -> Value {
        let patience = timeout(PATIENCE, async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return serde_json::from_str(&text).unwrap();
                    }
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return json!({
                            "closed": u16::from(frame.code),
                            "reason": frame.reason.as_str(),
                        });
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    other => return json!({ "broken": format!("{other:?}") }),
                }
            }
        });
        patience.await.expect("the server says nothing")
    }

    /// The code the server closes with.
    pub async fn closed(&mut self) -> u64 {
        let heard = self.hear().await;
        heard["closed"]
            .as_u64()
            .unwrap_or_else(|| panic!("{heard}"))
    }

    /// Asserts that the server has nothing to say before the answer to a ping.
    pub async fn quiet(&mut self) {
        self.say(&json!({ "type": "ping" })).await;
        assert_eq!(self.hear().await, json!({ "type": "pong" }));
    }
}

/// A time so short that it is over before anybody looks.
pub const MOMENT: Duration = Duration::from_millis(50);
