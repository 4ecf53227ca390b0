//! MX's face, below `/mx`: its paths, its field names, its refusals.
//!
//! `door` takes a request in and gives the answer out, with the faults in between; `request` is what an endpoint sees. A member lives by the
//! clock: `life` takes the steps of its jobs when their time has come, or when control says so, and is asked before every call.
//!
//! Refused: one set of accounts that both faces show. Plaid hands out a log and MX lists what stands; a row's id, sign and life differ, and
//! what is shared is the generator in `bank`.

pub(crate) mod accounts;
pub(crate) mod admission;
pub(crate) mod banks;
pub(crate) mod category;
pub(crate) mod challenge;
pub(crate) mod connect;
pub(crate) mod door;
pub(crate) mod error;
pub(crate) mod growth;
pub(crate) mod institutions;
pub(crate) mod jobs;
pub(crate) mod life;
pub(crate) mod login;
pub(crate) mod members;
pub(crate) mod notice;
pub(crate) mod oauth;
pub(crate) mod paging;
pub(crate) mod request;
pub(crate) mod shift;
pub(crate) mod status;
pub(crate) mod transactions;
pub(crate) mod users;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use self::request::{Answer, Request};
use crate::app::App;

/// A method, a pattern of a path, and the function behind them.
type Endpoint = (&'static str, &'static str, fn(&Request) -> Answer);

static ENDPOINTS: [Endpoint; 35] = [
    ("GET", "/institutions", institutions::list),
    (
        "GET",
        "/institutions/{institution_code}",
        institutions::read,
    ),
    (
        "GET",
        "/institutions/{institution_code}/credentials",
        institutions::credentials,
    ),
    ("GET", "/users", users::list),
    ("POST", "/users", users::create),
    ("GET", "/users/{user_guid}", users::read),
    ("PUT", "/users/{user_guid}", users::update),
    ("DELETE", "/users/{user_guid}", users::delete),
    ("GET", "/users/{user_guid}/accounts", accounts::of_user),
    (
        "GET",
        "/users/{user_guid}/accounts/{account_guid}",
        accounts::read,
    ),
    (
        "GET",
        "/users/{user_guid}/accounts/{account_guid}/transactions",
        transactions::of_account,
    ),
    ("GET", "/users/{user_guid}/members", members::list),
    ("POST", "/users/{user_guid}/members", members::create),
    (
        "GET",
        "/users/{user_guid}/members/{member_guid}",
        members::read,
    ),
    (
        "PUT",
        "/users/{user_guid}/members/{member_guid}",
        members::update,
    ),
    (
        "DELETE",
        "/users/{user_guid}/members/{member_guid}",
        members::delete,
    ),
    (
        "GET",
        "/users/{user_guid}/members/{member_guid}/accounts",
        accounts::of_member,
    ),
    (
        "GET",
        "/users/{user_guid}/members/{member_guid}/accounts/{account_guid}",
        accounts::read,
    ),
    (
        "POST",
        "/users/{user_guid}/members/{member_guid}/aggregate",
        jobs::aggregate,
    ),
    (
        "GET",
        "/users/{user_guid}/members/{member_guid}/challenges",
        jobs::challenges,
    ),
    (
        "POST",
        "/users/{user_guid}/members/{member_guid}/check_balance",
        jobs::check_balance,
    ),
    (
        "GET",
        "/users/{user_guid}/members/{member_guid}/credentials",
        members::credentials,
    ),
    (
        "POST",
        "/users/{user_guid}/members/{member_guid}/extend_history",
        jobs::extend_history,
    ),
    (
        "POST",
        "/users/{user_guid}/members/{member_guid}/fetch_statements",
        jobs::fetch_statements,
    ),
    (
        "POST",
        "/users/{user_guid}/members/{member_guid}/identify",
        jobs::identify,
    ),
    (
        "PUT",
        "/users/{user_guid}/members/{member_guid}/resume",
        jobs::resume,
    ),
    (
        "GET",
        "/users/{user_guid}/members/{member_guid}/status",
        jobs::status,
    ),
    (
        "GET",
        "/users/{user_guid}/members/{member_guid}/transactions",
        transactions::of_member,
    ),
    (
        "POST",
        "/users/{user_guid}/members/{member_guid}/verify",
        jobs::verify,
    ),
    (
        "GET",
        "/users/{user_guid}/transactions",
        transactions::of_user,
    ),
    (
        "GET",
        "/users/{user_guid}/transactions/{transaction_guid}",
        transactions::read,
    ),
    (
        "GET",
        "/users/{user_guid}/accounts/{account_guid}/transactions/{transaction_guid}",
        transactions::read,
    ),
    (
        "GET",
        "/users/{user_guid}/members/{member_guid}/oauth_window_uri",
        oauth::oauth_window_uri,
    ),
    (
        "POST",
        "/users/{user_guid}/widget_urls",
        connect::widget_urls,
    ),
    (
        "POST",
        "/users/{user_guid}/connect_widget_url",
        connect::connect_widget_url,
    ),
];

/// What of a path was matched by the names of a pattern.
type Vars = Vec<(&'static str, String)>;

/// What a path leads to.
#[derive(Debug)]
enum Found {
    Endpoint(&'static Endpoint, Vars),
    /// The path is there, and this method of it is not.
    Otherwise,
    Nothing,
}

fn find(method: &str, path: &str) -> Found {
    let mut known = false;
    for endpoint in &ENDPOINTS {
        let Some(vars) = matched(endpoint.1, path) else {
            continue;
        };
        if endpoint.0 == method {
            return Found::Endpoint(endpoint, vars);
        }
        known = true;
    }
    if known {
        Found::Otherwise
    } else {
        Found::Nothing
    }
}

fn matched(pattern: &'static str, path: &str) -> Option<Vars> {
    let (mut wanted, mut given) = (pattern.split('/'), path.trim_end_matches('/').split('/'));
    let mut vars = Vars::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(vars),
            (Some(wanted), Some(given)) => {
                let name = wanted
                    .strip_prefix('{')
                    .and_then(|rest| rest.strip_suffix('}'));
                match name {
                    Some(name) if !given.is_empty() => vars.push((name, given.to_owned())),
                    None if wanted == given => {}
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/logos/{code}", get(institutions::logo))
        .route("/widget/{token}", get(connect::open))
        .route("/connect/{id}", get(connect::show).post(connect::submit))
        .route("/oauth/{state}", get(oauth::show).post(oauth::decide))
        .fallback(door::enter)
}
