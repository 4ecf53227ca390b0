//! `/webhook_verification_key/get`.

use serde::Serialize;

use super::error::PlaidError;
use super::request::{Answer, Request};
use crate::webhooks::keys::PublicKey;

#[derive(Serialize)]
struct Body<'a> {
    key: PublicKey,
    request_id: &'a str,
}

/// Publishes the key that a webhook's header names.
pub(crate) fn get(request: &Request) -> Answer {
    request.fields.expect(&["key_id"], &[])?;
    let kid = request.fields.text("key_id")?;
    let found = crate::lock(&request.app.outbox.keys).find(&kid);
    let key = found.ok_or_else(|| PlaidError::of("INVALID_WEBHOOK_VERIFICATION_KEY_ID"))?;
    request.answer(&Body {
        key,
        request_id: &request.request_id,
    })
}
