//! `/institutions`: the banks, and what each asks for.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::banks::{self, Bank, Field};
use super::error::MxError;
use super::paging::Page;
use super::request::{Answer, Request, ok};
use crate::bank::logo;

const MOST: usize = 100;

/// Searches by `name`, countries and what is supported.
pub(crate) fn list(request: &Request) -> Answer {
    let wanted = |name: &str| match request.query(name) {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    };
    let matches = |bank: &Value| {
        [
            "supports_account_identification",
            "supports_account_statement",
            "supports_account_verification",
            "supports_oauth",
            "supports_transaction_history",
        ]
        .iter()
        .all(|name| wanted(name).is_none_or(|wanted| bank[name] == wanted))
    };
    let name = request.query("name").unwrap_or_default();
    let countries: Vec<&str> = request.queries("iso_country_code").collect();
    let found = banks::search(name, &countries)
        .map(|bank| bank.shown(&request.app.public_url))
        .filter(matches)
        .collect();
    let (institutions, pagination) = Page::asked(request, MOST).of::<Value>(found);
    ok(&json!({ "institutions": institutions, "pagination": pagination }))
}

pub(crate) fn read(request: &Request) -> Answer {
    ok(&json!({ "institution": bank(request)?.shown(&request.app.public_url) }))
}

/// The fields to ask a person for, in order.
pub(crate) fn credentials(request: &Request) -> Answer {
    list_fields(request, bank(request)?)
}

pub(crate) fn list_fields(request: &Request, bank: &Bank) -> Answer {
    let shown = |(field, n): (&Field, u32)| {
        json!({
            "guid": field.guid, "field_name": field.name, "field_type": field.kind, "type": field.kind,
            "label": field.label, "display_order": n,
        })
    };
    let fields: Vec<Value> = bank.fields().iter().zip(1..).map(shown).collect();
    let (credentials, pagination) = Page::asked(request, 1_000).of(fields);
    ok(&json!({ "credentials": credentials, "pagination": pagination }))
}

fn bank(request: &Request) -> Result<&'static Bank, MxError> {
    banks::find(request.var("institution_code")).ok_or_else(|| MxError::missing("institution"))
}

/// A bank's logo. Whoever has its address may see it.
pub(crate) async fn logo(Path(code): Path<String>) -> Response {
    let drawn = banks::find(&code).map(|bank| logo::draw(bank.name, bank.colour));
    match drawn.and_then(|text| BASE64_STANDARD.decode(text).ok()) {
        Some(png) => ([(header::CONTENT_TYPE, "image/png")], png).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
