//! A code for tokens, and a token for what is known of a person.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::desk::{Forgery, Grant, Rules, replace};
use super::{error, issuer, note, signer};
use crate::app::App;

/// How long a token is good for, in seconds.
const LIFETIME: i64 = 600;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    grant_type: String,
    code: String,
    redirect_uri: String,
    client_id: String,
    client_secret: Option<String>,
    code_verifier: Option<String>,
}

/// Exchanges a code, once.
pub(super) async fn token(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> Response {
    let (Some(secret), Some(signer)) = (secret(&headers, &asked), signer(&app).await) else {
        note(&app, "token", StatusCode::UNAUTHORIZED);
        return error(StatusCode::UNAUTHORIZED, "invalid_client").into_response();
    };
    let (grant, rules) = {
        let mut desk = crate::lock(&app.issuers);
        (desk.codes.remove(&asked.code), desk.rules.clone())
    };
    let Some(grant) = grant.filter(|grant| is_good(grant, &name, &asked)) else {
        note(&app, "token", StatusCode::BAD_REQUEST);
        return error(StatusCode::BAD_REQUEST, "invalid_grant").into_response();
    };
    note(&app, "token", StatusCode::OK);
    let person = crate::lock(&app.issuers).claims(&grant.person);
    let access_token = Uuid::new_v4().simple().to_string();
    let claims = id_claims(&app, &grant, &rules, &person, &access_token);
    crate::lock(&app.issuers)
        .tokens
        .insert(access_token.clone(), person);
    let mut answer = json!({
        "access_token": access_token, "token_type": "Bearer", "expires_in": LIFETIME, "scope": "openid email profile",
    });
    if rules.forgery != Forgery::IdTokenMissing {
        answer["id_token"] = json!(signer.token(&claims, rules.alg, rules.forgery, &secret));
    }
    crate::lock(&app.issuers).exchanged.push(json!({
        "code_verifier": asked.code_verifier,
        "access_token": answer["access_token"],
        "id_token": answer["id_token"],
    }));
    Json(answer).into_response()
}

/// The client's secret, which may be any, from where it may be.
fn secret(headers: &HeaderMap, asked: &Asked) -> Option<String> {
    let basic = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let basic = basic.and_then(|value| value.strip_prefix("Basic "));
    let basic = basic.and_then(|value| BASE64_STANDARD.decode(value).ok());
    let basic = basic.and_then(|bytes| String::from_utf8(bytes).ok());
    let basic = basic.and_then(|login| login.split_once(':').map(|(_, secret)| secret.to_owned()));
    basic
        .or_else(|| asked.client_secret.clone())
        .filter(|secret| !secret.is_empty())
}

fn is_good(grant: &Grant, name: &str, asked: &Asked) -> bool {
    let verifier = asked.code_verifier.as_deref().unwrap_or_default();
    let made = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    let made = BASE64_URL_SAFE_NO_PAD.encode(made);
    asked.grant_type == "authorization_code"
        && grant.issuer == name
        && grant.client_id == asked.client_id
        && grant.redirect_uri == asked.redirect_uri
        && grant
            .challenge
            .as_ref()
            .is_none_or(|challenge| *challenge == made)
}

fn id_claims(
    app: &App,
    grant: &Grant,
    rules: &Rules,
    person: &Map<String, Value>,
    access_token: &str,
) -> Map<String, Value> {
    let now = app.clock.now().timestamp();
    let mut claims = if rules.user_info || rules.forgery == Forgery::UserInfoOther {
        Map::new()
    } else {
        person.clone()
    };
    replace(&mut claims, &rules.token_claims);
    let hash = |token: &str| {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
        json!(BASE64_URL_SAFE_NO_PAD.encode(hash.as_ref().get(..16).unwrap_or_default()))
    };
    let subject = person.get("sub").cloned().unwrap_or_default();
    let mut set = |key: &str, value: Value| drop(claims.insert(key.to_owned(), value));
    set("sub", subject);
    set("iss", json!(issuer(app, &grant.issuer)));
    set("aud", json!(grant.client_id));
    set("iat", json!(now));
    set("exp", json!(now + LIFETIME));
    set("at_hash", hash(access_token));
    if let Some(nonce) = &grant.nonce {
        set("nonce", json!(nonce));
    }
    match rules.forgery {
        Forgery::Nonce => set("nonce", json!("another")),
        Forgery::IssuerSlash => set("iss", json!(format!("{}/", issuer(app, &grant.issuer)))),
        Forgery::Audience => set("aud", json!("another")),
        Forgery::AudienceSeveral => set("aud", json!([grant.client_id, "another"])),
        Forgery::PartyOther => set("azp", json!("another")),
        Forgery::Expired => set("exp", json!(now - 1)),
        Forgery::IssuedAhead => set("iat", json!(now + 600)),
        Forgery::AccessTokenOther => set("at_hash", hash("another")),
        _ => {}
    }
    if rules.forgery == Forgery::NonceMissing {
        claims.remove("nonce");
    }
    claims
}

/// What is known of whoever has the token.
pub(super) async fn user_info(
    State(app): State<Arc<App>>,
    Path(_): Path<String>,
    headers: HeaderMap,
) -> Response {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let bearer = bearer
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    let (known, forgery) = {
        let desk = crate::lock(&app.issuers);
        (desk.tokens.get(bearer).cloned(), desk.rules.forgery)
    };
    let Some(mut claims) = known else {
        note(&app, "userinfo", StatusCode::UNAUTHORIZED);
        return error(StatusCode::UNAUTHORIZED, "invalid_token").into_response();
    };
    if forgery == Forgery::UserInfoAway {
        note(&app, "userinfo", StatusCode::SERVICE_UNAVAILABLE);
        return error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable").into_response();
    }
    note(&app, "userinfo", StatusCode::OK);
    if forgery == Forgery::UserInfoOther {
        claims.insert("sub".to_owned(), json!("somebody-else"));
    }
    Json(claims).into_response()
}
