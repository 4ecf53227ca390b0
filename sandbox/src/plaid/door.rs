//! From HTTP to an endpoint and back, with the planted faults in between and a line in the journal of calls at the end.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;
use tokio::time::Instant;

use super::calls::Call;
use super::error::PlaidError;
use super::fields::Fields;
use super::request::{Answer, Noted, Request};
use crate::app::App;
use crate::faults::{self, Scope};
use crate::webhooks::notice::Notice;

const LARGEST_BODY: usize = 2 * 1024 * 1024;

/// Answers any request under Plaid's paths.
pub(crate) async fn enter(
    State(app): State<Arc<App>>,
    request: axum::extract::Request,
) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let request_id = app.request_id();
    let path = parts.uri.path().to_owned();
    let body = to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
    let scope = scope(&app, &path, &body);
    let planted = crate::lock(&app.faults).draw(&scope);
    for wait in planted.iter().filter_map(faults::Kind::wait) {
        tokio::time::sleep(wait).await;
    }
    let noted = RefCell::default();
    let request = Request {
        app: Arc::clone(&app),
        fields: Fields::default(),
        request_id,
        noted,
    };
    let (answer, call) = run(
        request,
        &parts.method,
        &parts.headers,
        &body,
        (&scope, &planted),
    );
    if scope.endpoint == "/item/public_token/exchange" && answer.is_ok() {
        tell_before_answering(&app, call.item_id.as_deref()).await;
    }
    let written = crate::lock(&app.world).written();
    written.settle().await;
    faults::hold(&app, &planted).await;
    let (response, result, status) = faults::response::make(answer, &call.request_id, &planted);
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    crate::lock(&app.calls).push(Call {
        result,
        status,
        duration_ms,
        ..call
    });
    response
}

fn scope(app: &App, path: &str, body: &Bytes) -> Scope {
    let mut scope = Scope {
        endpoint: path.to_owned(),
        ..Scope::default()
    };
    let Ok(fields) = Fields::parse(body) else {
        return scope;
    };
    let text = |name| fields.optional_text(name).ok().flatten();
    let world = crate::lock(&app.world);
    let item = text("access_token")
        .and_then(|token| world.item_of(&token))
        .or_else(|| {
            let token = text("public_token")?;
            world.items.get(&world.public_tokens.get(&token)?.item_id)
        });
    scope.institution_id = item
        .map(|item| item.linked.institution_id.clone())
        .or_else(|| text("institution_id"));
    scope.item_id = item.map(|item| item.id().to_owned());
    scope.page = text("cursor")
        .and_then(|cursor| super::cursor::Cursor::decode(&cursor).ok())
        .map_or(0, |cursor| cursor.page);
    scope.cursor = text("cursor");
    scope
}

fn run(
    mut request: Request,
    method: &Method,
    headers: &HeaderMap,
    body: &[u8],
    (scope, planted): (&Scope, &[faults::Kind]),
) -> (Answer, Call) {
    let at = request.now();
    let refused = planted.iter().find_map(|kind| kind.refusal(body));
    let answer = match refused {
        Some(error) => Err(error),
        None => admit(&mut request, method, headers, &scope.endpoint, body),
    };
    let Noted {
        item_id,
        cursor_out,
    } = request.noted.take();
    let call = Call {
        at,
        endpoint: scope.endpoint.clone(),
        request_id: request.request_id,
        item_id: item_id.or_else(|| scope.item_id.clone()),
        member_guid: None,
        cursor_in: scope.cursor.clone(),
        cursor_out,
        result: String::new(),
        status: 0,
        faults: planted.iter().map(faults::Kind::name).collect(),
        duration_ms: 0,
    };
    (answer, call)
}

/// Checks what holds for every endpoint, then runs the one that was asked for.
fn admit(
    request: &mut Request,
    method: &Method,
    headers: &HeaderMap,
    path: &str,
    body: &[u8],
) -> Answer {
    let Some((_, endpoint)) = super::endpoint(path).filter(|_| method == Method::POST) else {
        return Err(PlaidError::of("NOT_FOUND"));
    };
    let is_json = |value: &header::HeaderValue| {
        value
            .to_str()
            .is_ok_and(|kind| kind.trim_start().starts_with("application/json"))
    };
    if !headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
        return Err(PlaidError::of("INVALID_HEADERS"));
    }
    request.fields = Fields::parse(body)?;
    identify(&request.fields, headers)?;
    endpoint(request)
}

/// Any client id and secret will do, but there must be some.
fn identify(fields: &Fields, headers: &HeaderMap) -> Result<(), PlaidError> {
    let given = |header: &str, field: &str| match headers.get(header) {
        Some(value) => Ok(Some(value.to_str().unwrap_or_default().to_owned())),
        None if fields.has(field) => fields
            .optional_text(field)
            .map(|text| Some(text.unwrap_or_default())),
        None => Ok(None),
    };
    let credentials = [
        ("client_id", given("plaid-client-id", "client_id")?),
        ("secret", given("plaid-secret", "secret")?),
    ];
    let missing: Vec<&str> = credentials
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| *name)
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "the following required fields are missing: {}",
            missing.join(", ")
        );
        return Err(PlaidError::saying("MISSING_FIELDS", message));
    }
    let blank = credentials
        .iter()
        .any(|(_, value)| value.as_ref().is_none_or(|text| text.trim().is_empty()));
    if blank {
        Err(PlaidError::of("INVALID_API_KEYS"))
    } else {
        Ok(())
    }
}

/// Where a test asked for it, a webhook about the item overtakes the answer that names the item.
async fn tell_before_answering(app: &Arc<App>, item_id: Option<&str>) {
    let how = app.settings().webhooks;
    if !how.before_exchange {
        return;
    }
    let now = app.clock.now();
    let notice = item_id.and_then(|id| {
        crate::lock(&app.world)
            .items
            .get(id)
            .and_then(|item| Notice::sync_updates(item, now))
    });
    if let Some(notice) = notice {
        let _ = tokio::time::timeout(Duration::from_secs(10), app.deliver(notice, how)).await;
    }
}

/// An answer with nothing planted on it.
pub(crate) fn plain(status: axum::http::StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    response
}
