//! GraphQL over HTTP: POST with JSON, GET for queries.

use async_graphql::{Executor, Response as Answer, ServerError, parser::types::OperationType};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{self, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, VARY, WWW_AUTHENTICATE},
        request::Parts,
    },
    response::Response,
};
use serde::Serialize;

use super::{
    Caller, Door, Transport, accept::Media, body, fault::Fault, params::Params, prepare::prepare,
    run, ws,
};
use crate::error::Error;

/// Receives whatever comes to the API's path.
pub(super) async fn receive<E: Executor, D: Door>(
    State(transport): State<Transport<E, D>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let caller = Caller::of(&parts);
    let media = Media::negotiate(&parts.headers);
    let outcome = if ws::is_wanted(&parts) {
        match ws::upgrade(transport, parts, caller.clone()).await {
            Ok(response) => return response,
            Err(fault) => Err(fault),
        }
    } else {
        serve(&transport, &parts, body, &caller).await
    };
    let media = media.unwrap_or(Media::Json);
    match outcome {
        Ok(answer) => respond(answer, media),
        Err(fault) => refuse(fault, media, &caller),
    }
}

async fn serve<E: Executor, D: Door>(
    transport: &Transport<E, D>,
    parts: &Parts,
    body: Body,
    caller: &Caller,
) -> Result<Answer, Fault> {
    // The body comes first even where the headers are wrong: who is answered while sending sees a
    // broken connection, not the answer.
    let bytes = body::read(&parts.headers, body, &transport.limits).await?;
    let params = match parts.method {
        Method::POST => {
            demand_json(&parts.headers)?;
            demand_acceptance(&parts.headers)?;
            Params::from_body(&bytes)?
        }
        Method::GET => {
            demand_acceptance(&parts.headers)?;
            Params::from_uri(&parts.uri)?
        }
        _ => return Err(Fault::method("GET, POST", "Use POST, or GET for queries.")),
    };
    let mut prepared = prepare(params, &transport.limits)?;
    match prepared.kind {
        OperationType::Mutation if parts.method == Method::GET => {
            return Err(Fault::method("POST", "Mutations need POST."));
        }
        OperationType::Subscription => {
            return Err(Fault::http(
                StatusCode::BAD_REQUEST,
                "Subscriptions need a WebSocket with the protocol graphql-transport-ws.",
            ));
        }
        _ => {}
    }
    let access = match transport.admit(&parts.headers).await {
        Err(Error::Unauthenticated) if prepared.open => None,
        admitted => admitted?,
    };
    run::introduce(&mut prepared.request, caller, access);
    transport.run(prepared, caller).await
}

/// Nothing but JSON: every other type that a page may send without asking first would let any page
/// on the web send requests.
fn demand_json(headers: &HeaderMap) -> Result<(), Fault> {
    let wrong = |message| Err(Fault::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let mut parts = kind.split(';').map(str::trim);
    if parts.next() != Some(Media::Json.name()) {
        return wrong("The body must be application/json.");
    }
    let mut charsets = parts.filter_map(|part| part.strip_prefix("charset="));
    if !charsets.all(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8")) {
        return wrong("JSON is UTF-8.");
    }
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return wrong("The body must not be compressed.");
    }
    Ok(())
}

fn demand_acceptance(headers: &HeaderMap) -> Result<(), Fault> {
    Media::negotiate(headers).map(|_| ()).ok_or_else(|| {
        Fault::http(
            StatusCode::NOT_ACCEPTABLE,
            "Answers are application/graphql-response+json or application/json.",
        )
    })
}

/// An answer to a request that did not run: without `data`.
#[derive(Serialize)]
struct Refusal {
    errors: Vec<ServerError>,
}

fn respond(answer: Answer, media: Media) -> Response {
    if run::is_refusal(&answer) {
        let errors = answer.errors;
        return send(refused_status(media), media, &Refusal { errors });
    }
    send(StatusCode::OK, media, &answer)
}

fn refuse(fault: Fault, media: Media, caller: &Caller) -> Response {
    let status = fault.status.unwrap_or_else(|| refused_status(media));
    let allow = fault.allow;
    let errors = vec![fault.error(&caller.id)];
    let mut response = send(status, media, &Refusal { errors });
    let headers = response.headers_mut();
    if let Some(allow) = allow {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    match status {
        StatusCode::UNAUTHORIZED => {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        // Part of the body may still be on its way.
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// Clients of the older type look for errors only where the status is 200.
fn refused_status(media: Media) -> StatusCode {
    match media {
        Media::GraphQl => StatusCode::BAD_REQUEST,
        Media::Json => StatusCode::OK,
    }
}

fn send(status: StatusCode, media: Media, body: &impl Serialize) -> Response {
    let (status, body) = match serde_json::to_vec(body) {
        Ok(body) => (status, body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, Vec::new())
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media.content_type());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    response
}
