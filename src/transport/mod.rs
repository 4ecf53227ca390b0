//! GraphQL over the wire: HTTP, `graphql-transport-ws`, server-sent events and Apollo's multipart
//! subscriptions on one path, all through one preparation.
//!
//! The promise: a request is answered as the protocols' texts and their audits want it, what is
//! refused is refused before it costs anything, a resolver that panics harms its own operation only,
//! and a mutation that has begun runs to its end whether or not its client stays.
//!
//! Refused: the services of `async-graphql-axum`. They pick the wrong media type and status, run
//! mutations on GET, read bodies of any size and type, and speak another dialect on sockets than the
//! one they agree to; only the schema itself is the library's.

use std::{net::IpAddr, sync::Arc};

use async_graphql::Executor;
use axum::{
    Router,
    http::{HeaderMap, header, request::Parts},
    routing::any,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{
    auth::{Access, Auth},
    config::PlaidEnv,
    error::{Error, Result},
    graphql::errors::RequestId,
    metrics::Metrics,
    viewer::{ClientInfo, network},
};

mod accept;
mod body;
mod empty;
mod fault;
mod graphiql;
mod http;
mod limits;
mod order;
mod origin;
mod params;
mod prepare;
#[cfg(test)]
mod properties;
mod quota;
mod refusals;
mod run;
mod scan;
mod stream;
#[cfg(test)]
mod tests;
mod values;
mod weight;
mod ws;

pub use limits::Limits;
pub use quota::{Quota, Share};
pub use refusals::Refusals;

/// Where requests and sockets arrive.
pub const PATH: &str = "/graphql";

/// Who may come in. [`Auth`] is the door; a test of the wire has another, since it has no people.
pub trait Door: Clone + Send + Sync + 'static {
    /// Whom an access token belongs to.
    fn authenticate(&self, token: &str) -> impl Future<Output = Result<Access>> + Send;
    /// Waits until the session is revoked or the token expires.
    fn ended(&self, access: Access) -> impl Future<Output = ()> + Send;
}

impl Door for Auth {
    async fn authenticate(&self, token: &str) -> Result<Access> {
        Self::authenticate(self, token).await
    }

    async fn ended(&self, access: Access) {
        Self::ended(self, access).await;
    }
}

/// One of the connections there may be at once. It rides on every request, so that a request that
/// becomes a socket keeps it.
#[derive(Clone, Debug)]
pub struct Seat {
    _held: Arc<(OwnedSemaphorePermit, Option<Share<IpAddr>>)>,
}

impl Seat {
    /// A seat among all, and one among those of an address.
    pub fn new(room: OwnedSemaphorePermit, share: Option<Share<IpAddr>>) -> Self {
        Self {
            _held: Arc::new((room, share)),
        }
    }
}

/// The way from the wire to a schema.
#[derive(Clone, Debug)]
pub struct Transport<E, D = Auth> {
    /// The schema.
    pub executor: E,
    /// Who may come in.
    pub door: D,
    /// What the wire allows.
    pub limits: Arc<Limits>,
    /// Origins whose pages may open sockets and streams.
    pub origins: Arc<[String]>,
    /// Cancelled when the server begins to stop.
    pub stopping: CancellationToken,
    /// What has begun and must end before the process does.
    pub running: TaskTracker,
    /// The operations of each person.
    pub operations: Quota<Uuid>,
    /// How often each address was refused lately.
    pub refusals: Refusals,
    /// What is counted.
    pub metrics: Metrics,
}

impl<E: Executor, D: Door> Transport<E, D> {
    /// The routes of the API, and of the page to explore it with a bank of this sort, if wanted.
    pub fn routes(self, graphiql: Option<PlaidEnv>) -> Router {
        let page = graphiql.map(graphiql::routes).unwrap_or_default();
        Router::new()
            .route(PATH, any(http::receive::<E, D>))
            .merge(page)
            .with_state(self)
    }

    /// Counts a refusal, and waits until it is to be told.
    async fn hold_back(&self, caller: &Caller) {
        let address = caller.client.address.as_deref();
        if let Some(address) = address.and_then(|text| text.parse().ok()) {
            let wait = self.refusals.wait(network(address), Instant::now());
            if !wait.is_zero() {
                sleep(wait).await;
            }
        }
    }

    /// Whom the headers of a request speak for; nobody if they name no token.
    async fn admit(&self, headers: &HeaderMap) -> Result<Option<Access>> {
        if !headers.contains_key(header::AUTHORIZATION) {
            return Ok(None);
        }
        let token = shown(headers).ok_or(Error::Unauthenticated)?;
        self.door.authenticate(token).await.map(Some)
    }
}

/// The token that the headers of a request name.
fn shown(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?;
    value.to_str().ok().and_then(bearer)
}

/// The token of a `Bearer …` value.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// What is known of a request before anybody reads it.
#[derive(Clone, Debug)]
struct Caller {
    id: RequestId,
    client: ClientInfo,
}

impl Caller {
    fn of(parts: &Parts) -> Self {
        let id = parts.extensions.get::<RequestId>();
        Self {
            id: id.cloned().unwrap_or_else(fresh_id),
            client: ClientInfo::of(parts),
        }
    }

    /// The same caller with the next request on its socket.
    fn again(&self) -> Self {
        Self {
            id: fresh_id(),
            client: self.client.clone(),
        }
    }
}

/// An id for a request.
pub fn fresh_id() -> RequestId {
    RequestId(Uuid::now_v7().to_string().into())
}
