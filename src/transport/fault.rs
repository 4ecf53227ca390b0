//! Why a request does not run.

use async_graphql::{ErrorExtensionValues, Pos, ServerError};
use axum::http::StatusCode;

use crate::{
    error::{Code, Error},
    graphql::errors::{RequestId, code_of},
};

/// A request that is refused before, or instead of, being executed. Nothing of it has run.
#[derive(Debug)]
pub(super) struct Fault {
    /// The status that fits whatever the client accepts; without one it depends on the media type.
    pub(super) status: Option<StatusCode>,
    /// The methods that would have been right.
    pub(super) allow: Option<&'static str>,
    /// Seconds after which it may be tried again.
    pub(super) retry_after: Option<u32>,
    code: Code,
    message: String,
    at: Option<Pos>,
}

impl Fault {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            status: None,
            allow: None,
            retry_after: None,
            code,
            message: message.into(),
            at: None,
        }
    }

    /// The document cannot be read.
    pub(super) fn syntax(message: impl Into<String>) -> Self {
        Self::new(Code::ParseFailed, message)
    }

    /// The document contradicts the rules of the language.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::ValidationFailed, message)
    }

    /// The document asks for too much.
    pub(super) fn too_complex(message: impl Into<String>) -> Self {
        Self::new(Code::QueryTooComplex, message)
    }

    /// The operation or its variables are wrong.
    pub(super) fn input(message: impl Into<String>) -> Self {
        Self::new(Code::BadUserInput, message)
    }

    /// The client expects stored documents.
    pub(super) fn no_stored_queries() -> Self {
        // Clients compare this text.
        Self::new(
            Code::PersistedQueryNotSupported,
            "PersistedQueryNotSupported",
        )
    }

    /// Somebody who has too much going on already. Most operations take less than a second.
    pub(super) fn rate_limited(message: impl Into<String>) -> Self {
        Self {
            status: Some(StatusCode::TOO_MANY_REQUESTS),
            retry_after: Some(1),
            ..Self::new(Code::RateLimited, message)
        }
    }

    /// The request is not one that could carry GraphQL.
    pub(super) fn http(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status: Some(status),
            ..Self::input(message)
        }
    }

    /// The request uses the wrong method.
    pub(super) fn method(allow: &'static str, message: impl Into<String>) -> Self {
        Self {
            allow: Some(allow),
            ..Self::http(StatusCode::METHOD_NOT_ALLOWED, message)
        }
    }

    /// The server cannot do it now.
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self {
            status: Some(StatusCode::SERVICE_UNAVAILABLE),
            ..Self::new(Code::Unavailable, message)
        }
    }

    /// It took too long.
    pub(super) fn timeout(message: impl Into<String>) -> Self {
        Self {
            status: Some(StatusCode::SERVICE_UNAVAILABLE),
            ..Self::new(Code::Timeout, message)
        }
    }

    /// The origin of a page that may not open sockets.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self {
            status: Some(StatusCode::FORBIDDEN),
            ..Self::new(Code::Forbidden, message)
        }
    }

    /// Our bug; the caller has logged it.
    pub(super) fn internal() -> Self {
        Self {
            status: Some(StatusCode::INTERNAL_SERVER_ERROR),
            ..Self::new(Code::Internal, "Something went wrong on the server.")
        }
    }

    pub(super) fn at(mut self, at: Option<Pos>) -> Self {
        self.at = at;
        self
    }

    /// The error as clients see it.
    pub(super) fn error(self, id: &RequestId) -> ServerError {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", self.code.name());
        extensions.set("requestId", id.0.as_ref());
        if let Some(seconds) = self.retry_after {
            extensions.set("retryAfterSeconds", seconds);
        }
        let mut error = ServerError::new(self.message, self.at);
        error.extensions = Some(extensions);
        error
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Unauthenticated => StatusCode::UNAUTHORIZED,
            Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::error!(error = error.chain(), "a token could not be checked");
        }
        Self {
            status: Some(status),
            ..Self::new(code_of(&error), error.to_string())
        }
    }
}
