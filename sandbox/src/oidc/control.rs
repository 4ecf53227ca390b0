//! Ordering what the issuers say.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::control::{Answer, read};

pub(crate) async fn show(State(app): State<Arc<App>>) -> Response {
    Json(crate::lock(&app.issuers).rules.clone()).into_response()
}

/// The secrets that went to and fro for each code that was exchanged.
pub(crate) async fn exchanged(State(app): State<Arc<App>>) -> Response {
    Json(crate::lock(&app.issuers).exchanged.clone()).into_response()
}

/// Puts these rules in the place of those before; what is not named is as it would be.
pub(crate) async fn order(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    crate::lock(&app.issuers).rules = read(&body)?;
    Ok(show(State(app)).await)
}
