//! The clock and the settings.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, read, wrong};
use crate::app::App;
use crate::settings::Settings;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    set: Option<DateTime<Utc>>,
    advance_seconds: Option<i64>,
    hold: Option<bool>,
}

#[derive(Serialize)]
struct Reading {
    now: DateTime<Utc>,
    held: bool,
}

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    Json(Reading {
        now: app.clock.now(),
        held: app.clock.is_held(),
    })
    .into_response()
}

/// `{"set": "2026-03-01T12:00:00Z", "hold": true}`, `{"advance_seconds": 86400}`, `{"hold": false}`
pub(super) async fn turn(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    let turn: Turn = read(&body)?;
    if let Some(seconds) = turn.advance_seconds {
        let too_far = || wrong("advance_seconds is too large");
        app.clock
            .advance(TimeDelta::try_seconds(seconds).ok_or_else(too_far)?);
    }
    if turn.set.is_some() || turn.hold.is_some() {
        let held = turn.hold.unwrap_or_else(|| app.clock.is_held());
        app.clock
            .set(turn.set.unwrap_or_else(|| app.clock.now()), held);
    }
    Ok(show(State(app)).await)
}

pub(super) async fn settings(State(app): State<Arc<App>>) -> Response {
    Json(app.settings()).into_response()
}

/// Changes what is named and leaves the rest.
pub(super) async fn set(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    let wanted: Value = read(&body)?;
    let mut merged = json!(app.settings());
    merge(&mut merged, wanted);
    let settings: Settings = serde_json::from_value(merged)?;
    *crate::lock(&app.settings) = settings;
    Ok(Json(app.settings()).into_response())
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
