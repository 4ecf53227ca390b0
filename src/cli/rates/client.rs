//! A client of the API: GraphQL over HTTP, and subscriptions as server-sent events, so that one
//! connection's TLS does for both.

use std::time::Duration;

use reqwest::Response;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::cli::failure::{Exit, Failure};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a stream may be silent: a server that lives sends something more often.
const SILENCE: Duration = Duration::from_mins(1);

/// The longest line of a stream that is read.
const LINE_MAX: usize = 64 * 1024;

/// A person's way to a server.
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<SecretString>,
}

impl Client {
    pub(super) fn new(server: &str) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(PATIENCE)
            .read_timeout(SILENCE)
            .build()
            .map_err(|error| Failure::new(Exit::Software, error.to_string()))?;
        Ok(Self {
            http,
            url: format!("{server}/graphql"),
            token: None,
        })
    }

    /// Begins a session.
    pub(super) async fn sign_in(
        &mut self,
        email: &str,
        password: &SecretString,
    ) -> Result<(), Failure> {
        let document = "mutation($email: String!, $password: String!) { login(input: {email: $email, password: \
                        $password}) { accessToken secondFactor { expiresAt } userErrors { message } } }";
        let variables = json!({"email": email, "password": password.expose_secret()});
        let session = self.ask("login", document, variables).await?;
        if session["secondFactor"].is_object() {
            let text = "this person has a second factor, which is not asked for here; sign in as somebody without one";
            return Err(Failure::new(Exit::Problems, text));
        }
        let token = session["accessToken"].as_str();
        let token = token.ok_or_else(|| {
            let why = session["userErrors"][0]["message"].as_str();
            Failure::new(Exit::Problems, why.unwrap_or("the server lets nobody in"))
        })?;
        self.token = Some(token.into());
        Ok(())
    }

    /// Ends the session.
    pub(super) async fn sign_out(self) -> Result<(), Failure> {
        let document = "mutation { logout { userErrors { message } } }";
        self.ask("logout", document, Value::Null).await.map(drop)
    }

    /// Asks one field, and returns what it holds.
    pub(super) async fn ask(
        &self,
        field: &str,
        document: &str,
        variables: Value,
    ) -> Result<Value, Failure> {
        let answer = async {
            let sent = self.post("application/json", document, variables).await?;
            sent.json::<Value>().await
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        let answer = answer.map_err(|_| self.away("no answer in time"))?;
        let mut answer = answer.map_err(|error| self.away(error.without_url()))?;
        if let Some(error) = answer["errors"][0]["message"].as_str() {
            return Err(Failure::new(Exit::Problems, format!("{field}: {error}")));
        }
        Ok(answer["data"][field].take())
    }

    /// Opens a subscription of one field.
    pub(super) async fn follow(
        &self,
        field: &'static str,
        document: &str,
        variables: Value,
    ) -> Result<Events, Failure> {
        let sent = self.post("text/event-stream", document, variables).await;
        let response = sent.map_err(|error| self.away(error.without_url()))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::new(Exit::Problems, format!("{field}: {status}")));
        }
        Ok(Events {
            field,
            response,
            waiting: Vec::new(),
        })
    }

    async fn post(
        &self,
        accept: &str,
        document: &str,
        variables: Value,
    ) -> reqwest::Result<Response> {
        let body = json!({"query": document, "variables": variables});
        let mut request = self.http.post(&self.url).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        request.header("accept", accept).send().await
    }

    fn away(&self, why: impl std::fmt::Display) -> Failure {
        let url = &self.url;
        Failure::temporary(format!(
            "{url} does not answer: {why}; check that a server runs there"
        ))
    }
}

/// A subscription that is open.
pub(super) struct Events {
    field: &'static str,
    response: Response,
    waiting: Vec<u8>,
}

impl Events {
    /// What the next event holds; nothing once there are no more.
    pub(super) async fn next(&mut self) -> Result<Option<Value>, Failure> {
        while let Some(line) = self.line().await {
            let Some(data) = line.strip_prefix("data:") else {
                continue;
            };
            let Ok(mut answer) = serde_json::from_str::<Value>(data) else {
                continue;
            };
            if let Some(error) = answer["errors"][0]["message"].as_str() {
                let text = format!("{}: {error}", self.field);
                return Err(Failure::new(Exit::Problems, text));
            }
            return Ok(Some(answer["data"][self.field].take()));
        }
        Ok(None)
    }

    /// The next line; nothing at the end, however that came.
    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.waiting.iter().position(|byte| *byte == b'\n') {
                let rest = self.waiting.split_off(end + 1);
                let line = std::mem::replace(&mut self.waiting, rest);
                return Some(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            let piece = self.response.chunk().await.ok().flatten()?;
            self.waiting.extend_from_slice(&piece);
            if self.waiting.len() > LINE_MAX {
                return None;
            }
        }
    }
}
