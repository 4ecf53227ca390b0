//! The page to explore the API with. Its parts come from a public server, each pinned to the bytes we
//! know, since people type their tokens into it. Refused: the library's own page, which takes
//! whatever that server holds today.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::Html,
    routing::get,
};

/// This page alone may load from elsewhere, and talks to nobody but us.
const POLICY: &str = "default-src 'none'; script-src 'self' https://unpkg.com; \
    style-src 'unsafe-inline' https://unpkg.com; font-src data:; img-src data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and its script.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/graphiql", get(page))
        .route("/graphiql/start.js", get(start))
}

async fn page() -> ([(HeaderName, HeaderValue); 1], Html<&'static str>) {
    let policy = HeaderValue::from_static(POLICY);
    let page = Html(include_str!("page.html"));
    ([(header::CONTENT_SECURITY_POLICY, policy)], page)
}

async fn start() -> ([(HeaderName, HeaderValue); 1], &'static str) {
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], include_str!("start.js"))
}
