//! One POST with JSON both ways. Whatever goes wrong comes back as a `ProviderError`: nothing here
//! retries, logs a body or shows a token.
//! Refused: redirects (they would carry the credentials elsewhere), proxies from the environment,
//! compressed answers (the size cap is on what arrives), and HTTP statuses as a reason for anything
//! that the body explains.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reqwest::{
    Response, StatusCode, Url,
    header::{HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    errors::{PlaidError, RATE_WINDOW, unanswered, wait_at_least},
    lenient::Text,
};
use crate::{
    clock::Clock,
    error::{Class, Error, ProviderError, Result},
};

/// The version whose words `wire` speaks. <https://plaid.com/docs/api/versioning/>
const VERSION: &str = "2020-09-14";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Shorter than the load balancers of this world keep a connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer that is read. A full page of transactions is about 1 MiB.
const BODY_MAX: usize = 32 * 1024 * 1024;

/// The shortest secret that is worth looking for in an error; a stand-in's may be one letter.
const SECRET_MIN: usize = 8;

/// Where a call goes, and how long it may take in all.
#[derive(Clone, Copy)]
pub(super) struct Endpoint {
    path: &'static str,
    timeout: Duration,
}

impl Endpoint {
    /// An endpoint that answers from what Plaid has.
    pub(super) const fn new(path: &'static str) -> Self {
        Self::within(path, 30)
    }

    /// An endpoint with a time-out of its own, in seconds.
    pub(super) const fn within(path: &'static str, seconds: u64) -> Self {
        Self {
            path,
            timeout: Duration::from_secs(seconds),
        }
    }
}

/// The connection to one environment of Plaid's.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    secret: SecretString,
    clock: Clock,
}

impl Client {
    /// Prepares calls to `base_url` with these credentials. Connects to nothing.
    pub(super) fn new(
        base_url: &str,
        client_id: &SecretString,
        secret: SecretString,
        clock: Clock,
    ) -> Result<Self> {
        let base = Url::parse(base_url).map_err(Error::internal)?;
        if !matches!(base.scheme(), "https" | "http") || !base.has_host() {
            return Err(Error::internal("the base URL of Plaid is no web address"));
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("passbook/", env!("CARGO_PKG_VERSION")))
            .default_headers(credentials(client_id, &secret)?)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            http,
            base: base.as_str().trim_end_matches('/').to_owned(),
            secret,
            clock,
        })
    }

    /// Calls an endpoint and reads the whole answer, which may still be of the wrong shape.
    pub(super) async fn post(
        &self,
        endpoint: Endpoint,
        request: &impl Serialize,
    ) -> Result<Answer, ProviderError> {
        let started = Instant::now();
        let answer = self.exchange(endpoint, request).await;
        let duration_ms = started.elapsed().as_millis();
        if tracing::enabled!(tracing::Level::DEBUG) {
            let (outcome, request_id) = match &answer {
                Ok(answer) => ("ok", answer.request_id()),
                Err(error) => (error.code.as_str(), error.request_id.clone()),
            };
            let endpoint = endpoint.path;
            tracing::debug!(endpoint, outcome, request_id, duration_ms, "Called Plaid");
        }
        answer
    }

    async fn exchange(
        &self,
        endpoint: Endpoint,
        request: &impl Serialize,
    ) -> Result<Answer, ProviderError> {
        let sent = self
            .http
            .post(format!("{}{}", self.base, endpoint.path))
            .timeout(endpoint.timeout)
            .json(request)
            .send();
        let response = sent.await.map_err(|error| lost(error, "unreachable"))?;
        let status = response.status();
        let asked = asked_wait(response.headers(), self.clock.now());
        let text = body(response).await?;
        if status.is_success() {
            return Ok(Answer { text });
        }
        let mut error = self.refused(status, &text);
        error.class = wait_at_least(error.class, asked);
        Err(error)
    }

    fn refused(&self, status: StatusCode, text: &str) -> ProviderError {
        let Some(error) = PlaidError::parse(text) else {
            let detail = format!(
                "{status} with {} bytes that are no error of Plaid's",
                text.len()
            );
            let mut error = unanswered("malformed", &detail);
            if status == StatusCode::TOO_MANY_REQUESTS {
                // A gateway before Plaid speaks no JSON, and means the same.
                error.class = Class::Retry(Some(RATE_WINDOW));
            }
            return error;
        };
        let mut error = error.classed(status.is_server_error());
        error.detail = format!("{status} {}", self.conceal(&error.detail));
        error
    }

    /// The text without our own secret, should the provider have echoed it.
    fn conceal(&self, text: &str) -> String {
        match self.secret.expose_secret() {
            secret if secret.len() >= SECRET_MIN => text.replace(secret, "[secret]"),
            _ => text.to_owned(),
        }
    }
}

/// The headers that every call carries. <https://plaid.com/docs/api/#api-protocols-and-headers>
fn credentials(client_id: &SecretString, secret: &SecretString) -> Result<HeaderMap> {
    let hidden = |value: &SecretString| {
        let mut value = HeaderValue::from_str(value.expose_secret())
            .map_err(|_| Error::internal("the credentials of Plaid hold unprintable characters"))?;
        value.set_sensitive(true);
        Ok::<_, Error>(value)
    };
    let mut headers = HeaderMap::new();
    headers.insert("plaid-client-id", hidden(client_id)?);
    headers.insert("plaid-secret", hidden(secret)?);
    headers.insert("plaid-version", HeaderValue::from_static(VERSION));
    Ok(headers)
}

/// Reads a body piece by piece, so that an endless one costs no more than the cap.
async fn body(mut response: Response) -> Result<String, ProviderError> {
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|e| lost(e, "truncated"))? {
        if bytes.len() + piece.len() > BODY_MAX {
            return Err(unanswered("oversized", "the answer is larger than 32 MiB"));
        }
        bytes.extend_from_slice(&piece);
    }
    // One broken character of a bank's must not cost the page it is on.
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// A call that got no whole answer. The URL is left out of what is told, though it holds no secret.
fn lost(error: reqwest::Error, code: &str) -> ProviderError {
    let code = if error.is_timeout() { "timeout" } else { code };
    unanswered(code, &Error::internal(error.without_url()).chain())
}

/// How long the server asks us to stay away: seconds or a date. Nonsense asks nothing.
fn asked_wait(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?;
    (until.with_timezone(&Utc) - now).to_std().ok()
}

/// The body of a call that succeeded.
pub(super) struct Answer {
    text: String,
}

impl Answer {
    /// Reads the body as the endpoint's answer. What it lends lives in the body.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ProviderError> {
        serde_json::from_str(&self.text).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &serde_json::Error) -> ProviderError {
        if let Some(error) = PlaidError::parse(&self.text) {
            return error.classed(false);
        }
        // What serde says of a value quotes it; a missing field's name is Plaid's own.
        let told = error.to_string();
        let what = match told.strip_prefix("missing field ") {
            Some(field) => format!("no field {field}"),
            None => format!("line {} column {}", error.line(), error.column()),
        };
        let detail = format!(
            "{:?} error in {} bytes, {what}",
            error.classify(),
            self.text.len()
        );
        ProviderError {
            request_id: self.request_id(),
            ..unanswered("malformed", &detail)
        }
    }

    /// Plaid's name for the call.
    fn request_id(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Envelope {
            #[serde(default)]
            request_id: Text,
        }
        serde_json::from_str::<Envelope>(&self.text)
            .ok()?
            .request_id
            .0
    }
}
