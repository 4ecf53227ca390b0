//! The face of OpenID Connect issuers: as many as there are names below `/oidc`, each the issuer of its own address. Whoever signs in chooses
//! on a plain page who to be. Any client id and secret will do.
//!
//! What a test may order is in [`desk::Rules`]: who somebody is said to be, and one forgery at a time.

pub(crate) mod control;
mod desk;
mod sign;
mod token;
mod visit;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::app::App;
use crate::plaid::calls::Call;

pub(crate) use self::desk::Desk;
use self::desk::Forgery;
pub(crate) use self::sign::Signer;

/// How large a set of keys is that no client should read.
const HUGE: usize = 10 * 1024 * 1024;

pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/{name}/.well-known/openid-configuration", get(discovery))
        .route("/{name}/jwks", get(keys))
        .route("/{name}/authorize", get(visit::authorize))
        .route("/{name}/token", post(token::token))
        .route("/{name}/userinfo", get(token::user_info))
}

fn issuer(app: &App, name: &str) -> String {
    format!("{}/oidc/{name}", app.public_url)
}

async fn discovery(State(app): State<Arc<App>>, Path(name): Path<String>) -> Response {
    let rules = crate::lock(&app.issuers).rules.clone();
    if rules.forgery == Forgery::DiscoveryAway {
        note(&app, "discovery", StatusCode::SERVICE_UNAVAILABLE);
        return error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable").into_response();
    }
    note(&app, "discovery", StatusCode::OK);
    if rules.forgery == Forgery::DiscoveryRedirect {
        let elsewhere = "http://127.0.0.2:1/.well-known/openid-configuration";
        return (StatusCode::FOUND, [(header::LOCATION, elsewhere)]).into_response();
    }
    let issuer = issuer(&app, &name);
    let keys = match rules.forgery {
        Forgery::KeysElsewhere => "http://169.254.169.254/keys".to_owned(),
        _ => format!("{issuer}/jwks"),
    };
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": keys,
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "email", "profile"],
        "authorization_response_iss_parameter_supported": true,
    }))
    .into_response()
}

async fn keys(State(app): State<Arc<App>>, Path(_): Path<String>) -> Response {
    let forgery = crate::lock(&app.issuers).rules.forgery;
    note(&app, "jwks", StatusCode::OK);
    if forgery == Forgery::KeysHuge {
        let body = format!("{{\"keys\":[],\"pad\":\"{}\"}}", "x".repeat(HUGE));
        return ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    }
    match signer(&app).await {
        Some(signer) => Json(signer.public()).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The keys, made when they are first needed: an RSA key takes its time.
async fn signer(app: &Arc<App>) -> Option<Arc<Signer>> {
    if let Some(signer) = app.signer.get() {
        return Some(Arc::clone(signer));
    }
    let made = tokio::task::spawn_blocking(Signer::new).await.ok()?.ok()?;
    Some(Arc::clone(app.signer.get_or_init(|| Arc::new(made))))
}

/// Writes a call into the journal of requests.
fn note(app: &App, what: &str, status: StatusCode) {
    crate::lock(&app.calls).push(Call {
        at: app.clock.now(),
        endpoint: format!("/oidc/{what}"),
        request_id: app.request_id(),
        item_id: None,
        member_guid: None,
        cursor_in: None,
        cursor_out: None,
        result: status.as_str().to_owned(),
        status: status.as_u16(),
        faults: Vec::new(),
        duration_ms: 0,
    });
}

fn error(status: StatusCode, code: &str) -> (StatusCode, Json<Value>) {
    (
        status,
        Json(json!({ "error": code, "error_description": "<script>alert(1)</script>" })),
    )
}
