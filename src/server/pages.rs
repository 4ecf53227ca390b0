//! The pages that are nobody else's, and what every answer carries.

use std::{panic::AssertUnwindSafe, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use futures_util::FutureExt;
use tracing::Instrument;

use crate::{metrics::Metrics, transport::fresh_id};

/// The header that names a request, so that its reader can be helped.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What stands at the root.
pub(super) fn landing(graphiql: bool) -> Html<String> {
    let explore = if graphiql {
        "<li><a href=\"/graphiql\">GraphiQL</a>: explore it here</li>"
    } else {
        ""
    };
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Passbook</title>\
         <h1>Passbook</h1><p>A server for bank-connected apps.</p>\
         <ul><li><code>/graphql</code>: the API, by POST, GET or WebSocket</li>{explore}\
         <li><a href=\"/readyz\">Is it ready?</a></li></ul></html>\n"
    ))
}

/// What stands everywhere else.
pub(super) async fn nothing() -> Response {
    let body =
        r#"{"errors":[{"message":"There is nothing here.","extensions":{"code":"NOT_FOUND"}}]}"#;
    let kind = (header::CONTENT_TYPE, "application/json; charset=utf-8");
    (StatusCode::NOT_FOUND, [kind], body).into_response()
}

/// Names a request, counts it, answers for it if it panics, and gives its answer the headers that every answer
/// has.
pub(super) async fn dress(
    State(metrics): State<Metrics>,
    route: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let (id, began) = (fresh_id(), Instant::now());
    request.extensions_mut().insert(id.clone());
    let span = tracing::info_span!(
        "request",
        request.id = %id.0,
        http.method = %request.method(),
        http.path = request.uri().path(),
    );
    let answer = AssertUnwindSafe(next.run(request).instrument(span)).catch_unwind();
    let mut response = answer.await.unwrap_or_else(|_| {
        tracing::error!(request.id = %id.0, "a request panicked");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    });
    let route = route.as_ref().map(MatchedPath::as_str);
    metrics.answered(route, response.status().as_u16(), began.elapsed());
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, id);
    }
    let always = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    response
}
