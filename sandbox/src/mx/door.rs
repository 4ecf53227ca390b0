//! From HTTP to an endpoint and back, with the planted faults in between and a line in the journal of calls at the end.

use std::cell::RefCell;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use tokio::time::Instant;

use super::error::MxError;
use super::request::{Answer, Listed, Reply, Request};
use super::{Endpoint, Found, Vars, life, shift};
use crate::app::App;
use crate::faults::{self, Kind, Scope};
use crate::plaid::calls::Call;

const LARGEST_BODY: usize = 2 * 1024 * 1024;
const V20111101: &str = "application/vnd.mx.api.v1+json";

/// Answers any request under MX's paths.
pub(crate) async fn enter(
    State(app): State<Arc<App>>,
    request: axum::extract::Request,
) -> Response {
    let began = Instant::now();
    let at = app.clock.now();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
    life::catch_up(&app);
    let found = super::find(parts.method.as_str(), parts.uri.path());
    let scope = scope(&app, &found, parts.uri.path());
    let planted = crate::lock(&app.faults).draw(&scope);
    for wait in planted.iter().filter_map(Kind::wait) {
        tokio::time::sleep(wait).await;
    }
    let (answer, listed) = match planted.iter().find_map(|kind| kind.refusal(&body)) {
        Some(error) => (Err(MxError::from(error)), None),
        None => run(&app, found, &parts, &body),
    };
    let written = crate::lock(&app.world).written();
    written.settle().await;
    faults::hold(&app, &planted).await;
    let result = answer
        .as_ref()
        .map_or_else(|error| error.message.clone(), |_| "OK".to_owned());
    let (status, body) = match answer {
        Ok(Reply { status, body }) => (status, body),
        Err(error) => (error.status, error.body()),
    };
    let response = respond(status, body, kind(&parts.headers), &planted);
    let call = Call {
        at,
        endpoint: scope.endpoint.clone(),
        request_id: app.request_id(),
        item_id: None,
        member_guid: scope.member_guid.clone(),
        cursor_in: parts.uri.query().map(str::to_owned),
        cursor_out: None,
        result,
        status: response.status().as_u16(),
        faults: planted.iter().map(Kind::name).collect(),
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    crate::lock(&app.calls).push(call);
    if let Some(listed) = listed {
        shift::strike(&app, &listed);
    }
    response
}

/// A call is named by its method and its pattern, so that a fault hits one kind of call whomever it is about.
fn scope(app: &App, found: &Found, path: &str) -> Scope {
    let Found::Endpoint((method, pattern, _), vars) = found else {
        return Scope {
            endpoint: format!("/mx{path}"),
            ..Scope::default()
        };
    };
    let var = |wanted: &str| {
        let var = vars.iter().find(|(name, _)| *name == wanted);
        var.map(|(_, value)| value.clone())
    };
    let member_guid = var("member_guid");
    let world = crate::lock(&app.world);
    let member = member_guid
        .as_ref()
        .and_then(|guid| world.mx.members.get(guid));
    Scope {
        endpoint: format!("{method} /mx{pattern}"),
        institution_id: member
            .map(|held| held.member.institution_code.clone())
            .or_else(|| var("institution_code")),
        member_guid,
        ..Scope::default()
    }
}

fn run(app: &Arc<App>, found: Found, parts: &Parts, body: &[u8]) -> (Answer, Option<Listed>) {
    let (endpoint, vars) = match found {
        Found::Endpoint(endpoint, vars) => (endpoint, vars),
        Found::Otherwise => {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return (
                Err(MxError::new(status, "this method is not allowed here")),
                None,
            );
        }
        Found::Nothing => return (Err(MxError::missing("path")), None),
    };
    match admit(app, (endpoint, vars), parts, body) {
        Ok(request) => {
            let answer = endpoint.2(&request);
            (answer, request.listed.take())
        }
        Err(error) => (Err(error), None),
    }
}

/// Checks what holds for every endpoint.
fn admit(
    app: &Arc<App>,
    (endpoint, vars): (&Endpoint, Vars),
    parts: &Parts,
    body: &[u8],
) -> Result<Request, MxError> {
    identify(&parts.headers)?;
    let by_own_id = version(endpoint.0, &parts.headers)?;
    let body = match endpoint.0 {
        "POST" | "PUT" if !body.is_empty() => {
            serde_json::from_slice(body).map_err(|_| MxError::invalid("the body is not JSON"))?
        }
        _ => Value::Null,
    };
    let query = Query::try_from_uri(&parts.uri)
        .map_err(|_| MxError::invalid("the query cannot be read"))?;
    let callback = parts.headers.get("x-callback-payload");
    Ok(Request {
        app: Arc::clone(app),
        now: app.clock.now(),
        vars,
        query: query.0,
        body,
        callback: callback
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        by_own_id,
        listed: RefCell::default(),
    })
}

/// Any client id and key will do, but there must be some, by HTTP Basic.
fn identify(headers: &HeaderMap) -> Result<(), MxError> {
    use base64::Engine as _;
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let encoded = value.and_then(|value| value.strip_prefix("Basic "));
    let decoded = encoded.and_then(|text| base64::prelude::BASE64_STANDARD.decode(text).ok());
    let pair = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    match pair.as_deref().and_then(|pair| pair.split_once(':')) {
        Some((client, key)) if !client.is_empty() && !key.is_empty() => Ok(()),
        _ => Err(MxError::new(
            StatusCode::UNAUTHORIZED,
            "invalid client_id or api_key",
        )),
    }
}

/// Which version is spoken: whether it is the later one. MX's own clients ask for nothing in particular where nothing comes back.
fn version(method: &str, headers: &HeaderMap) -> Result<bool, MxError> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let accept = text("accept");
    let takes = |wanted: &str| {
        let mut kinds = accept
            .split(',')
            .map(|kind| kind.split(';').next().unwrap_or_default().trim());
        kinds.any(|kind| kind == wanted)
    };
    match text("accept-version") {
        "v20250224" if takes("application/json") || method == "DELETE" => Ok(true),
        "" if takes(V20111101) || method == "DELETE" => Ok(false),
        _ => Err(MxError::new(
            StatusCode::NOT_ACCEPTABLE,
            format!("the Accept header must name a version of the API, such as {V20111101}"),
        )),
    }
}

/// What an answer is called: as the version that was asked for calls it.
fn kind(headers: &HeaderMap) -> HeaderValue {
    HeaderValue::from_static(if headers.contains_key("accept-version") {
        "application/json; charset=utf-8"
    } else {
        "application/vnd.mx.api.v1+json; charset=utf-8"
    })
}

fn respond(status: StatusCode, body: Vec<u8>, kind: HeaderValue, planted: &[Kind]) -> Response {
    let mut response = faults::response::dress(status, body, planted);
    let plain = HeaderValue::from_static("application/json");
    let headers = response.headers_mut();
    if status == StatusCode::NO_CONTENT {
        headers.remove(header::CONTENT_TYPE);
    } else if headers.get(header::CONTENT_TYPE) == Some(&plain) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    response
}
