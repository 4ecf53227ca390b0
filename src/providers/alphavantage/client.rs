//! One GET. Whatever goes wrong comes back as a `RateError` in our own words: nothing here retries,
//! and neither the address nor the answer, both of which may hold the key, is told to anybody.
//! Refused: redirects (they would carry the key elsewhere), proxies from the environment, and
//! compressed answers (the size cap is on what arrives).

use std::time::Duration;

use reqwest::{Response, StatusCode, Url, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    error::{Error, Result},
    money::Pair,
    providers::rates::{RateError, RateFault},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call may take in all; a person may be waiting for it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Largest answer that is read. The real ones have some 500 bytes.
const BODY_MAX: usize = 64 * 1024;

/// How long a gateway that says 429 is left alone.
const RATE_WINDOW: Duration = Duration::from_mins(1);

pub(super) struct Client {
    http: reqwest::Client,
    query: Url,
    key: SecretString,
}

impl Client {
    pub(super) fn new(base_url: &str, key: SecretString) -> Result<Self> {
        let query = Url::parse(&format!("{}/query", base_url.trim_end_matches('/')));
        let query = query.map_err(|_| Error::internal("the address of Alpha Vantage is none"))?;
        if !matches!(query.scheme(), "https" | "http") || !query.has_host() {
            return Err(Error::internal("the address of Alpha Vantage is none"));
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("passbook/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .https_only(query.scheme() == "https")
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .build()
            .map_err(Error::internal)?;
        Ok(Self { http, query, key })
    }

    /// The body of the answer.
    pub(super) async fn currency_exchange_rate(&self, pair: &Pair) -> Result<String, RateError> {
        let mut url = self.query.clone();
        url.query_pairs_mut()
            .append_pair("function", "CURRENCY_EXCHANGE_RATE")
            .append_pair("from_currency", &pair.base)
            .append_pair("to_currency", &pair.quote)
            .append_pair("apikey", self.key.expose_secret());
        let response = self.http.get(url).send().await.map_err(lost)?;
        let status = response.status();
        if status.is_success() {
            return body(response).await;
        }
        let unanswered = RateError::new(RateFault::Unanswered, format!("HTTP {status}"));
        Err(match status {
            StatusCode::TOO_MANY_REQUESTS => RateError {
                fault: RateFault::TooFast,
                ..unanswered.wait(RATE_WINDOW)
            },
            _ => unanswered,
        })
    }
}

/// Reads a body piece by piece, so that an endless one costs no more than the cap.
async fn body(mut response: Response) -> Result<String, RateError> {
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(lost)? {
        if bytes.len() + piece.len() > BODY_MAX {
            let text = "the answer is larger than 64 KiB";
            return Err(RateError::new(RateFault::Malformed, text));
        }
        bytes.extend_from_slice(&piece);
    }
    let no_text = |_| RateError::new(RateFault::Malformed, "the answer is no text");
    String::from_utf8(bytes).map_err(no_text)
}

/// A call that got no whole answer, without the address it went to.
fn lost(error: reqwest::Error) -> RateError {
    let error = error.without_url();
    let timeout = error.is_timeout();
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        told.push_str(": ");
        told.push_str(&error.to_string());
        cause = error.source();
    }
    let told = if timeout {
        "no answer in time".to_owned()
    } else {
        told
    };
    RateError::new(RateFault::Unanswered, told)
}
