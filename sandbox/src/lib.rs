//! A stand-in for the test environments of Plaid and MX: an HTTP server that links test users at invented banks and hands out their
//! transactions.
//!
//! Whoever speaks Plaid's or MX's API to it needs to know nothing of it: the paths, fields, errors, cursors, pages, webhooks and what a
//! person sees in a browser are theirs. Any client id and secret will do. Everything is a function of a seed and of the requests made, so
//! that a run can be repeated; faults can be planted through the control paths, which `README.md` beside this crate describes.
//!
//! | path | what |
//! |---|---|
//! | `/…` | Plaid's face (`plaid`) |
//! | `/mx/…` | MX's face (`mx`) |
//! | `/hl/…` | the hosted link page (`hosted`) |
//! | `/alphavantage/query` | Alpha Vantage's face (`alphavantage`) |
//! | `/oidc/{name}/…` | an issuer of OpenID Connect (`oidc`) |
//! | `/control/…` | clock, settings, faults, items, members, journals (`control`) |
//!
//! Other providers' faces get their own prefix and their own module, beside `plaid`, over the same `world`.
//!
//! Refused: recorded answers played back. They cannot follow a cursor, and a client tested on them alone is tested on one day's data.

#![expect(
    clippy::struct_field_names,
    reason = "fields that go over the wire have Plaid's and MX's names"
)]
mod alphavantage;
mod app;
mod bank;
mod clock;
mod control;
mod error;
mod faults;
mod hosted;
mod mx;
mod oidc;
mod plaid;
mod ring;
mod seed;
mod settings;
mod webhooks;
mod world;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use self::error::{Error, Result};
pub use self::settings::{MxSettings, MxWebhooks, Settings, SignatureFault, WebhookSettings};

use self::app::App;
use self::world::World;
use self::world::journal::Journal;

const REMEMBERED_CALLS: usize = 20_000;

/// How a sandbox is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The address people reach the hosted link page at, if it is not the one listened on.
    pub public_url: Option<String>,
    /// What all chance comes from.
    pub seed: u64,
    /// The file that remembers linked banks across restarts.
    pub state: Option<PathBuf>,
    /// Behaviour a test may change later, too.
    pub settings: Settings,
    /// Where MX's webhooks go, unless nobody hears them.
    pub mx_webhooks: Option<MxWebhooks>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_url: None,
            seed: 1,
            state: None,
            settings: Settings::default(),
            mx_webhooks: None,
        }
    }
}

/// A running sandbox. Dropping it stops it; [`Sandbox::shutdown`] also waits for what is under way.
#[derive(Debug)]
pub struct Sandbox {
    app: Arc<App>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Starts a sandbox in the background of the current runtime.
    pub async fn start(options: Options) -> Result<Self> {
        let asked = options.listen;
        let listening = |source| Error::Listen {
            address: asked,
            source,
        };
        let listener = TcpListener::bind(asked).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let app = open(options, address)?;
        // Small answers must not wait for the acknowledgement of the ones before them.
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let router = router(Arc::clone(&app));
        let world = Arc::clone(&app);
        let (stop, mut stopped) = watch::channel(false);
        tokio::spawn(mx::life::run(Arc::clone(&app), stopped.clone()));
        let server = tokio::spawn(async move {
            let until = async move { drop(stopped.wait_for(|stopped| *stopped).await) };
            if let Err(error) = axum::serve(listener, router)
                .with_graceful_shutdown(until)
                .await
            {
                tracing::error!(%error, "the sandbox stopped serving");
            }
            let written = lock(&world.world).written();
            written.settle().await;
        });
        Ok(Self {
            app,
            address,
            stop,
            server,
        })
    }

    /// The base address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base address of MX's face, without a slash at the end.
    pub fn mx_url(&self) -> String {
        format!("{}/mx", self.url())
    }

    /// Sends MX's webhooks there from now on, or nowhere: for whoever learns his own address only after the sandbox has started.
    pub fn aim_mx_webhooks(&self, target: Option<MxWebhooks>) {
        *lock(&self.app.mx_webhooks) = target.map(Arc::new);
    }

    /// The address listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests and waits for those under way, for at most five seconds.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(std::time::Duration::from_secs(5), &mut self.server)
            .await
            .is_err()
        {
            self.server.abort();
        }
    }
}

fn open(options: Options, address: SocketAddr) -> Result<Arc<App>> {
    let clock = clock::Clock::new();
    let public_url = options
        .public_url
        .unwrap_or_else(|| format!("http://{address}"));
    let (world, unready) = restore(options.seed, options.state, clock.now())?;
    let app = Arc::new(App {
        seed: options.seed,
        outbox: webhooks::outbox::Outbox::new(clock.now())?,
        clock,
        world: Mutex::new(world),
        settings: Mutex::new(options.settings),
        faults: Mutex::new(faults::Faults::new(options.seed)),
        calls: Mutex::new(ring::Ring::new(REMEMBERED_CALLS)),
        flows: Mutex::default(),
        desk: Mutex::default(),
        issuers: Mutex::default(),
        signer: OnceLock::new(),
        mx_webhooks: Mutex::new(options.mx_webhooks.map(Arc::new)),
        shifts: Mutex::default(),
        widgets: Mutex::default(),
        moments: tokio::sync::Notify::new(),
        public_url: public_url.trim_end_matches('/').to_owned(),
        requests: AtomicU64::new(0),
    });
    for (item_id, initial_at, history_at) in unready {
        app.announce(&item_id, initial_at, history_at);
    }
    Ok(app)
}

type Moment = chrono::DateTime<chrono::Utc>;

/// An item, and when the two parts of its history will be ready.
type Unready = (String, Moment, Moment);

/// The world as the state file has it, and the items whose history was still on its way.
fn restore(seed: u64, state: Option<PathBuf>, now: Moment) -> Result<(World, Vec<Unready>)> {
    let Some(path) = state else {
        return Ok((World::new(seed, Journal::none()), Vec::new()));
    };
    let unusable = |source| Error::State {
        path: path.display().to_string(),
        source,
    };
    let (journal, lines) = Journal::open(&path).map_err(unusable)?;
    let mut world = World::new(seed, journal);
    for line in lines {
        world.apply(line);
    }
    let feeds = world
        .items
        .iter()
        .filter_map(|(id, item)| Some((id, item.feed.as_ref()?)));
    let unready = feeds.filter(|(_, feed)| feed.history_at > now);
    let unready = unready
        .map(|(id, feed)| (id.clone(), feed.initial_at, feed.history_at))
        .collect();
    Ok((world, unready))
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", axum::routing::get(hosted::index))
        .nest("/control", control::routes())
        .nest("/hl", hosted::routes())
        .nest("/alphavantage", alphavantage::routes())
        .nest("/mx", mx::routes())
        .nest("/oidc", oidc::routes())
        .fallback(plaid::door::enter)
        .with_state(app)
}

/// Locks what no panic can leave half changed: a poisoned lock is as good as a sound one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
