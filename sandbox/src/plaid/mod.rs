//! Plaid's face: its paths, its field names, its refusals.
//!
//! `door` takes a request in and gives the answer out, with the faults in between; `request` is what an endpoint sees. Endpoints are plain
//! functions that do not wait: they read or change the world under its lock and write their answer.

pub(crate) mod accounts;
pub(crate) mod calls;
pub(crate) mod cursor;
pub(crate) mod door;
pub(crate) mod error;
pub(crate) mod fields;
pub(crate) mod institutions;
pub(crate) mod item;
pub(crate) mod link;
pub(crate) mod linking;
pub(crate) mod products;
pub(crate) mod refresh;
pub(crate) mod request;
pub(crate) mod sandbox;
pub(crate) mod session;
pub(crate) mod sync;
pub(crate) mod webhook_key;

use self::request::{Answer, Request};

/// A path and the function behind it.
type Endpoint = (&'static str, fn(&Request) -> Answer);

static ENDPOINTS: [Endpoint; 19] = [
    ("/accounts/balance/get", accounts::balance),
    ("/accounts/get", accounts::get),
    ("/institutions/get", institutions::get),
    ("/institutions/get_by_id", institutions::get_by_id),
    ("/institutions/search", institutions::search),
    ("/item/access_token/invalidate", item::invalidate),
    ("/item/get", item::get),
    ("/item/public_token/exchange", item::exchange),
    ("/item/remove", item::remove),
    ("/item/webhook/update", item::update_webhook),
    ("/link/token/create", link::create),
    ("/link/token/get", session::get),
    ("/sandbox/item/fire_webhook", sandbox::fire_webhook),
    ("/sandbox/item/reset_login", sandbox::reset_login),
    ("/sandbox/public_token/create", linking::create),
    ("/sandbox/transactions/create", sandbox::create_transactions),
    ("/transactions/refresh", refresh::refresh),
    ("/transactions/sync", sync::sync),
    ("/webhook_verification_key/get", webhook_key::get),
];

fn endpoint(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|(known, _)| *known == path)
}
