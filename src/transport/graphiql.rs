//! The page to explore the API with.

use async_graphql::http::GraphiQLSource;
use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Html,
};

use super::PATH;

/// The page takes its scripts from a public server, so it alone may.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline' https://unpkg.com; \
    style-src 'unsafe-inline' https://unpkg.com; font-src data: https://unpkg.com; \
    img-src data: https://graphql.org; worker-src blob:; connect-src 'self' ws: wss:; \
    base-uri 'none'; frame-ancestors 'none'";

pub(super) async fn page() -> ([(HeaderName, HeaderValue); 1], Html<String>) {
    let page = GraphiQLSource::build()
        .endpoint(PATH)
        .subscription_endpoint(PATH)
        .title("Passbook")
        .finish();
    let policy = HeaderValue::from_static(POLICY);
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page))
}
