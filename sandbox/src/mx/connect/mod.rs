//! The connect widget: what a person sees who was given a `widget_url`.
//!
//! Plain HTML from the server, a form a step; a script only where MX sends a message to the page around it, at the end. The address a program
//! is given opens once and dies after ten minutes; behind it is a session of its own, kept in memory. Where somebody stands is not kept
//! twice: each page is made from how the member stands now, so that control, the API and the person may all move it.

mod pages;
mod steps;

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::banks::{self, Bank};
use super::error::MxError;
use super::life;
use super::request::{Answer, Request, flag, ok, text};
use crate::app::App;
use crate::hosted::page::notice;
use crate::world::World;

const ADDRESS_LIVES: TimeDelta = TimeDelta::minutes(10);
const SESSION_LIVES: TimeDelta = TimeDelta::hours(1);

/// Addresses that were given out, and the sessions of those who came.
#[derive(Debug, Default)]
pub(crate) struct Widgets {
    addresses: HashMap<String, Session>,
    sessions: HashMap<String, Session>,
}

/// One person's way through the widget.
#[derive(Clone, Debug)]
struct Session {
    user_guid: String,
    expires_at: DateTime<Utc>,
    bank: Option<&'static Bank>,
    member_guid: Option<String>,
    /// Whether the bank was chosen by the program, so that no other can be.
    fixed: bool,
    /// Whether credentials are asked for although the member has some.
    editing: bool,
    /// Where a person goes from the bank's own page.
    redirect: Option<String>,
    /// What went wrong with the last form.
    trouble: Option<String>,
}

/// `/widget_urls`
pub(crate) fn widget_urls(request: &Request) -> Answer {
    let fields = request.object("widget_url")?;
    let kind =
        text(fields, "widget_type")?.ok_or_else(|| MxError::invalid("widget_type is missing"))?;
    let mut world = request.world();
    let user = request.user(&world)?.clone();
    let url = address(request, &mut world, &user.guid, fields)?;
    ok(&json!({ "widget_url": { "type": kind, "url": url, "user_id": user.id } }))
}

/// `/connect_widget_url`, the older way to the same.
pub(crate) fn connect_widget_url(request: &Request) -> Answer {
    let nothing = Map::new();
    let fields = request.body.get("config").and_then(Value::as_object);
    let mut world = request.world();
    let user = request.user(&world)?.clone();
    let url = address(request, &mut world, &user.guid, fields.unwrap_or(&nothing))?;
    ok(&json!({ "user": { "connect_widget_url": url, "guid": user.guid } }))
}

fn address(
    request: &Request,
    world: &mut World,
    user_guid: &str,
    fields: &Map<String, Value>,
) -> Result<String, MxError> {
    let code = text(fields, "current_institution_code")?;
    let bank = code
        .map(|code| banks::find(&code).ok_or_else(|| MxError::missing("institution")))
        .transpose()?;
    let member_guid = text(fields, "current_member_guid")?;
    if let Some(guid) = &member_guid {
        let known = world.mx.members.get(guid);
        known
            .filter(|held| held.member.user_guid == user_guid)
            .ok_or_else(|| MxError::missing("member"))?;
    }
    let fixed = flag(fields, "disable_institution_search")?.unwrap_or(false);
    let by_app = text(fields, "oauth_referral_source")?.as_deref() == Some("APP")
        || flag(fields, "is_mobile_webview")?.unwrap_or(false);
    let redirect = text(fields, "client_redirect_url")?;
    let session = Session {
        user_guid: user_guid.to_owned(),
        expires_at: request.now + ADDRESS_LIVES,
        bank,
        fixed: fixed || member_guid.is_some(),
        member_guid,
        editing: flag(fields, "update_credentials")?.unwrap_or(false),
        // The widget itself leads nowhere: the address is for the end of OAuth.
        redirect: redirect.filter(|_| by_app),
        trouble: None,
    };
    let token = world.draw("mx widget").id(64);
    let mut widgets = crate::lock(&request.app.widgets);
    widgets.addresses.insert(token.clone(), session);
    Ok(format!("{}/mx/widget/{token}", request.app.public_url))
}

/// Opens an address, for the first and last time.
pub(crate) async fn open(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let now = app.clock.now();
    let came = crate::lock(&app.widgets).addresses.remove(&token);
    let Some(session) = came.filter(|session| session.expires_at > now) else {
        return closed();
    };
    let id = crate::lock(&app.world).draw("mx session").id(40);
    let session = Session {
        expires_at: now + SESSION_LIVES,
        ..session
    };
    crate::lock(&app.widgets)
        .sessions
        .insert(id.clone(), session);
    redirect(&format!("/mx/connect/{id}"))
}

/// Shows where somebody stands.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    life::catch_up(&app);
    let Some(session) = standing(&app, &id) else {
        return closed();
    };
    let search = query.get("q").map(String::as_str).unwrap_or_default();
    let nonce = app.request_id();
    let page = {
        let world = crate::lock(&app.world);
        pages::page(&app, &world, &session, search, &nonce)
    };
    answer(StatusCode::OK, page, &nonce)
}

/// Takes a form.
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    life::catch_up(&app);
    let Some(mut session) = standing(&app, &id) else {
        return closed();
    };
    session.trouble = None;
    let leads = steps::take(&app, &mut session, &steps::Fields(fields));
    crate::lock(&app.widgets)
        .sessions
        .insert(id.clone(), session);
    let written = crate::lock(&app.world).written();
    written.settle().await;
    redirect(&leads.unwrap_or_else(|| format!("/mx/connect/{id}")))
}

fn standing(app: &App, id: &str) -> Option<Session> {
    let widgets = crate::lock(&app.widgets);
    let session = widgets.sessions.get(id)?;
    (session.expires_at > app.clock.now()).then(|| session.clone())
}

fn closed() -> Response {
    let text = "It was opened before, or it is older than ten minutes. Go back to the app and start again.";
    let page = notice("This address is used up", text, false);
    answer(StatusCode::GONE, page, "none")
}

/// A page; only the script with this nonce runs, and any page may frame it, as MX's widget is framed.
pub(crate) fn answer(status: StatusCode, page: String, nonce: &str) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; script-src 'nonce-{nonce}'"
    );
    let mut response = (status, page).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

pub(crate) fn redirect(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response(),
        Err(_) => answer(
            StatusCode::OK,
            notice("You can close this page", "", false),
            "none",
        ),
    }
}

/// The message MX posts to the page around, or to the one that opened this one.
pub(crate) fn message(nonce: &str, kind: &str, metadata: &Value) -> String {
    let told = json!({ "mx": true, "type": kind, "metadata": metadata });
    // What stands in a script may not end it.
    let told = told.to_string().replace('<', "\\u003c");
    format!(
        "<script nonce=\"{nonce}\">(window.opener||window.parent).postMessage({told},\"*\")</script>"
    )
}

/// An address with more in its query.
pub(crate) fn with_query(address: &str, more: &str) -> String {
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}{more}")
}
