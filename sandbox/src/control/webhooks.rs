//! The delivery log, and webhooks made to order.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, lines, missing, read, wrong};
use crate::app::App;
use crate::webhooks::notice::{Notice, Proof};

const MOST: u32 = 10_000;

/// The delivery log, oldest first, one a line.
pub(super) async fn list(State(app): State<Arc<App>>) -> Response {
    lines(app.outbox.deliveries().into_iter())
}

pub(super) async fn forget(State(app): State<Arc<App>>) -> Response {
    app.outbox.forget();
    StatusCode::NO_CONTENT.into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The item whose address is used when `url` is not given.
    item_id: Option<String>,
    url: Option<String>,
    body: Map<String, Value>,
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

/// Sends any body, signed like every other, and so often as told: for what no bank sends on request.
pub(super) async fn send(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    let wanted: Wanted = read(&body)?;
    if wanted.times > MOST {
        return Err(wrong(format!("times is at most {MOST}")));
    }
    let address = |id: &String| {
        crate::lock(&app.world)
            .items
            .get(id)
            .and_then(|item| item.webhook.clone())
    };
    let found = wanted
        .url
        .or_else(|| wanted.item_id.as_ref().and_then(address));
    let url =
        found.ok_or_else(|| missing("neither a url nor an item with an address was given"))?;
    let code = wanted
        .body
        .get("webhook_code")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let notice = Notice {
        url,
        item_id: wanted.item_id,
        kind: "CONTROL",
        code,
        body: Value::Object(wanted.body),
        proof: Proof::Plaid,
    };
    app.send((0..wanted.times).map(|_| notice.clone()));
    Ok((StatusCode::ACCEPTED, Json(json!({ "sent": wanted.times }))).into_response())
}
