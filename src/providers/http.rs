//! What every call to a provider shares: connections, time-outs, the size cap, and what to call an
//! answer that did not come.
//! Refused: redirects (they would carry the credentials elsewhere), proxies from the environment, and
//! compressed answers (the size cap is on what arrives).

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{
    Client, Response, Url,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};

use super::lenient::clean;
use crate::error::{Error, ErrorClass, ProviderError, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Shorter than the load balancers of this world keep a connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer that is read. A full page of transactions is about 1 MiB.
const BODY_MAX: usize = 32 * 1024 * 1024;

/// Providers' limits are per minute, and they name no moment to come back at.
pub(super) const RATE_WINDOW: Duration = Duration::from_mins(1);

/// Longest that a `Retry-After` is obeyed.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Where a provider is, without a slash at the end.
///
/// # Errors
/// If it is no web address.
pub(super) fn base(url: &str, provider: &str) -> Result<String> {
    let base = Url::parse(url).map_err(Error::internal)?;
    if !matches!(base.scheme(), "https" | "http") || !base.has_host() {
        let text = format!("the base URL of {provider} is no web address");
        return Err(Error::internal(text));
    }
    Ok(base.as_str().trim_end_matches('/').to_owned())
}

/// A client that sends these headers with every call. Connects to nothing.
pub(super) fn client(headers: HeaderMap) -> Result<Client> {
    Client::builder()
        .user_agent(concat!("passbook/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .build()
        .map_err(Error::internal)
}

/// A failure of the exchange itself, under one of our own codes: nobody's fault here.
pub(super) fn unanswered(code: &str, detail: &str) -> ProviderError {
    ProviderError {
        class: ErrorClass::Retry(None),
        code: code.to_owned(),
        display_message: None,
        request_id: None,
        detail: clean(detail).unwrap_or_default(),
    }
}

/// Lengthens a wait to what the server asked for, within reason.
pub(super) fn wait_at_least(class: ErrorClass, asked: Option<Duration>) -> ErrorClass {
    match (class, asked) {
        (ErrorClass::Retry(own), Some(asked)) => {
            ErrorClass::Retry(Some(asked.min(LONGEST_WAIT).max(own.unwrap_or_default())))
        }
        _ => class,
    }
}

/// Reads a body piece by piece, so that an endless one costs no more than the cap.
pub(super) async fn body(mut response: Response) -> Result<String, ProviderError> {
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
pub(super) fn lost(error: reqwest::Error, code: &str) -> ProviderError {
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
pub(super) fn asked_wait(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?;
    (until.with_timezone(&Utc) - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_obeyed_within_reason() {
        let longer = |class, secs| wait_at_least(class, Some(Duration::from_secs(secs)));
        let retry = |secs| ErrorClass::Retry(Some(Duration::from_secs(secs)));
        assert_eq!(longer(ErrorClass::Retry(Some(RATE_WINDOW)), 5), retry(60));
        assert_eq!(longer(ErrorClass::Retry(Some(RATE_WINDOW)), 90), retry(90));
        assert_eq!(longer(ErrorClass::Retry(None), 7), retry(7));
        assert_eq!(longer(ErrorClass::Retry(None), 1_000_000_000), retry(3600));
        assert_eq!(longer(ErrorClass::Login, 90), ErrorClass::Login);
    }
}
