//! Ordering what the face says.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::desk::Rules;
use crate::app::App;
use crate::control::{Answer, read};

pub(crate) async fn show(State(app): State<Arc<App>>) -> Response {
    Json(json!(crate::lock(&app.desk).rules)).into_response()
}

/// Changes what is named and leaves the rest.
pub(crate) async fn order(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    let wanted: Map<String, Value> = read(&body)?;
    {
        let mut desk = crate::lock(&app.desk);
        let mut rules = json!(desk.rules);
        for (name, value) in wanted {
            rules[name] = value;
        }
        let rules: Rules = serde_json::from_value(rules)?;
        desk.rules = rules;
    }
    Ok(show(State(app)).await)
}
