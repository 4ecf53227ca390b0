//! The HTTP server: the routes, what every answer carries, and how it starts and stops.

use std::{net::SocketAddr, sync::Arc};

use async_graphql::Executor;
use axum::{
    Router,
    http::{HeaderName, HeaderValue, Method, header},
    middleware,
    routing::get,
};
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::cors::{AllowCredentials, AllowOrigin, CorsLayer};

use crate::{
    auth::WISH,
    config::Config,
    database::Database,
    error::Result,
    metrics::Metrics,
    seal::Keys,
    transport::{Door, Limits, Quota, Refusals, Transport},
};

mod accept;
mod gate;
mod health;
mod pages;
mod patience;
mod proxy;
mod site;
mod watch;

pub(crate) use health::proves;
pub use site::site;
pub use watch::watch;

/// What a server serves.
#[derive(Debug)]
pub struct Site<E, D> {
    /// What the operator said.
    pub config: Arc<Config>,
    /// The database, which is asked whether the server is ready.
    pub db: Database,
    /// What is counted.
    pub metrics: Metrics,
    /// The secret keys, by which the server can prove that it is itself.
    pub keys: Arc<Keys>,
    /// The schema.
    pub executor: E,
    /// Who may come in.
    pub door: D,
    /// What else is served, such as webhooks.
    pub routes: Router,
    /// What the wire allows.
    pub limits: Arc<Limits>,
}

/// An address that was taken, before there is anything to serve on it: what is served may have to
/// know where it is.
#[derive(Debug)]
pub struct Socket {
    listener: TcpListener,
    address: SocketAddr,
}

/// A server that has its address and waits to serve.
#[derive(Debug)]
pub struct Server {
    socket: Socket,
    router: Router,
    limits: Arc<Limits>,
    proxies: Arc<[IpNet]>,
    stopping: CancellationToken,
    running: TaskTracker,
}

/// The address of a setting cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {address} {}", remedy(.source))]
pub struct BindError {
    setting: &'static str,
    address: SocketAddr,
    source: std::io::Error,
}

impl Socket {
    /// Takes the address of a setting; port 0 takes any that is free.
    pub async fn bind(setting: &'static str, address: SocketAddr) -> Result<Self, BindError> {
        let failed = |source| BindError {
            setting,
            address,
            source,
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The address: never port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Server {
    /// Takes the address of `LISTEN`.
    pub async fn bind<E: Executor, D: Door>(site: Site<E, D>) -> Result<Self, BindError> {
        let socket = Socket::bind("LISTEN", site.config.listen).await?;
        Ok(Self::on(socket, site))
    }

    /// A server on an address that was taken before.
    pub fn on<E: Executor, D: Door>(socket: Socket, site: Site<E, D>) -> Self {
        let (stopping, running) = (CancellationToken::new(), TaskTracker::new());
        let limits = site.limits.clone();
        let proxies: Arc<[IpNet]> = site.config.trusted_proxies.clone().into();
        let (stop, run) = (stopping.clone(), running.clone());
        Self {
            router: router(site, socket.address, proxies.clone(), stop, run),
            socket,
            limits,
            proxies,
            stopping,
            running,
        }
    }

    /// Where the server listens: never port 0.
    pub fn address(&self) -> SocketAddr {
        self.socket.address
    }
}

fn router<E: Executor, D: Door>(
    site: Site<E, D>,
    address: SocketAddr,
    proxies: Arc<[IpNet]>,
    stopping: CancellationToken,
    running: TaskTracker,
) -> Router {
    let foreign = site.config.allowed_origins.iter();
    let foreign: Vec<String> = foreign.filter_map(|url| origin(url)).collect();
    let own = own_origins(site.config.public_url.as_deref(), address);
    let graphiql = site.config.graphiql;
    let explored = graphiql.then_some(site.config.plaid.env);
    let transport = Transport {
        executor: site.executor,
        door: site.door,
        limits: site.limits,
        origins: foreign.iter().cloned().chain(own).collect(),
        stopping: stopping.clone(),
        running,
        operations: Quota::default(),
        refusals: Refusals::default(),
        metrics: site.metrics.clone(),
    };
    let ready = health::Ready::new(site.db, stopping);
    let public_url = site.config.public_url.as_deref();
    let wardrobe = pages::Wardrobe {
        metrics: site.metrics,
        proxies,
        warned: Arc::default(),
        tls: public_url.is_some_and(|url| url.starts_with("https://")),
    };
    Router::new()
        .route("/", get(move || async move { pages::landing(graphiql) }))
        .route("/healthz", get(health::live).with_state(site.keys))
        .route("/readyz", get(health::ready).with_state(ready))
        .merge(transport.routes(explored))
        .merge(site.routes)
        .fallback(pages::nothing)
        .layer(cors(&foreign))
        .layer(middleware::from_fn_with_state(wardrobe, pages::dress))
}

/// Browsers may call from the listed origins: with a token in a header, and with the cookie of a refresh
/// token where they ask to use it. The header by which they ask is what makes them ask us first.
fn cors(origins: &[String]) -> CorsLayer {
    let origins = origins.iter().filter_map(|origin| origin.parse().ok());
    let origins: Vec<HeaderValue> = origins.collect();
    let listed = AllowOrigin::list(origins.clone());
    CorsLayer::new()
        .allow_origin(listed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static(WISH.0),
        ])
        .allow_credentials(AllowCredentials::predicate(move |origin, _| {
            origins.contains(origin)
        }))
        .expose_headers([pages::REQUEST_ID, header::RETRY_AFTER])
        .max_age(std::time::Duration::from_hours(1))
}

/// The origins of our own pages.
fn own_origins(public_url: Option<&str>, address: SocketAddr) -> Vec<String> {
    let mut own = vec![format!("http://{address}")];
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        let port = address.port();
        own.extend(["localhost", "127.0.0.1", "[::1]"].map(|host| format!("http://{host}:{port}")));
    }
    own.extend(public_url.and_then(origin));
    own
}

/// The origin of an address, as browsers write it.
fn origin(url: &str) -> Option<String> {
    let origin = reqwest::Url::parse(url).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// Why an address cannot be had, and what to do; goes on from the address.
pub(crate) fn remedy(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "is taken by another program; stop it or choose another port".to_owned()
        }
        std::io::ErrorKind::PermissionDenied => {
            "may not be used by this user; choose a port above 1023".to_owned()
        }
        std::io::ErrorKind::AddrNotAvailable => {
            "is not an address of this machine; 0.0.0.0 stands for all of them".to_owned()
        }
        _ => format!("cannot be used: {error}"),
    }
}
