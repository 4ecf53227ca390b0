//! The control paths: what a developer, a test or a drill may do that no bank and no Plaid lets one do.
//!
//! Open to whoever reaches the sandbox, like everything here; it holds nobody's money. `README.md` beside this crate shows each call.

mod faults;
mod items;
mod journals;
mod members;
mod oracle;
mod time;
mod webhooks;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::alphavantage;
use crate::app::App;
use crate::oidc;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/clock", get(time::show).post(time::turn))
        .route("/settings", get(time::settings).post(time::set))
        .route(
            "/faults",
            get(faults::list)
                .post(faults::replace)
                .delete(faults::clear),
        )
        .route("/keys", get(journals::keys))
        .route("/keys/rotate", post(journals::rotate))
        .route(
            "/requests",
            get(journals::requests).delete(journals::forget_requests),
        )
        .route(
            "/webhooks",
            get(webhooks::list)
                .post(webhooks::send)
                .delete(webhooks::forget),
        )
        .route(
            "/alphavantage",
            get(alphavantage::control::show).post(alphavantage::control::order),
        )
        .route("/oidc", get(oidc::control::show).post(oidc::control::order))
        .route("/oidc/exchanged", get(oidc::control::exchanged))
        .route("/items", get(items::list))
        .route("/items/{item_id}/transactions", post(items::change))
        .route("/items/{item_id}/events", post(items::event))
        .route("/items/{item_id}/oracle", get(oracle::oracle))
        .route("/members", get(members::list))
        .route("/members/{guid}", get(members::show).post(members::set))
        .route("/members/{guid}/step", post(members::step))
        .route("/members/{guid}/aggregate", post(members::aggregate))
        .route("/members/{guid}/transactions", post(members::rows))
        .route("/members/{guid}/accounts", post(members::accounts))
        .route("/members/{guid}/oracle", get(members::oracle))
        .route(
            "/mx/webhooks",
            get(members::target)
                .post(members::aim)
                .delete(members::silence),
        )
        .route("/mx/webhooks/send", post(members::send))
}

/// A refusal, in a sentence.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    sentence: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.sentence }))).into_response()
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        wrong(error.to_string())
    }
}

pub(crate) type Answer = Result<Response, Refusal>;

fn wrong(sentence: impl Into<String>) -> Refusal {
    Refusal {
        status: StatusCode::BAD_REQUEST,
        sentence: sentence.into(),
    }
}

fn missing(sentence: impl Into<String>) -> Refusal {
    Refusal {
        status: StatusCode::NOT_FOUND,
        sentence: sentence.into(),
    }
}

/// Reads a body. Through a tree on purpose: tagged types cannot be read straight from text while numbers are kept exact.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let tree: serde_json::Result<Value> =
        serde_json::from_slice(if body.is_empty() { b"{}" } else { body });
    Ok(serde_json::from_value(tree?)?)
}

fn lines<T: Serialize>(entries: impl Iterator<Item = T>) -> Response {
    let mut text = Vec::new();
    for entry in entries {
        if serde_json::to_writer(&mut text, &entry).is_ok() {
            text.push(b'\n');
        }
    }
    (
        [(axum::http::header::CONTENT_TYPE, "application/x-ndjson")],
        text,
    )
        .into_response()
}

/// Answers once what was changed is in the state file.
async fn settled(app: &App, response: Response) -> Response {
    let written = crate::lock(&app.world).written();
    written.settle().await;
    response
}
