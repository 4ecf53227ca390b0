//! The hosted link page: what a person sees who was given a `hosted_link_url`.
//!
//! Plain HTML from the server, a form a step, no script: it works in any browser and a test can walk through it with an HTTP client.
//! Each `POST` moves the [`flow`] and answers with a redirect, so that going back and reloading do no harm. Where somebody stands is
//! kept in memory only; after a restart he begins again, and what he finished is in the state file.

pub(crate) mod finish;
pub(crate) mod flow;
pub(crate) mod page;
mod steps;
pub(crate) mod visit;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use self::flow::Fields;
use self::visit::{Closed, Next};
use crate::app::App;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new().route("/{hosted_id}", get(show).post(submit))
}

/// What one sees who opens the sandbox itself in a browser.
pub(crate) async fn index() -> Response {
    let text = "A stand-in for the test environments of Plaid and MX is running here. It is spoken to through their APIs; \
                people come here through a hosted link or a widget.";
    answer(StatusCode::OK, page::notice("Sandbox", text, false))
}

async fn show(
    State(app): State<Arc<App>>,
    Path(hosted_id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if query.contains_key("closed") && !visit::is_closed(&app, &hosted_id) {
        return answer(StatusCode::OK, page::left(&hosted_id));
    }
    let search = query.get("q").map(String::as_str).unwrap_or_default();
    let page = match visit::look(&app, &hosted_id, |link, flow| {
        steps::page(link, flow, search)
    }) {
        Ok(page) => answer(StatusCode::OK, page),
        Err(closed) => closed_page(closed),
    };
    settle(&app).await;
    page
}

async fn submit(
    State(app): State<Arc<App>>,
    Path(hosted_id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Response {
    let next = visit::step(&app, &hosted_id, &Fields(pairs));
    settle(&app).await;
    match next {
        Ok(Next::Show) => redirect(&format!("/hl/{hosted_id}")),
        Ok(Next::Leave(Some(address))) => redirect(&address),
        Ok(Next::Leave(None)) => redirect(&format!("/hl/{hosted_id}?closed")),
        Err(closed) => closed_page(closed),
    }
}

async fn settle(app: &App) {
    let written = crate::lock(&app.world).written();
    written.settle().await;
}

fn closed_page(closed: Closed) -> Response {
    let (status, title, text) = match closed {
        Closed::Unknown => (
            StatusCode::NOT_FOUND,
            "No such link",
            "This address is not one we gave out. Ask the app for a new one.",
        ),
        Closed::Expired => (
            StatusCode::GONE,
            "This link has expired",
            "Go back to the app and start again.",
        ),
        Closed::Done => (
            StatusCode::OK,
            "All done",
            "Your accounts are connected. You can close this page.",
        ),
    };
    answer(
        status,
        page::notice(title, text, matches!(closed, Closed::Done)),
    )
}

fn answer(status: StatusCode, page: String) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'";
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(policy),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    (status, headers, page).into_response()
}

fn redirect(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response(),
        Err(_) => answer(
            StatusCode::OK,
            page::notice("You can close this page", "", false),
        ),
    }
}
