//! A client of the API: GraphQL over HTTP, and subscriptions as server-sent events, so that one
//! connection's TLS does for both. Tokens run out and servers go away for a while; which of the two it
//! was, or neither, is what every failure says.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::cli::failure::{Exit, Failure};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a stream may be silent: a server that lives sends something more often.
const SILENCE: Duration = Duration::from_mins(1);

/// The longest line of a stream that is read.
const LINE_MAX: usize = 64 * 1024;

/// Why a server did not do what it was asked for.
pub(super) enum Trouble {
    /// The access token is void.
    SignedOut,
    /// It may do so later.
    Away(Failure),
    /// It does not.
    Refused(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::SignedOut => Self::new(Exit::Problems, "the session is over; sign in again"),
            Trouble::Away(failure) | Trouble::Refused(failure) => failure,
        }
    }
}

/// A person's way to a server.
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    access: Option<SecretString>,
    refresh: Option<SecretString>,
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
            access: None,
            refresh: None,
        })
    }

    /// Begins a session.
    pub(super) async fn sign_in(
        &mut self,
        email: &str,
        password: &SecretString,
    ) -> Result<(), Failure> {
        let document = "mutation($email: String!, $password: String!) { login(input: {email: $email, password: \
                        $password}) { accessToken refreshToken secondFactor { expiresAt } userErrors { message } } }";
        let variables = json!({"email": email, "password": password.expose_secret()});
        let session = self.ask("login", document, variables).await?;
        if session["secondFactor"].is_object() {
            let text = "this person has a second factor, which is not asked for here; sign in as somebody without one";
            return Err(Failure::new(Exit::Problems, text));
        }
        self.keep(&session)
    }

    /// Goes on with the session when its access token has run out.
    pub(super) async fn refresh(&mut self) -> Result<(), Trouble> {
        let document = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { accessToken \
                        refreshToken userErrors { message } } }";
        let token = self.refresh.as_ref().ok_or(Trouble::SignedOut)?;
        let variables = json!({"token": token.expose_secret()});
        // The token that has run out would have the request refused.
        self.access = None;
        let session = self.ask("refreshSession", document, variables).await?;
        Ok(self.keep(&session)?)
    }

    fn keep(&mut self, session: &Value) -> Result<(), Failure> {
        let token = |name: &str| session[name].as_str().map(SecretString::from);
        let tokens = token("accessToken").zip(token("refreshToken"));
        let (access, refresh) = tokens.ok_or_else(|| {
            let why = session["userErrors"][0]["message"].as_str();
            Failure::new(Exit::Problems, why.unwrap_or("the server lets nobody in"))
        })?;
        (self.access, self.refresh) = (Some(access), Some(refresh));
        Ok(())
    }

    /// Ends the session, by the token that has not run out.
    pub(super) async fn sign_out(mut self) -> Result<(), Failure> {
        let document = "mutation($token: String) { logout(input: {refreshToken: $token}) { userErrors { message } } }";
        let token = self.refresh.take();
        let variables = json!({"token": token.as_ref().map(ExposeSecret::expose_secret)});
        self.access = None;
        Ok(self.ask("logout", document, variables).await.map(drop)?)
    }

    /// Asks one field, and returns what it holds.
    pub(super) async fn ask(
        &self,
        field: &str,
        document: &str,
        variables: Value,
    ) -> Result<Value, Trouble> {
        let answer = async {
            let sent = self.post("application/json", document, variables).await?;
            Ok::<_, reqwest::Error>((sent.status(), sent.bytes().await?))
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        let answer = answer.map_err(|_| self.away("no answer in time"))?;
        let (status, body) = answer.map_err(|error| self.away(error.without_url()))?;
        // What a gateway answers is no JSON.
        let mut answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        if let Some(trouble) = trouble(field, &answer) {
            return Err(trouble);
        }
        if !status.is_success() || !answer.is_object() {
            return Err(self.refused(field, status));
        }
        Ok(answer["data"][field].take())
    }

    /// Opens a subscription of one field.
    pub(super) async fn follow(
        &self,
        field: &'static str,
        document: &str,
        variables: Value,
    ) -> Result<Events, Trouble> {
        let sent = self.post("text/event-stream", document, variables).await;
        let response = sent.map_err(|error| self.away(error.without_url()))?;
        let status = response.status();
        if !status.is_success() {
            return Err(self.refused(field, status));
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
        if let Some(token) = &self.access {
            request = request.bearer_auth(token.expose_secret());
        }
        request.header("accept", accept).send().await
    }

    /// What a status means. Gateways answer for a server that is starting.
    fn refused(&self, field: &str, status: StatusCode) -> Trouble {
        match status {
            StatusCode::UNAUTHORIZED => Trouble::SignedOut,
            StatusCode::TOO_MANY_REQUESTS => self.away(status),
            _ if status.is_server_error() => self.away(status),
            _ => Trouble::Refused(Failure::new(Exit::Problems, format!("{field}: {status}"))),
        }
    }

    fn away(&self, why: impl std::fmt::Display) -> Trouble {
        let url = &self.url;
        Trouble::Away(Failure::temporary(format!(
            "{url} does not answer: {why}; check that a server runs there"
        )))
    }
}

/// What the first error of an answer means; nothing if there is none.
fn trouble(field: &str, answer: &Value) -> Option<Trouble> {
    let error = &answer["errors"][0];
    let text = format!("{field}: {}", error["message"].as_str()?);
    Some(match error["extensions"]["code"].as_str() {
        Some("UNAUTHENTICATED") => Trouble::SignedOut,
        Some("UNAVAILABLE" | "RATE_LIMITED" | "TIMEOUT") => Trouble::Away(Failure::temporary(text)),
        _ => Trouble::Refused(Failure::new(Exit::Problems, text)),
    })
}

/// A subscription that is open.
pub(super) struct Events {
    field: &'static str,
    response: Response,
    waiting: Vec<u8>,
}

impl Events {
    /// What the next event holds; nothing once there are no more.
    pub(super) async fn next(&mut self) -> Result<Option<Value>, Trouble> {
        while let Some(line) = self.line().await {
            let Some(data) = line.strip_prefix("data:") else {
                continue;
            };
            let Ok(mut answer) = serde_json::from_str::<Value>(data) else {
                continue;
            };
            if let Some(trouble) = trouble(self.field, &answer) {
                return Err(trouble);
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
