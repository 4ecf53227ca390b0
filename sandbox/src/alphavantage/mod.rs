//! Alpha Vantage's face: one path, one function of many, and failures that call themselves a success.
//! Rates are invented around what things cost in 2025; everything else is as the real one says it.

pub(crate) mod control;
mod desk;
mod market;
mod says;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use tokio::time::Instant;

use crate::app::App;
use crate::plaid::calls::Call;

pub(crate) use self::desk::Desk;
use self::says::Says;

const PATH: &str = "/alphavantage/query";

/// How long a call hangs that was told to.
const HANG: Duration = Duration::from_mins(2);

#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    function: String,
    #[serde(default)]
    from_currency: String,
    #[serde(default)]
    to_currency: String,
    #[serde(default)]
    apikey: String,
}

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/query", get(query))
}

async fn query(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Response {
    let began = Instant::now();
    let at = app.clock.now();
    let request_id = app.request_id();
    let latency = crate::lock(&app.desk).rules.latency_ms.min(120_000);
    tokio::time::sleep(Duration::from_millis(latency)).await;
    let says = judge(&app, &asked);
    if says == Says::Hang {
        tokio::time::sleep(HANG).await;
    }
    let (status, response) = says.response(&asked.apikey);
    crate::lock(&app.calls).push(Call {
        at,
        endpoint: PATH.to_owned(),
        request_id,
        item_id: None,
        member_guid: None,
        cursor_in: None,
        cursor_out: None,
        result: says.name().to_owned(),
        status,
        faults: Vec::new(),
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    response
}

/// What is wrong with a call, in the order in which the real one finds it; or a rate.
fn judge(app: &App, asked: &Asked) -> Says {
    let now = app.clock.now();
    let mut desk = crate::lock(&app.desk);
    if let Some(told) = desk.told_to_say() {
        return told;
    }
    if asked.function != "CURRENCY_EXCHANGE_RATE" {
        return Says::InvalidCall;
    }
    if asked.apikey.trim().is_empty() {
        return Says::InvalidKey;
    }
    let pair = format!("{}/{}", asked.from_currency, asked.to_currency);
    if asked.apikey == "demo" && pair != "BTC/CNY" {
        return Says::Demo;
    }
    if let Some(refused) = desk.count(&asked.apikey, now) {
        return refused;
    }
    match desk.rate(&pair, app.seed, now) {
        Some(rate) => Says::Rate(rate),
        None => Says::InvalidCall,
    }
}
