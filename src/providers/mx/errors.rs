//! What MX answers instead of a result, and what to do about it. MX has no codes of its own: the HTTP
//! status decides, and its sentence goes to the log.
//! <https://docs.mx.com/api-reference/platform-api/overview/errors>

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    error::{ErrorClass, ProviderError},
    providers::{
        http::RATE_WINDOW,
        lenient::{Text, clean, object},
    },
};

/// Longest sentence of MX's that is logged, in characters.
const SAID_MAX: usize = 300;

/// A refusal. `said` is the body, empty where it may repeat what a person typed.
pub(super) fn refused(status: StatusCode, said: &str) -> ProviderError {
    ProviderError {
        class: class(status),
        code: format!("http_{}", status.as_u16()),
        display_message: None,
        request_id: None,
        detail: message(said).unwrap_or_else(|| status.to_string()),
    }
}

/// What to do about a status.
fn class(status: StatusCode) -> ErrorClass {
    match status.as_u16() {
        401 | 403 => ErrorClass::Operator,
        404 | 410 => ErrorClass::Gone,
        409 => ErrorClass::Conflict,
        429 => ErrorClass::Retry(Some(RATE_WINDOW)),
        // 503 is MX being upgraded, the others are its faults.
        500..=599 => ErrorClass::Retry(None),
        _ => ErrorClass::Bug,
    }
}

/// MX's sentence. The shape of an error is in no specification: `{"error": {"message": …}}` and
/// `{"errors": [{"message": …}]}` have been seen, and the message itself in the place of the object.
fn message(said: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(default, borrow)]
        error: Option<&'a RawValue>,
        #[serde(default, borrow)]
        errors: Option<Vec<&'a RawValue>>,
        #[serde(default)]
        message: Text,
    }
    #[derive(Deserialize)]
    struct Told {
        #[serde(default)]
        message: Text,
    }
    let envelope: Envelope<'_> = object(said)?;
    let first = envelope.errors.unwrap_or_default().first().copied();
    let text = match envelope.error.or(first) {
        Some(json) => object::<Told>(json.get())
            .and_then(|told| told.message.0)
            .or_else(|| serde_json::from_str::<Text>(json.get()).ok()?.0),
        None => envelope.message.0,
    };
    let text: String = clean(&text?)?.chars().take(SAID_MAX).collect();
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_decides() {
        for (status, class) in [
            (400, ErrorClass::Bug),
            (401, ErrorClass::Operator),
            (403, ErrorClass::Operator),
            (404, ErrorClass::Gone),
            (405, ErrorClass::Bug),
            (406, ErrorClass::Bug),
            (409, ErrorClass::Conflict),
            (422, ErrorClass::Bug),
            (429, ErrorClass::Retry(Some(RATE_WINDOW))),
            (500, ErrorClass::Retry(None)),
            (502, ErrorClass::Retry(None)),
            (503, ErrorClass::Retry(None)),
            (504, ErrorClass::Retry(None)),
        ] {
            let error = refused(StatusCode::from_u16(status).unwrap(), "");
            assert_eq!(error.class, class, "{status}");
            assert_eq!(error.code, format!("http_{status}"));
        }
    }

    #[test]
    fn a_sentence_is_found_wherever_it_stands() {
        for (body, sentence) in [
            (r#"{"error":{"message":"no","status":"x"}}"#, Some("no")),
            (r#"{"errors":[{"message":"no"}]}"#, Some("no")),
            (r#"{"error":"no"}"#, Some("no")),
            (r#"{"message":"no"}"#, Some("no")),
            (r#"{"error":7}"#, None),
            (r#"{"error":{}}"#, None),
            ("<html>", None),
            ("[]", None),
            ("", None),
        ] {
            assert_eq!(message(body).as_deref(), sentence, "{body}");
        }
    }
}
