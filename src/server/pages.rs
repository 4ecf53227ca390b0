//! The pages that are nobody else's, and what every answer carries.

use std::{
    net::SocketAddr,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use futures_util::FutureExt;
use ipnet::IpNet;
use serde_json::json;
use tracing::Instrument;

use super::proxy;
use crate::{error::Code, metrics::Metrics, transport::fresh_id};

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
    let extensions = json!({"code": Code::NotFound.name()});
    let error = json!({"message": "There is nothing here.", "extensions": extensions});
    let body = json!({"errors": [error]}).to_string();
    let kind = (header::CONTENT_TYPE, "application/json; charset=utf-8");
    (StatusCode::NOT_FOUND, [kind], body).into_response()
}

/// What every request and every answer is dressed with.
#[derive(Clone, Debug)]
pub(super) struct Wardrobe {
    pub(super) metrics: Metrics,
    /// Whose word on their clients is believed.
    pub(super) proxies: Arc<[IpNet]>,
    /// Whether it was said that a proxy seems to be forgotten.
    pub(super) warned: Arc<AtomicBool>,
    /// Whether clients come through TLS.
    pub(super) tls: bool,
}

impl Wardrobe {
    /// Puts the client in the place of the proxy it came through.
    fn name_client(&self, request: &mut Request) {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        if let Some(ConnectInfo(peer)) = peer.copied() {
            if proxy::is_forgotten(peer.ip(), request.headers(), &self.proxies)
                && !self.warned.swap(true, Ordering::Relaxed)
            {
                tracing::warn!(
                    peer = %peer.ip(),
                    "a program on this machine forwards requests and is not in TRUSTED_PROXIES: all its clients count \
                     as one, and no limit by address holds for them"
                );
            }
            let client = proxy::client(peer.ip(), request.headers(), &self.proxies);
            let client = SocketAddr::new(client, peer.port());
            request.extensions_mut().insert(ConnectInfo(client));
        }
    }
}

/// Names a request and its client, counts it, answers for it if it panics, and gives its answer the headers that every answer
/// has.
pub(super) async fn dress(
    State(wardrobe): State<Wardrobe>,
    route: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let (id, began) = (fresh_id(), Instant::now());
    request.extensions_mut().insert(id.clone());
    wardrobe.name_client(&mut request);
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
    wardrobe
        .metrics
        .answered(route, response.status().as_u16(), began.elapsed());
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
    if wardrobe.tls {
        // A year, for this host.
        let always = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, always);
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    response
}
