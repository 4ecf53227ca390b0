//! The page to explore the API with. `web/` builds it and it is part of the program, so that nothing
//! comes from elsewhere: people type their tokens into it. A program built without it shows an older
//! GraphiQL from a public server instead, each part pinned to the bytes we know.
//!
//! Refused: the library's own page, which takes whatever that server holds today.

use std::sync::Arc;

use axum::{Router, extract::Path, http::HeaderMap, routing::get};

use crate::config::PlaidEnv;

mod page;

use page::Page;

/// A file's name within the page, and its bytes.
type File = (&'static str, &'static [u8]);

/// What `web/` built; nothing if it was not.
const BUILT: &[File] = include!(concat!(env!("OUT_DIR"), "/graphiql.rs"));

/// The editor makes styles as it runs; everything else is a file of ours.
const BUILT_POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
    style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What stands in for it.
const FALLBACK: &[File] = &[
    ("index.html", include_bytes!("fallback.html")),
    ("assets/start.js", include_bytes!("start.js")),
    ("assets/bar.js", include_bytes!("../../../web/src/bar.js")),
    (
        "assets/examples.js",
        include_bytes!("../../../web/src/examples.js"),
    ),
    (
        "assets/page.css",
        include_bytes!("../../../web/src/page.css"),
    ),
    ("assets/page.js", include_bytes!("../../../web/src/page.js")),
    (
        "assets/session.js",
        include_bytes!("../../../web/src/session.js"),
    ),
];

/// This page alone may load from elsewhere, and talks to nobody but us.
const FALLBACK_POLICY: &str = "default-src 'none'; script-src 'self' https://unpkg.com; \
    style-src 'self' 'unsafe-inline' https://unpkg.com; font-src data:; img-src data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and its files.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(plaid: PlaidEnv) -> Router<S> {
    let page = Arc::new(if BUILT.is_empty() {
        Page::new(FALLBACK, FALLBACK_POLICY, page::CHANGES, plaid)
    } else {
        Page::new(BUILT, BUILT_POLICY, page::NEVER_CHANGES, plaid)
    });
    let index = Arc::clone(&page);
    Router::new()
        .route(
            "/graphiql",
            get(move |headers: HeaderMap| async move { index.answer(page::INDEX, &headers) }),
        )
        .route(
            "/graphiql/assets/{name}",
            get(
                move |Path(name): Path<String>, headers: HeaderMap| async move {
                    page.answer(&format!("assets/{name}"), &headers)
                },
            ),
        )
}
