//! The two addresses a browser passes here: on its way to the issuer, and on its way back.

use std::net::SocketAddr;

use axum::{
    Router,
    extract::{ConnectInfo, Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use openidconnect::url::form_urlencoded;
use reqwest::Url;

use super::{
    LIFETIME,
    arrive::{self, Answer},
    depart,
};
use crate::{
    auth::{Auth, throttle},
    error::{Error, Result},
    viewer::ClientInfo,
};

/// The cookie where the server is reached by https, which no other host can set.
const SECURE_COOKIE: &str = "__Host-passbook_login";
/// The cookie where it is not, as on a developer's machine.
const PLAIN_COOKIE: &str = "passbook_login";

/// `GET /auth/{provider}/start`, `GET /auth/{provider}/callback`.
pub fn routes(auth: Auth) -> Router {
    Router::new()
        .route("/auth/{provider}/start", get(start))
        .route("/auth/{provider}/callback", get(callback))
        .with_state(auth)
}

async fn start(State(auth): State<Auth>, Path(provider): Path<String>, request: Parts) -> Response {
    match departing(&auth, &provider, &request).await {
        Ok(depart::Way::Issuer { url, browser }) => {
            let mut response = sent_to(&url);
            if let Ok(cookie) = HeaderValue::from_str(&set_cookie(&auth, &browser)) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(depart::Way::App {
            redirect_uri,
            error,
        }) => back_to(&redirect_uri, "error", error),
        Ok(depart::Way::Nowhere) => page(
            StatusCode::BAD_REQUEST,
            "OIDC_TICKET",
            "This address was used before, or is too old.",
        ),
        Err(error) => failed(&error),
    }
}

async fn departing(auth: &Auth, provider: &str, request: &Parts) -> Result<depart::Way> {
    let client = client(request);
    throttle::social_visit(&auth.app, &client).await?;
    let ticket = once(request, "ticket").unwrap_or_default();
    let browser = cookie(auth, &request.headers);
    depart::depart(auth, provider, &ticket, browser.as_deref(), &client).await
}

async fn callback(
    State(auth): State<Auth>,
    Path(provider): Path<String>,
    request: Parts,
) -> Response {
    match arriving(&auth, &provider, &request).await {
        Ok(arrive::Way::Code { redirect_uri, code }) => back_to(&redirect_uri, "code", &code),
        Ok(arrive::Way::Error {
            redirect_uri,
            error,
        }) => back_to(&redirect_uri, "error", error),
        Ok(arrive::Way::Nowhere) => page(
            StatusCode::BAD_REQUEST,
            "OIDC_STATE",
            "This sign-in was not begun in this browser, or is over.",
        ),
        Err(error) => failed(&error),
    }
}

async fn arriving(auth: &Auth, provider: &str, request: &Parts) -> Result<arrive::Way> {
    let client = client(request);
    throttle::social_visit(&auth.app, &client).await?;
    let answer = Answer {
        state: once(request, "state"),
        code: once(request, "code"),
        error: once(request, "error"),
        iss: once(request, "iss"),
        browser: cookie(auth, &request.headers),
    };
    arrive::arrive(auth, provider, answer, &client).await
}

/// A parameter that is there exactly once: two of a name mean different things to different readers.
fn once(request: &Parts, name: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes());
    let mut values = pairs
        .filter(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned());
    let first = values.next();
    first.filter(|_| values.next().is_none())
}

fn client(request: &Parts) -> ClientInfo {
    let agent = request
        .headers
        .get(header::USER_AGENT)
        .and_then(|text| text.to_str().ok());
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    ClientInfo {
        address: peer.map(|ConnectInfo(peer)| peer.ip().to_canonical().to_string()),
        user_agent: agent.map(str::to_owned),
    }
}

fn is_secure(auth: &Auth) -> bool {
    auth.app.public_url.starts_with("https://")
}

/// The cookie of this browser, if it has one.
fn cookie(auth: &Auth, headers: &HeaderMap) -> Option<String> {
    let name = if is_secure(auth) {
        SECURE_COOKIE
    } else {
        PLAIN_COOKIE
    };
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// `Lax`, for the way back begins at the issuer's page.
fn set_cookie(auth: &Auth, browser: &str) -> String {
    let age = LIFETIME.num_seconds();
    if is_secure(auth) {
        format!("{SECURE_COOKIE}={browser}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax; Secure")
    } else {
        format!("{PLAIN_COOKIE}={browser}; Path=/auth; Max-Age={age}; HttpOnly; SameSite=Lax")
    }
}

/// Sends the browser to the app, with one word more in the query that it has.
fn back_to(redirect_uri: &str, name: &str, value: &str) -> Response {
    let Ok(mut url) = Url::parse(redirect_uri) else {
        return failed(&Error::internal("a registered address cannot be read"));
    };
    url.query_pairs_mut().append_pair(name, value);
    sent_to(url.as_str())
}

fn sent_to(url: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(url) else {
        return failed(&Error::internal("an address that is no header"));
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn failed(error: &Error) -> Response {
    match error {
        Error::Refused(refusals) => {
            let wait = refusals
                .iter()
                .find_map(|refusal| refusal.retry_after)
                .unwrap_or(60);
            let text =
                format!("Too many sign-ins come from your network. Try again in {wait} seconds.");
            let mut response = page(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", &text);
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, wait.into());
            response
        }
        error => {
            tracing::error!(error = error.chain(), "a social login failed");
            let text = "The server cannot do this at the moment. Try again.";
            page(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", text)
        }
    }
}

/// A page of ours alone: nothing of a request is ever shown in it.
fn page(status: StatusCode, code: &str, text: &str) -> Response {
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sign-in</title>\
         <h1>This sign-in cannot go on</h1><p>{text} Go back to the app and begin again.</p>\
         <p><code>{code}</code></p></html>\n"
    );
    (status, [(header::CACHE_CONTROL, "no-store")], Html(body)).into_response()
}
