//! What was asked, and the keys webhooks are signed with.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::lines;
use crate::app::App;

/// The journal of calls, oldest first, one a line.
pub(super) async fn requests(State(app): State<Arc<App>>) -> Response {
    let calls: Vec<_> = crate::lock(&app.calls).iter().cloned().collect();
    lines(calls.into_iter())
}

pub(super) async fn forget_requests(State(app): State<Arc<App>>) -> Response {
    crate::lock(&app.calls).clear();
    StatusCode::NO_CONTENT.into_response()
}

pub(super) async fn keys(State(app): State<Arc<App>>) -> Response {
    let keys = crate::lock(&app.outbox.keys).all();
    Json(json!({ "keys": keys })).into_response()
}

/// Signs with a new key from now on; the one before is published as expired.
pub(super) async fn rotate(State(app): State<Arc<App>>) -> Response {
    let now = app.clock.now().timestamp();
    let rotated = crate::lock(&app.outbox.keys).rotate(now);
    match rotated {
        Ok(kid) => Json(json!({ "kid": kid })).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
