//! Planting faults.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Answer, read};
use crate::app::App;
use crate::faults::Fault;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    faults: Vec<Map<String, Value>>,
}

/// The faults that are set, with how often each matched and hit.
pub(super) async fn list(State(app): State<Arc<App>>) -> Response {
    Json(crate::lock(&app.faults).set.clone()).into_response()
}

/// Puts these faults in the place of those set before.
pub(super) async fn replace(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    let wanted: Wanted = read(&body)?;
    let set: serde_json::Result<Vec<Fault>> = wanted.faults.into_iter().map(Fault::order).collect();
    crate::lock(&app.faults).set = set?;
    Ok(list(State(app)).await)
}

pub(super) async fn clear(State(app): State<Arc<App>>) -> Response {
    crate::lock(&app.faults).set.clear();
    StatusCode::NO_CONTENT.into_response()
}
