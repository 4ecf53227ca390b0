//! One exchange with MX, JSON both ways. Whatever goes wrong comes back as a `ProviderError`: nothing
//! here retries, logs a body or shows a secret. What a call that carries credentials is answered with
//! is never repeated, since it may repeat them.
//! <https://docs.mx.com/api-reference/platform-api/overview/>

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    Method, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::errors;
use crate::{
    clock::Clock,
    error::{Error, ProviderError, Result},
    metrics::{self, Metrics},
    providers::http::{self, unanswered},
};

/// The version whose words `wire` speaks, v20111101.
const VERSION: &str = "application/vnd.mx.api.v1+json";

/// MX's name for a call.
const REQUEST_ID: &str = "x-request-id";

const TIMEOUT: Duration = Duration::from_secs(30);

/// Long, because an answer that is given up may have made a member.
const TIMEOUT_OF_CHANGES: Duration = Duration::from_mins(1);

/// What is asked of MX.
pub(super) struct Call<'a> {
    method: Method,
    /// What the call is, without the ids in it, for the log.
    name: &'static str,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<SecretString>,
    secret: bool,
    unusual: &'a [StatusCode],
}

impl<'a> Call<'a> {
    pub(super) fn get(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(Method::GET, name, path)
    }

    pub(super) fn post(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(Method::POST, name, path)
    }

    pub(super) fn put(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(Method::PUT, name, path)
    }

    pub(super) fn delete(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, name, path)
    }

    fn new(method: Method, name: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            name,
            path: path.into(),
            query: Vec::new(),
            body: None,
            secret: false,
            unusual: &[],
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Sends a body. It is kept as a secret, since credentials may be in it.
    pub(super) fn body(mut self, body: &impl Serialize) -> Result<Self, ProviderError> {
        let text = serde_json::to_string(body)
            .map_err(|_| unanswered("malformed", "a request that is no JSON"))?;
        self.body = Some(text.into());
        Ok(self)
    }

    /// Says that the body holds what a person typed: nothing of the answer is repeated then.
    pub(super) fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Statuses that are an answer too.
    pub(super) fn or(mut self, unusual: &'a [StatusCode]) -> Self {
        self.unusual = unusual;
        self
    }
}

/// The connection to one environment of MX's.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    clock: Clock,
    metrics: Metrics,
}

impl Client {
    /// Prepares calls to `base_url` with these credentials. Connects to nothing.
    pub(super) fn new(
        base_url: &str,
        client_id: &SecretString,
        api_key: &SecretString,
        clock: Clock,
        metrics: Metrics,
    ) -> Result<Self> {
        Ok(Self {
            base: http::base(base_url, "MX")?,
            http: http::client(headers(client_id, api_key)?)?,
            clock,
            metrics,
        })
    }

    /// Makes a call and reads the whole answer, which may still be of the wrong shape.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answer, ProviderError> {
        let (name, method, started) = (call.name, call.method.clone(), Instant::now());
        let answer = self.exchange(call).await;
        let duration = started.elapsed();
        let counted = metrics::Call {
            provider: "mx",
            endpoint: name,
            outcome: match &answer {
                Ok(_) => "ok",
                Err(error) => error.class.name(),
            },
        };
        self.metrics.called(&counted, duration);
        let duration_ms = duration.as_millis();
        let (outcome, request_id) = match &answer {
            Ok(answer) => ("ok", answer.request_id.as_deref()),
            Err(error) => (error.code.as_str(), error.request_id.as_deref()),
        };
        tracing::debug!(%method, endpoint = name, outcome, request_id, duration_ms, "Called MX");
        answer
    }

    async fn exchange(&self, call: Call<'_>) -> Result<Answer, ProviderError> {
        let timeout = if call.method == Method::GET {
            TIMEOUT
        } else {
            TIMEOUT_OF_CHANGES
        };
        let url = Url::parse_with_params(&format!("{}{}", self.base, call.path), &call.query);
        let url = url.map_err(|_| unanswered("malformed", "an address that is none"))?;
        let request = self.http.request(call.method, url).timeout(timeout);
        let request = match &call.body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.expose_secret().to_owned()),
            None => request,
        };
        let response = request.send().await;
        let response = response.map_err(|error| http::lost(error, "unreachable"))?;
        let status = response.status();
        let header = response.headers().get(REQUEST_ID);
        let request_id = header.and_then(|id| Some(id.to_str().ok()?.chars().take(80).collect()));
        let asked = http::asked_wait(response.headers(), self.clock.now());
        let text = http::body(response).await?;
        if status.is_success() || call.unusual.contains(&status) {
            return Ok(Answer {
                text,
                status,
                request_id,
            });
        }
        let said = if call.secret { "" } else { text.as_str() };
        let mut error = errors::refused(status, said);
        error.class = http::wait_at_least(error.class, asked);
        error.request_id = request_id;
        Err(error)
    }
}

/// The headers that every call carries.
fn headers(client_id: &SecretString, api_key: &SecretString) -> Result<HeaderMap> {
    let pair = format!("{}:{}", client_id.expose_secret(), api_key.expose_secret());
    let basic = format!("Basic {}", STANDARD.encode(pair));
    let mut basic = HeaderValue::from_str(&basic).map_err(Error::internal)?;
    basic.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, basic);
    headers.insert(ACCEPT, HeaderValue::from_static(VERSION));
    Ok(headers)
}

/// What MX answered.
pub(super) struct Answer {
    text: String,
    /// The status, which is a success or one that the call takes for an answer.
    pub(super) status: StatusCode,
    request_id: Option<String>,
}

impl Answer {
    /// Reads the body as the endpoint's answer. What it lends lives in the body.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ProviderError> {
        serde_json::from_str(&self.text).map_err(|error| {
            // What serde says of a value quotes it.
            let detail = format!(
                "{:?} error in {} bytes, line {} column {}",
                error.classify(),
                self.text.len(),
                error.line(),
                error.column()
            );
            ProviderError {
                request_id: self.request_id.clone(),
                ..unanswered("malformed", &detail)
            }
        })
    }
}
