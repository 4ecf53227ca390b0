//! The two ways to write a stream of answers.

use async_graphql::{Response as Answer, ServerError};
use axum::http::HeaderValue;
use serde::Serialize;

use crate::transport::accept::Framing;

/// Where one part ends and the next may begin. It is written as soon as a part is there: clients read
/// a part when they see what follows it.
const BOUNDARY: &str = "\r\n--graphql";

/// What stands alone in an event: the errors of an operation that ended.
#[derive(Serialize)]
struct Failure<'a> {
    errors: &'a [ServerError],
}

/// What stands in a part.
#[derive(Serialize)]
struct Part<'a> {
    payload: Option<&'a Answer>,
    /// Those of the transport; the operation's own are in its payload.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
}

impl Framing {
    /// The value of `Content-Type`.
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Events => "text/event-stream; charset=utf-8",
            Self::Parts => "multipart/mixed;boundary=\"graphql\";subscriptionSpec=\"1.0\"",
        })
    }

    /// What comes before anything happens, so that proxies let the head through.
    pub(super) fn opening(self) -> &'static str {
        match self {
            Self::Events => ":\n\n",
            Self::Parts => BOUNDARY,
        }
    }

    /// What keeps the connection alive.
    pub(super) fn pulse(self) -> String {
        match self {
            Self::Events => ":\n\n".to_owned(),
            Self::Parts => part("{}"),
        }
    }

    /// What happened.
    pub(super) fn event(self, answer: &Answer) -> String {
        let payload = Some(answer);
        match self {
            Self::Events => next(&json(answer)),
            Self::Parts => part(&json(&Part {
                payload,
                errors: &[],
            })),
        }
    }

    /// Why nothing will happen any more.
    pub(super) fn fatal(self, errors: &[ServerError]) -> String {
        match self {
            Self::Events => next(&json(&Failure { errors })),
            Self::Parts => part(&json(&Part {
                payload: None,
                errors,
            })),
        }
    }

    /// What comes after everything has happened.
    pub(super) fn closing(self) -> &'static str {
        match self {
            Self::Events => "event: complete\ndata:\n\n",
            Self::Parts => "--\r\n",
        }
    }
}

/// An event. JSON as we write it has no line breaks.
fn next(json: &str) -> String {
    format!("event: next\ndata: {json}\n\n")
}

fn part(json: &str) -> String {
    format!("\r\ncontent-type: application/json\r\n\r\n{json}{BOUNDARY}")
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        tracing::error!(%error, "an event could not be written");
        "{}".to_owned()
    })
}
