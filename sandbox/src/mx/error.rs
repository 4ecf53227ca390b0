//! MX's refusals: a status, and an `error` object with a sentence.
//! The statuses are those of MX's page on errors; the object's shape is in no document, and receivers are told to go by the status.

use axum::http::StatusCode;
use serde_json::json;

use crate::plaid::error::PlaidError;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MxError {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl MxError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// 400: something is missing, or not what it should be.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404: no such thing, or not of this user.
    pub(crate) fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// 409: it exists already, or something else is under way.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let error = json!({ "error": { "status": self.status.as_u16(), "message": self.message } });
        error.to_string().into_bytes()
    }
}

/// A planted fault is told in MX's form with the status it has.
impl From<PlaidError> for MxError {
    fn from(error: PlaidError) -> Self {
        Self::new(error.http_status(), error.error_message)
    }
}
