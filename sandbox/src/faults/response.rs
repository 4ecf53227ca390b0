//! What a fault does to an answer that is ready to go out.

use std::convert::Infallible;
use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use serde::{Deserialize, Serialize};

use super::{Kind, anomaly};
use crate::plaid::door::plain;
use crate::plaid::request::Answer;

/// How a body is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    /// The second half is missing, with a length that fits.
    Truncated,
    /// Something follows the object.
    Trailing,
    /// The first number becomes `NaN`.
    Nan,
    /// A byte order mark comes first.
    Bom,
    /// An array where an object should be.
    WrongType,
    /// Ten thousand arrays inside one another.
    Deep,
    /// Nothing at all.
    Empty,
    /// `null`.
    Null,
}

/// The response, with what is planted on it; and how the journal of calls shall call it.
pub(crate) fn make(answer: Answer, request_id: &str, planted: &[Kind]) -> (Response, String, u16) {
    let (status, body, result) = match answer {
        Ok(body) => (StatusCode::OK, body, "OK".to_owned()),
        Err(error) => {
            let (status, code) = (error.http_status(), error.error_code.clone());
            let body =
                serde_json::to_vec(&error.answering(request_id.to_owned())).unwrap_or_default();
            (status, body, code)
        }
    };
    let response = dress(status, body, planted);
    let status = response.status().as_u16();
    (response, result, status)
}

/// The response to a sound body, with what is planted on it.
pub(crate) fn dress(status: StatusCode, mut body: Vec<u8>, planted: &[Kind]) -> Response {
    if status == StatusCode::OK {
        for kind in planted {
            if let Kind::Anomaly { name } = kind {
                body = anomaly::plant(*name, &body).unwrap_or(body);
            }
        }
    }
    for kind in planted {
        body = match kind {
            Kind::Malformed { form } => spoil(*form, &body),
            Kind::Says { body: said } => serde_json::to_vec(said).unwrap_or(body),
            _ => body,
        };
    }
    planted
        .iter()
        .find_map(|kind| instead(kind, status, &body))
        .unwrap_or_else(|| plain(status, body))
}

fn instead(kind: &Kind, status: StatusCode, body: &[u8]) -> Option<Response> {
    match kind {
        Kind::RateLimit { retry_after } => {
            let mut response = plain(status, body.to_vec());
            if let Some(value) = retry_after
                .as_deref()
                .and_then(|text| HeaderValue::from_str(text).ok())
            {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            Some(response)
        }
        Kind::Html { status } => {
            let page =
                b"<!doctype html><title>Error</title><h1>The server cannot answer right now</h1>"
                    .to_vec();
            let mut response = plain(
                StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY),
                page,
            );
            response.headers_mut().insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            );
            Some(response)
        }
        Kind::Huge { bytes } => Some(huge(status, *bytes)),
        Kind::Drop { after } => Some(cut(
            status,
            body,
            (*after).min(body.len().saturating_sub(1)),
        )),
        Kind::Lost | Kind::Hang { .. } => Some(cut(status, body, 0)),
        _ => None,
    }
}

/// An answer that promises all of its body, sends a part, and breaks off.
fn cut(status: StatusCode, body: &[u8], after: usize) -> Response {
    let part = Bytes::copy_from_slice(body.get(..after).unwrap_or_default());
    let length = HeaderValue::from(body.len().max(1));
    let broken = Err(io::Error::other("cut on purpose"));
    let pieces = if part.is_empty() {
        vec![broken]
    } else {
        vec![Ok(part), broken]
    };
    let mut response = plain(status, Vec::new());
    *response.body_mut() = Body::from_stream(stream::iter(pieces));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length);
    response
}

/// A string that goes on and on, made as it is sent.
fn huge(status: StatusCode, bytes: u64) -> Response {
    const CHUNK: u64 = 64 * 1024;
    let padding = Bytes::from(vec![b'x'; 64 * 1024]);
    let start = Some((Bytes::from_static(b"{\"padding\":\""), bytes));
    let pieces = stream::unfold(start, move |state| {
        let next = state.map(|(piece, left)| {
            let more = padding.slice(..usize::try_from(left.min(CHUNK)).unwrap_or(0));
            (
                Ok::<_, Infallible>(piece),
                (left > 0).then(|| (more, left.saturating_sub(CHUNK))),
            )
        });
        std::future::ready(next)
    });
    let mut response = plain(status, Vec::new());
    *response.body_mut() = Body::from_stream(pieces);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

fn spoil(form: Form, body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    match form {
        Form::Truncated => body.get(..body.len() / 2).unwrap_or_default().to_vec(),
        Form::Trailing => [body, b"} trailing"].concat(),
        Form::Nan => text
            .replacen("\"amount\":", "\"amount\":NaN,\"was\":", 1)
            .into_bytes(),
        Form::Bom => [b"\xef\xbb\xbf", body].concat(),
        Form::WrongType => [b"[", body, b"]"].concat(),
        Form::Deep => [vec![b'['; 10_000], vec![b']'; 10_000]].concat(),
        Form::Empty => Vec::new(),
        Form::Null => b"null".to_vec(),
    }
}
