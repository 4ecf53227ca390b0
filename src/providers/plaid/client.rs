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
    error::{Error, ErrorClass, ProviderError, Result},
    metrics::{Call, Metrics},
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
    metrics: Metrics,
}

impl Client {
    /// Prepares calls to `base_url` with these credentials. Connects to nothing.
    pub(super) fn new(
        base_url: &str,
        client_id: &SecretString,
        secret: SecretString,
        clock: Clock,
        metrics: Metrics,
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
            metrics,
        })
    }

    /// Calls an endpoint and reads the whole answer, which may still be of the wrong shape.
    pub(super) async fn post(
        &self,
        endpoint: Endpoint,
        request: &impl Serialize,
    ) -> Result<Answer, ProviderError> {
        let started = Instant::now();
        let answer = self.call(endpoint, request).await;
        let duration = started.elapsed();
        let call = Call {
            provider: "plaid",
            endpoint: endpoint.path,
            outcome: match &answer {
                Ok(_) => "ok",
                Err(error) => error.class.name(),
            },
        };
        self.metrics.called(&call, duration);
        if tracing::enabled!(tracing::Level::DEBUG) {
            let (outcome, request_id) = match &answer {
                Ok(answer) => ("ok", answer.request_id()),
                Err(error) => (error.code.as_str(), error.request_id.clone()),
            };
            let (endpoint, duration_ms) = (endpoint.path, duration.as_millis());
            tracing::debug!(endpoint, outcome, request_id, duration_ms, "Called Plaid");
        }
        answer
    }

    async fn call(
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
                error.class = ErrorClass::Retry(Some(RATE_WINDOW));
            }
            return error;
        };
        let mut error = error.classed(status.is_server_error());
        error.detail = format!("{status} {}", self.conceal(&error.detail));
        error.display_message = error.display_message.map(|text| self.conceal(&text));
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
    let error = error.without_url();
    let code = if error.is_timeout() { "timeout" } else { code };
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        told.push_str(": ");
        told.push_str(&error.to_string());
        cause = error.source();
    }
    unanswered(code, &told)
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
            let error = error.classed(false);
            let detail = "an error that calls itself a success".to_owned();
            return ProviderError { detail, ..error };
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

#[cfg(test)]
mod tests {
    use axum::body::{Body, Bytes};
    use futures_util::{StreamExt, stream};
    use serde_json::{Value, json};

    use super::{
        super::stub::{Stub, response},
        *,
    };

    const ANY: Endpoint = Endpoint::new("/any");

    fn client(base_url: &str) -> Result<Client> {
        let secret = SecretString::from("s3cr3t-of-ours");
        Client::new(
            base_url,
            &"client-id".into(),
            secret,
            Clock::default(),
            Metrics::default(),
        )
    }

    async fn failure(stub: &Stub, endpoint: Endpoint) -> ProviderError {
        let answer = client(&stub.url).unwrap().post(endpoint, &json!({})).await;
        let error = match answer {
            Ok(answer) => answer.read::<serde_json::Map<String, Value>>().err(),
            Err(error) => Some(error),
        };
        let error = error.unwrap();
        let all = format!("{error} {error:?}");
        assert!(!all.contains("s3cr3t") && !all.contains("4df5"), "{all}");
        error
    }

    #[tokio::test]
    async fn every_call_carries_credentials_and_version() {
        let stub = Stub::saying(200, r#"{"request_id":"r1"}"#).await;
        let client = client(&format!("{}/", stub.url)).unwrap();
        let answer = client.post(ANY, &json!({"a": 1})).await.unwrap();
        assert_eq!(answer.request_id().as_deref(), Some("r1"));
        let (path, headers, body) = stub.calls().remove(0);
        assert_eq!((path.as_str(), body), ("/any", json!({"a": 1})));
        for (name, value) in [
            ("plaid-client-id", "client-id"),
            ("plaid-secret", "s3cr3t-of-ours"),
            ("plaid-version", "2020-09-14"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(headers[name], value);
        }
        assert!(!headers.contains_key("accept-encoding"));
    }

    #[tokio::test]
    async fn what_is_no_answer_is_retried() {
        let truncated = || {
            let pieces = [
                Ok(Bytes::from("{\"a\":")),
                Err(std::io::Error::other("cut")),
            ];
            // The cut comes after the head has left.
            let pieces = stream::iter(pieces).then(|piece| async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                piece
            });
            response(200, Body::from_stream(pieces))
        };
        let huge = || {
            let piece = Bytes::from(vec![b' '; 1024 * 1024]);
            let pieces = vec![piece; 32].into_iter().chain(["{}".into()]);
            response(
                200,
                Body::from_stream(stream::iter(pieces.map(Ok::<_, std::io::Error>))),
            )
        };
        let elsewhere = || {
            let mut response = response(307, "");
            let good = HeaderValue::from_static("/good");
            response.headers_mut().insert("location", good);
            response
        };
        let stub = Stub::answering(move |path, _| async move {
            match path.as_str() {
                "/truncated" => truncated(),
                "/huge" => huge(),
                "/good" => response(200, "{}"),
                "/never" => std::future::pending().await,
                "/html" => response(502, "<html>Bad Gateway</html>"),
                "/nothing" => response(200, ""),
                "/cut" => response(200, "{\"access_token\": \"access-sandbox-4df5"),
                "/two" => response(200, "{} {}"),
                "/gzip" => response(200, vec![0x1f, 0x8b, 8, 0]),
                "/lists" => response(200, "[".repeat(100_000)),
                _ => elsewhere(),
            }
        });
        let stub = stub.await;
        for (endpoint, code) in [
            (Endpoint::new("/truncated"), "truncated"),
            (Endpoint::new("/huge"), "oversized"),
            (Endpoint::within("/never", 1), "timeout"),
            (Endpoint::new("/html"), "malformed"),
            (Endpoint::new("/nothing"), "malformed"),
            (Endpoint::new("/cut"), "malformed"),
            (Endpoint::new("/two"), "malformed"),
            (Endpoint::new("/gzip"), "malformed"),
            (Endpoint::new("/lists"), "malformed"),
            (Endpoint::new("/elsewhere"), "malformed"),
        ] {
            let error = failure(&stub, endpoint).await;
            assert_eq!(
                (error.code.as_str(), error.class),
                (code, ErrorClass::Retry(None)),
                "{error}"
            );
        }
        let nobody = client("http://127.0.0.1:9").unwrap();
        let error = nobody.post(ANY, &json!({})).await.err().unwrap();
        assert_eq!(
            (error.code.as_str(), error.class),
            ("unreachable", ErrorClass::Retry(None))
        );
    }

    #[tokio::test]
    async fn a_refusal_is_told_without_secrets() {
        let body = r#"{"error_type":"INVALID_INPUT","error_code":"INVALID_ACCESS_TOKEN","display_message":null,
            "error_message":"access-sandbox-a763-4df5 with secret s3cr3t-of-ours","request_id":"r9"}"#;
        for status in [200, 400, 500] {
            let stub = Stub::answering(move |_, _| async move { response(status, body) }).await;
            let answer = client(&stub.url).unwrap().post(ANY, &json!({})).await;
            let error = match answer {
                Ok(answer) => answer
                    .read::<super::super::wire::Exchanged>()
                    .err()
                    .unwrap(),
                Err(error) => error,
            };
            assert_eq!(error.code, "INVALID_ACCESS_TOKEN");
            assert_eq!(
                (error.class, error.request_id.as_deref()),
                (ErrorClass::Operator, Some("r9"))
            );
            assert!(!format!("{error:?}").contains("4df5"), "{error:?}");
            assert!(
                !format!("{error:?}").contains("s3cr3t"),
                "{status} {error:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_wait_is_as_long_as_the_server_asks_within_reason() {
        const LIMIT: &str =
            r#"{"error_type":"RATE_LIMIT_EXCEEDED","error_code":"TRANSACTIONS_SYNC_LIMIT"}"#;
        const DOWN: &str = r#"{"error_type":"INSTITUTION_ERROR","error_code":"INSTITUTION_DOWN"}"#;
        let later = Clock::default().now() + chrono::TimeDelta::seconds(200);
        let date = later.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        for (status, body, asked, from, to) in [
            (429, LIMIT, "", 60, 60),
            (429, LIMIT, "5", 60, 60),
            (429, LIMIT, "90", 90, 90),
            (429, LIMIT, "1000000000", 3600, 3600),
            (429, LIMIT, "-5", 60, 60),
            (429, LIMIT, "soon", 60, 60),
            (429, LIMIT, "99999999999999999999999", 60, 60),
            (429, LIMIT, "Wed, 21 Oct 2015 07:28:00 GMT", 60, 60),
            (429, LIMIT, &date, 190, 200),
            (429, "<html>", "", 60, 60),
            (429, "<html>", "120", 120, 120),
            (503, "<html>", "30", 30, 30),
            (400, DOWN, "", 600, 600),
        ] {
            let asked = asked.to_owned();
            let stub = Stub::answering(move |_, _| {
                let asked = asked.clone();
                async move {
                    let mut response = response(status, body);
                    if !asked.is_empty() {
                        let asked = HeaderValue::from_str(&asked).unwrap();
                        response.headers_mut().insert(RETRY_AFTER, asked);
                    }
                    response
                }
            });
            let error = failure(&stub.await, ANY).await;
            let ErrorClass::Retry(Some(wait)) = error.class else {
                panic!("{error:?}");
            };
            assert!((from..=to).contains(&wait.as_secs()), "{status} {wait:?}");
        }
    }

    #[test]
    fn what_is_no_web_address_or_header_is_refused() {
        for bad in [
            "",
            "plaid.com",
            "ftp://plaid.com",
            "file:///etc",
            "https://",
        ] {
            assert!(client(bad).is_err(), "{bad}");
        }
        let secret = SecretString::from("line\nbreak");
        let base = "https://sandbox.plaid.com";
        assert!(
            Client::new(
                base,
                &"id".into(),
                secret,
                Clock::default(),
                Metrics::default()
            )
            .is_err()
        );
    }
}
