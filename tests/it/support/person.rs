//! A person with a session, and what she does through the API.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::Bank;

/// What a story waits for at most before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// What people's clients call themselves.
pub(crate) const DEVICE: &str = "a story";

pub(crate) struct Person {
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) refresh_token: String,
    http: reqwest::Client,
    /// What a proxy writes of where she is.
    forwarded: Option<String>,
}

impl Person {
    /// A person who registers.
    pub(crate) async fn register(url: &str, name: &str) -> Self {
        Self::enter(url, name, "register").await
    }

    /// A person who is known, on another device.
    pub(crate) async fn sign_in(url: &str, name: &str) -> Self {
        Self::enter(url, name, "login").await
    }

    /// Somebody without a session.
    pub(crate) fn nobody(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            token: String::new(),
            refresh_token: String::new(),
            // A connection for each request, so that none is left to a server that is gone.
            http: reqwest::Client::builder()
                .user_agent(DEVICE)
                .pool_max_idle_per_host(0)
                .build()
                .unwrap(),
            forwarded: None,
        }
    }

    async fn enter(url: &str, name: &str, mutation: &str) -> Self {
        let mut person = Self::nobody(url);
        let document = format!(
            "mutation($email: String!, $password: String!) {{ {mutation}(input: {{email: $email, \
             password: $password}}) {{ accessToken refreshToken userErrors {{ code message field }} }} }}"
        );
        let input =
            json!({"email": format!("{name}@example.com"), "password": "correct horse battery"});
        let answer = person.ask(&document, input).await;
        let session = &answer[mutation];
        assert_eq!(session["userErrors"], json!([]), "{answer}");
        let token = |name: &str| session[name].as_str().unwrap().to_owned();
        (person.token, person.refresh_token) = (token("accessToken"), token("refreshToken"));
        person
    }

    /// The same server, asked by somebody without a session.
    pub(crate) fn stranger(&self) -> Self {
        Self {
            url: self.url.clone(),
            token: String::new(),
            refresh_token: String::new(),
            http: self.http.clone(),
            forwarded: None,
        }
    }

    /// The same person behind a proxy that writes where she is.
    pub(crate) fn from(&self, address: &str) -> Self {
        Self {
            forwarded: Some(address.to_owned()),
            ..self.with(&self.token)
        }
    }

    /// The same person at another address of the server.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ..self.with(&self.token)
        }
    }

    /// The same person with another access token.
    pub(crate) fn with(&self, token: &str) -> Self {
        Self {
            url: self.url.clone(),
            token: token.to_owned(),
            refresh_token: self.refresh_token.clone(),
            http: self.http.clone(),
            forwarded: self.forwarded.clone(),
        }
    }

    /// The whole answer to a document.
    pub(crate) async fn answer(&self, document: &str, variables: Value) -> Value {
        let (_, text) = self.raw(document, variables).await;
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
    }

    /// The data of a document that is expected to succeed.
    pub(crate) async fn ask(&self, document: &str, variables: Value) -> Value {
        let mut answer = self.answer(document, variables).await;
        assert!(answer.get("errors").is_none(), "{document}: {answer}");
        answer["data"].take()
    }

    /// The code of the first error of a document that is expected to fail.
    pub(crate) async fn error(&self, document: &str, variables: Value) -> String {
        let answer = self.answer(document, variables).await;
        let code = &answer["errors"][0]["extensions"]["code"];
        code.as_str()
            .unwrap_or_else(|| panic!("no error: {answer}"))
            .to_owned()
    }

    /// The answer to a document as it travels: status and text.
    pub(crate) async fn raw(&self, document: &str, variables: Value) -> (u16, String) {
        let body = json!({"query": document, "variables": variables});
        let mut request = self
            .http
            .post(format!("{}/graphql", self.url))
            .header("content-type", "application/json");
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(address) = &self.forwarded {
            request = request.header("x-forwarded-for", address);
        }
        let answer = request.body(body.to_string()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Asks for a sync and waits until it has ended.
    pub(crate) async fn sync(&self, item: &str) -> Value {
        let document = "mutation($id: ID!) { syncItem(input: {itemId: $id}) { syncJob { id } userErrors { code } } }";
        let data = self.ask(document, json!({"id": item})).await;
        let job = data["syncItem"]["syncJob"]["id"].as_str();
        self.sync_job_ends(job.unwrap_or_else(|| panic!("{data}")))
            .await
    }

    /// Waits until no sync of hers is under way; returns all there ever were, newest first.
    pub(crate) async fn quiet(&self) -> Vec<Value> {
        let document = "{ syncJobs(first: 100) { nodes { id status trigger attempt finishedAt error { code } \
                        progress { pages added modified removed } } } }";
        let quiet = async {
            loop {
                let mut data = self.ask(document, json!({})).await;
                let jobs = data["syncJobs"]["nodes"].take();
                let jobs = jobs.as_array().unwrap().clone();
                match jobs.iter().find(|job| job["finishedAt"].is_null()) {
                    None => return jobs,
                    Some(job) => self.sync_job_ends(job["id"].as_str().unwrap()).await,
                };
            }
        };
        patiently(quiet).await
    }

    /// How an item stands.
    pub(crate) async fn item(&self, id: &str) -> Value {
        let document = "query($id: ID!) { item(id: $id) { linkStatus linkErrorCode transactionsStatus \
                        requiredAction { __typename } accounts { mask } } }";
        let mut data = self.ask(document, json!({"id": id})).await;
        data["item"].take()
    }

    /// A hosted page that links a bank, or repairs an item.
    pub(crate) async fn hosted_link(&self, item: Option<&str>) -> String {
        let document = "mutation($id: ID) { createLinkToken(input: {itemId: $id}) { hostedLinkUrl userErrors { code } } }";
        let data = self.ask(document, json!({"id": item})).await;
        let url = data["createLinkToken"]["hostedLinkUrl"].as_str();
        url.unwrap_or_else(|| panic!("{data}")).to_owned()
    }

    /// Removes a bank.
    pub(crate) async fn remove(&self, item: &str) {
        let document = "mutation($id: ID!) { removeItem(input: {itemId: $id}) { removedItemId userErrors { code } } }";
        let data = self.ask(document, json!({"id": item})).await;
        let gone = json!({"removedItemId": item, "userErrors": []});
        assert_eq!(data["removeItem"], gone);
    }

    /// The public token of a link session of hers that she went through to its end. The bank's word
    /// of that is held back, so that nobody but the story offers it.
    pub(crate) async fn finished_session(&self, bank: &Bank) -> String {
        bank.settings(json!({"webhooks": {"drop": 1.0}})).await;
        let document = "mutation { createLinkToken { linkToken hostedLinkUrl } }";
        let link = self.ask(document, json!({})).await["createLinkToken"].take();
        let page = link["hostedLinkUrl"].as_str().unwrap();
        bank.walk(page, Some("ins_109508"), "pass_good").await;
        let token = json!({"link_token": link["linkToken"]});
        let session = bank.ask("/link/token/get", token).await;
        let results = &session["link_sessions"][0]["results"]["item_add_results"];
        results[0]["public_token"].as_str().unwrap().to_owned()
    }

    /// Offers a public token.
    pub(crate) async fn exchange(&self, public_token: &str) -> Value {
        self.exchange_under(public_token, None).await
    }

    /// Offers a public token under a key of her own.
    pub(crate) async fn exchange_under(&self, public_token: &str, key: Option<&str>) -> Value {
        let document = "mutation($input: ExchangePublicTokenInput!) { exchangePublicToken(input: $input) { \
                        item { id } syncJob { id status trigger } existingItem { id } \
                        userErrors { code message field retryable retryAfterSeconds } } }";
        let mut data = self
            .ask(
                document,
                json!({"input": {"publicToken": public_token, "idempotencyKey": key}}),
            )
            .await;
        data["exchangePublicToken"].take()
    }

    /// Links a test user of the bank and waits until the first sync has ended.
    pub(crate) async fn link(&self, bank: &Bank, username: &str) -> String {
        self.link_at(bank, "ins_109508", username).await
    }

    /// The same at another of the sandbox's banks.
    pub(crate) async fn link_at(&self, bank: &Bank, institution: &str, username: &str) -> String {
        let webhook = format!("{}/webhooks/plaid", self.url);
        let public_token = bank.public_token_at(institution, username, &webhook).await;
        let linked = self.exchange(&public_token).await;
        let job = linked["syncJob"]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{linked}"));
        let ended = self.sync_job_ends(job).await;
        assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
        linked["item"]["id"].as_str().unwrap().to_owned()
    }

    /// Follows a sync job until it has ended.
    pub(crate) async fn sync_job_ends(&self, id: &str) -> Value {
        let document = "subscription($id: ID!) { syncJobUpdated(syncJobId: $id) { cursor syncJob { \
                        id status trigger attempt progress { pages added modified removed } \
                        error { code message action retryable } } } }";
        let mut watch = self.watch(document, json!({"id": id})).await;
        loop {
            let mut event = watch.next().await;
            let job = event["syncJobUpdated"]["syncJob"].take();
            if ["SUCCEEDED", "FAILED", "CANCELLED"]
                .iter()
                .any(|end| job["status"] == *end)
            {
                return job;
            }
        }
    }

    /// Opens a socket with a subscription on it.
    pub(crate) async fn watch(&self, document: &str, variables: Value) -> Watch {
        let mut request = self
            .url
            .replace("http:", "ws:")
            .into_client_request()
            .unwrap();
        *request.uri_mut() = format!("{}/graphql", self.url.replace("http:", "ws:"))
            .parse()
            .unwrap();
        request.headers_mut().insert(
            "sec-websocket-protocol",
            "graphql-transport-ws".parse().unwrap(),
        );
        let (mut socket, _) = connect_async(request).await.unwrap();
        let payload = match self.token.as_str() {
            "" => json!({}),
            token => json!({"Authorization": format!("Bearer {token}")}),
        };
        send(
            &mut socket,
            json!({"type": "connection_init", "payload": payload}),
        )
        .await;
        let mut watch = Watch { socket };
        assert_eq!(watch.message().await["type"], "connection_ack");
        let payload = json!({"query": document, "variables": variables});
        send(
            &mut watch.socket,
            json!({"id": "1", "type": "subscribe", "payload": payload}),
        )
        .await;
        watch
    }

    /// All transactions, newest first, page by page.
    pub(crate) async fn transactions(&self) -> Vec<Value> {
        let document = "query($after: String) { transactions(first: 100, after: $after) { \
                        pageInfo { hasNextPage endCursor } nodes { id amount { amount currency } direction date \
                        authorizedDate datetime name merchantName pending paymentChannel createdAt updatedAt \
                        category { primary detailed } account { id name } } } }";
        let mut all = Vec::new();
        let mut after = Value::Null;
        loop {
            let mut data = self.ask(document, json!({"after": after})).await;
            let page = &mut data["transactions"];
            all.extend(page["nodes"].as_array().unwrap().iter().cloned());
            if page["pageInfo"]["hasNextPage"] != true {
                return all;
            }
            after = page["pageInfo"]["endCursor"].take();
        }
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn send(socket: &mut Socket, message: Value) {
    socket
        .send(Message::text(message.to_string()))
        .await
        .unwrap();
}

/// A subscription that is open.
pub(crate) struct Watch {
    socket: Socket,
}

impl Watch {
    /// The data of the next event.
    pub(crate) async fn next(&mut self) -> Value {
        let mut message = self.message().await;
        assert_eq!(message["type"], "next", "{message}");
        let payload = &mut message["payload"];
        assert!(payload.get("errors").is_none(), "{payload}");
        payload["data"].take()
    }

    /// The next message, pings aside.
    pub(crate) async fn message(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// The next message as it travels, pings aside.
    pub(crate) async fn text(&mut self) -> String {
        let text = async {
            loop {
                match self.frame().await {
                    Message::Text(text) => {
                        let message: Value = serde_json::from_str(&text).unwrap();
                        if message["type"] != "ping" {
                            return text.to_string();
                        }
                    }
                    Message::Close(frame) => panic!("closed: {frame:?}"),
                    _ => {}
                }
            }
        };
        patiently(text).await
    }

    /// The code the server closes the socket with.
    pub(crate) async fn closed(&mut self) -> u16 {
        let code = async {
            loop {
                if let Message::Close(frame) = self.frame().await {
                    return frame.unwrap().code.into();
                }
            }
        };
        patiently(code).await
    }

    /// Checks that nothing came: whatever the server had to say is before its answer to a ping.
    pub(crate) async fn silent(&mut self) {
        send(&mut self.socket, json!({"type": "ping"})).await;
        loop {
            if let Message::Text(text) = self.frame().await {
                let message: Value = serde_json::from_str(&text).unwrap();
                match message["type"].as_str() {
                    Some("pong") => return,
                    Some("ping") => {}
                    _ => panic!("something came: {message}"),
                }
            }
        }
    }

    async fn frame(&mut self) -> Message {
        let frame = self.socket.next().await;
        frame.expect("the socket ended").unwrap()
    }
}

/// Waits for what has to come. A server that lives sends pings, so the wait is for the whole of it.
pub(crate) async fn patiently<T>(what: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(PATIENCE, what).await;
    outcome.expect("nothing came")
}
