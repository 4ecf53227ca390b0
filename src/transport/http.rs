//! GraphQL over HTTP: POST with JSON, GET for queries, and subscriptions for those who accept an
//! answer that goes on.

use async_graphql::{Executor, Response as Answer, ServerError, parser::types::OperationType};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            self, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER, VARY,
            WWW_AUTHENTICATE,
        },
        request::Parts,
    },
    response::Response,
};
use serde::Serialize;

use super::{
    Caller, Door, Transport,
    accept::{Accepted, Framing, Media},
    body,
    fault::Fault,
    origin,
    params::Params,
    prepare::{Prepared, prepare},
    run, shown, stream, ws,
};
use crate::{
    auth::{Access, Cookies, TurnedAway},
    error::Error,
};

/// Who asks, and what she would understand.
struct Asked<'a> {
    caller: &'a Caller,
    access: Option<Access>,
    accepted: Accepted,
}

/// What a request comes to.
enum Served {
    /// One answer.
    Answer(Answer),
    /// An answer that goes on, already dressed.
    Stream(Response),
}

/// Receives whatever comes to the API's path.
pub(super) async fn receive<E: Executor, D: Door>(
    State(transport): State<Transport<E, D>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let caller = Caller::of(&parts);
    let accepted = Accepted::of(&parts.headers);
    let outcome = if ws::is_wanted(&parts) {
        ws::upgrade(transport.clone(), parts, caller.clone())
            .await
            .map(Served::Stream)
    } else {
        serve(&transport, &parts, body, &caller, accepted).await
    };
    if is_refusal(&outcome) {
        transport.hold_back(&caller).await;
    }
    match outcome {
        Ok(Served::Answer(answer)) => respond(answer, accepted),
        Ok(Served::Stream(response)) => response,
        Err(fault) => refuse(fault, accepted, &caller),
    }
}

/// Whether the request is one that should not have been sent.
fn is_refusal(outcome: &Result<Served, Fault>) -> bool {
    match outcome {
        Ok(Served::Answer(answer)) => run::is_refusal(answer),
        Ok(Served::Stream(_)) => false,
        Err(fault) => fault
            .status
            .is_none_or(|status| status == StatusCode::BAD_REQUEST),
    }
}

async fn serve<E: Executor, D: Door>(
    transport: &Transport<E, D>,
    parts: &Parts,
    body: Body,
    caller: &Caller,
    accepted: Accepted,
) -> Result<Served, Fault> {
    // The body comes first even where the headers are wrong: who is answered while sending sees a
    // broken connection, not the answer.
    let bytes = body::read(&parts.headers, body, &transport.limits).await?;
    let params = match parts.method {
        Method::POST => {
            demand_json(&parts.headers)?;
            demand_acceptance(accepted)?;
            Params::from_body(&bytes)?
        }
        Method::GET => {
            demand_acceptance(accepted)?;
            Params::from_uri(&parts.uri)?
        }
        _ => return Err(Fault::method("GET, POST", "Use POST, or GET for queries.")),
    };
    let mut prepared = prepare(params, &transport.limits)?;
    if prepared.kind == OperationType::Mutation && parts.method == Method::GET {
        return Err(Fault::method("POST", "Mutations need POST."));
    }
    let access = match transport.admit(&parts.headers).await {
        Err(Error::Unauthenticated) if prepared.open => {
            if let Some(token) = shown(&parts.headers) {
                prepared.request.data.insert(TurnedAway(token.into()));
            }
            None
        }
        admitted => admitted?,
    };
    transport.introduce(&mut prepared, caller, access)?;
    if prepared.kind == OperationType::Mutation
        && let Some(cookies) = cookies(&parts.headers, &transport.origins)?
    {
        prepared.request.data.insert(cookies);
    }
    let asked = Asked {
        caller,
        access,
        accepted,
    };
    match prepared.kind {
        OperationType::Subscription => follow(transport, &parts.headers, prepared, &asked),
        _ => once(transport, prepared, &asked).await,
    }
}

/// The cookies of a request that asks to use them, which a page of a foreign origin may not.
fn cookies(headers: &HeaderMap, allowed: &[String]) -> Result<Option<Cookies>, Fault> {
    let cookies = Cookies::of(headers);
    let cookies = cookies.map_err(|why| Fault::http(StatusCode::BAD_REQUEST, why))?;
    if cookies.is_some() {
        origin::demand(headers, allowed)?;
    }
    Ok(cookies)
}

/// A query or a mutation. Who accepts one JSON text gets that, whatever else she accepts.
async fn once<E: Executor, D: Door>(
    transport: &Transport<E, D>,
    prepared: Prepared,
    asked: &Asked<'_>,
) -> Result<Served, Fault> {
    let framing = match asked.accepted {
        Accepted { media: Some(_), .. } => None,
        // Apollo's protocol has no place for them.
        Accepted {
            framing: Some(Framing::Parts),
            ..
        } => return Err(unacceptable("This is no subscription: accept JSON for it.")),
        Accepted { framing, .. } => framing,
    };
    let mut answer = transport.run(prepared, asked.caller).await?;
    Ok(match framing {
        Some(framing) if !run::is_refusal(&answer) => {
            let headers = std::mem::take(&mut answer.http_headers);
            let mut response = stream::whole(framing, &answer);
            response.headers_mut().extend(headers);
            Served::Stream(response)
        }
        _ => Served::Answer(answer),
    })
}

fn follow<E: Executor, D: Door>(
    transport: &Transport<E, D>,
    headers: &HeaderMap,
    prepared: Prepared,
    asked: &Asked<'_>,
) -> Result<Served, Fault> {
    let Some(framing) = asked.accepted.framing else {
        return Err(Fault::http(
            StatusCode::BAD_REQUEST,
            "A subscription does not fit into one answer: use a WebSocket with the protocol \
             graphql-transport-ws, or accept text/event-stream or multipart/mixed;subscriptionSpec=1.0.",
        ));
    };
    origin::demand(headers, &transport.origins)?;
    if transport.stopping.is_cancelled() {
        return Err(Fault::unavailable("The server is stopping."));
    }
    let opened = stream::open(transport, prepared, asked.caller, asked.access, framing);
    Ok(opened.map_or_else(|answer| Served::Answer(*answer), Served::Stream))
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

fn demand_acceptance(accepted: Accepted) -> Result<(), Fault> {
    if accepted.media.is_none() && accepted.framing.is_none() {
        return Err(unacceptable(
            "Answers are application/graphql-response+json, application/json or, for subscriptions, \
             text/event-stream.",
        ));
    }
    Ok(())
}

fn unacceptable(message: &str) -> Fault {
    Fault::http(StatusCode::NOT_ACCEPTABLE, message)
}

/// An answer to a request that did not run: without `data`.
#[derive(Serialize)]
struct Refusal {
    errors: Vec<ServerError>,
}

fn respond(mut answer: Answer, accepted: Accepted) -> Response {
    let media = accepted.media.unwrap_or(Media::Json);
    let headers = std::mem::take(&mut answer.http_headers);
    if run::is_refusal(&answer) {
        let errors = answer.errors;
        return send(refused_status(accepted), media, &Refusal { errors });
    }
    let mut response = send(StatusCode::OK, media, &answer);
    response.headers_mut().extend(headers);
    response
}

fn refuse(fault: Fault, accepted: Accepted, caller: &Caller) -> Response {
    let media = accepted.media.unwrap_or(Media::Json);
    let status = fault.status.unwrap_or_else(|| refused_status(accepted));
    let (allow, retry_after) = (fault.allow, fault.retry_after);
    let errors = vec![fault.error(&caller.id)];
    let mut response = send(status, media, &Refusal { errors });
    let headers = response.headers_mut();
    if let Some(allow) = allow {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(seconds) = retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
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

/// Clients of the older type look for errors only where the status is 200. Those that know streams
/// look at the status first.
fn refused_status(accepted: Accepted) -> StatusCode {
    match accepted {
        Accepted {
            media: Some(Media::Json),
            framing: None,
        } => StatusCode::OK,
        _ => StatusCode::BAD_REQUEST,
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
