//! Puts a running process together: database, keys, sandbox and handles; then, as the command wants,
//! the server and the worker. The only place that knows all parts. A fault of configuration is told
//! before an address is taken, and no job runs before the server has its address.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use passbook_sandbox::{MxWebhooks, Options, Sandbox};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{
    failure::{Exit, Failure},
    keys,
    open::{self, Missing, Opened},
    parts::Parts,
    sandbox,
    signals::Signals,
    source,
};
use crate::{
    app::App,
    auth::{self, Auth},
    clock::Clock,
    config::{Config, MxEnv, OidcProvider, PlaidEnv},
    database::{FileLock, masked},
    error::Result,
    exports,
    feed::Followers,
    mailer::Mailer,
    metrics::Metrics,
    providers::{
        Provider,
        mx::{Mx, MxSettings, WebhookLogin},
        oidc::Issuers,
        plaid::{Plaid, PlaidSettings},
    },
    relay, schema,
    server::{Server, Site, Socket, watch},
    ticker::Tickers,
    transport::Limits,
    webhooks::{self, Intake},
    worker,
};

/// How long sandbox and database have to put their files away. Nothing is lost if they do not: both
/// read their logs at the next start.
const CLOSING: Duration = Duration::from_millis(500);

/// A process that has what it needs, and runs the parts it was given.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) app: App,
    parts: Parts,
    signals: Signals,
    sandbox: Option<Sandbox>,
    /// How MX's webhooks prove themselves.
    proof: Option<(String, SecretString)>,
    /// Given back last.
    _lock: Option<FileLock>,
}

impl Process {
    /// Opens the database, finds the keys, and starts the sandbox if Plaid's environment is local.
    pub(super) async fn start(
        config: Config,
        missing: Missing,
        signals: Signals,
    ) -> Result<Self, Failure> {
        keys::demand(&config)?;
        let Opened { db, lock } = open::open(&config).await?;
        let (migrating, _) = open::migrate(&config, &db, missing).await?;
        let keys = keys::get(&config, &db).await;
        migrating.release().await;
        let keys = keys?;
        let sandbox = local_sandbox(&config).await?;
        let clock = Clock::default();
        let local = sandbox.as_ref().map(Sandbox::url);
        let metrics = Metrics::default();
        let rates = source::rates(&config, local.as_deref(), clock.clone())?;
        if let Some(remark) = source::remark(&config, rates.as_deref()) {
            tracing::info!("{remark}");
        }
        let plaid = plaid(&config, local.clone(), clock.clone(), metrics.clone())?;
        // The sandbox proves itself as MX does, by what is made up at each start.
        let proof = config.mx.webhook.clone();
        let proof = proof.or_else(|| sandbox.is_some().then(made_up));
        let mx = mx(
            &config,
            local.clone(),
            proof.clone(),
            clock.clone(),
            metrics.clone(),
        )?;
        let mailer = Mailer::of(&config.mail)?;
        let issuers = Issuers::new(&oidc(&config, local.as_deref()), &clock)?;
        let public_url = config.public_url.clone();
        let public_url = public_url.unwrap_or_else(|| near(config.listen));
        let app = App {
            config: Arc::new(config),
            db,
            clock,
            metrics,
            keys: Arc::new(keys),
            followers: Followers::default(),
            tickers: Tickers::default(),
            public_url: public_url.into(),
            plaid,
            mx,
            mailer,
            rates,
            issuers,
        };
        let mut parts = Parts::new(signals.clone());
        parts.add("relay of hints", relay::run(app.clone(), parts.shutdown()));
        if let Some(address) = app.config.metrics_listen {
            let socket = bind("METRICS_LISTEN", address).await?;
            tracing::info!("metrics at http://{}/metrics", socket.address());
            parts.add("metrics", watch(app.clone(), socket, parts.shutdown()));
        }
        Ok(Self {
            app,
            parts,
            signals,
            sandbox,
            proof,
            _lock: lock,
        })
    }

    /// Takes the address of `LISTEN` and serves there.
    pub(super) async fn serve(&mut self) -> Result<(), Failure> {
        let socket = bind("LISTEN", self.app.config.listen).await?;
        let address = socket.address();
        // Only now is it known which port `LISTEN` stands for, if it left that open.
        if self.app.config.public_url.is_none() {
            self.app.public_url = near(address).into();
        }
        if let (Some(sandbox), Some((user, password))) = (&self.sandbox, &self.proof) {
            sandbox.aim_mx_webhooks(Some(MxWebhooks {
                url: format!("{}/webhooks/mx", near(address)),
                user: user.clone(),
                password: password.expose_secret().to_owned(),
            }));
        }
        let app = &self.app;
        let auth = Auth::new(app.clone())?;
        let (intake, write) = Intake::new(app.clone());
        let site = Site {
            config: app.config.clone(),
            db: app.db.clone(),
            metrics: app.metrics.clone(),
            keys: app.keys.clone(),
            executor: schema::build(app, auth.clone()),
            door: auth.clone(),
            routes: webhooks::routes(app.clone(), intake)
                .merge(exports::routes(app.clone()))
                .merge(auth::routes(auth.clone())),
            limits: Arc::new(Limits::of(&app.config.wire)),
        };
        let server = Server::on(socket, site);
        let shutdown = self.parts.shutdown();
        self.parts.add("sign-in", done(auth.run(shutdown.clone())));
        self.parts.add("webhook inbox", done(write));
        self.parts.add("server", done(server.serve(shutdown)));
        if self.app.config.forgets_its_proxy() {
            tracing::warn!(
                "PUBLIC_URL is https and TRUSTED_PROXIES is empty: everybody who comes through the proxy before this \
                 server counts as one, so that no limit by address holds; name the proxy, such as \
                 TRUSTED_PROXIES=127.0.0.1"
            );
        }
        self.announce(address);
        Ok(())
    }

    /// Where the built-in sandbox is, if it runs.
    pub(super) fn sandbox_url(&self) -> Option<String> {
        self.sandbox.as_ref().map(Sandbox::url)
    }

    /// Runs jobs, as many at once as `WORKERS` says.
    pub(super) fn work(&mut self) {
        let shutdown = self.parts.shutdown();
        self.parts
            .add("worker", done(worker::run(self.app.clone(), shutdown)));
    }

    /// Runs until a signal comes or a part fails.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let outcome = self.parts.run().await;
        let rest = async {
            // After the jobs, which may have been asking it to the last.
            if let Some(sandbox) = self.sandbox {
                sandbox.shutdown().await;
            }
            self.app.db.close().await;
        };
        tokio::select! {
            () = rest => {}
            () = tokio::time::sleep(CLOSING) => {}
            () = self.signals.now.cancelled() => {}
        }
        outcome
    }

    fn announce(&self, address: SocketAddr) {
        let config = &self.app.config;
        let here = near(address);
        let plaid = match (config.plaid.env, &self.sandbox) {
            (PlaidEnv::Local, Some(sandbox)) => {
                format!("the built-in sandbox at {}", sandbox.url())
            }
            (PlaidEnv::Local, None) => "a sandbox at PLAID_BASE_URL".to_owned(),
            (PlaidEnv::Sandbox, _) => "sandbox".to_owned(),
            (PlaidEnv::Production, _) => "production".to_owned(),
        };
        let mx = match config.mx.env {
            MxEnv::Off => "off",
            MxEnv::Local => "a sandbox",
            MxEnv::Int => "int",
            MxEnv::Production => "production",
        };
        let open = if config.graphiql {
            format!("; open {here}/graphiql to try it")
        } else {
            String::new()
        };
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            database = masked(config.database_url.expose_secret()),
            plaid,
            mx,
            "serving {here}/graphql{open}"
        );
    }
}

/// Takes the address of a setting.
async fn bind(setting: &'static str, address: SocketAddr) -> Result<Socket, Failure> {
    let socket = Socket::bind(setting, address).await;
    socket.map_err(|fault| Failure::new(Exit::Unavailable, fault.to_string()))
}

/// The part that returns nothing as one that may fail.
async fn done(part: impl Future<Output = ()>) -> Result<()> {
    part.await;
    Ok(())
}

/// Where an address listened on is reached from this machine.
pub(super) fn near(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// The way to Plaid, or to the sandbox that stands in for it.
pub(super) fn plaid(
    config: &Config,
    local: Option<String>,
    clock: Clock,
    metrics: Metrics,
) -> Result<Arc<dyn Provider>> {
    let own = || match config.plaid.env {
        PlaidEnv::Local => format!("http://{}", config.sandbox_listen),
        PlaidEnv::Sandbox => "https://sandbox.plaid.com".to_owned(),
        PlaidEnv::Production => "https://production.plaid.com".to_owned(),
    };
    let base_url = local
        .or_else(|| config.plaid.base_url.clone())
        .unwrap_or_else(own);
    let settings = PlaidSettings {
        env: config.plaid.env,
        base_url,
        client_id: config.plaid.client_id.clone(),
        secret: config.plaid.secret.clone(),
        client_name: "Passbook".to_owned(),
    };
    Ok(Arc::new(Plaid::new(settings, clock, metrics)?))
}

/// The way to MX, or to the sandbox that stands in for it; none if it is off.
pub(super) fn mx(
    config: &Config,
    local: Option<String>,
    proof: Option<(String, SecretString)>,
    clock: Clock,
    metrics: Metrics,
) -> Result<Option<Arc<dyn Provider>>> {
    let sandbox = || {
        let elsewhere = sandbox_elsewhere(config).map(str::to_owned);
        let sandbox = local.or(elsewhere);
        sandbox.unwrap_or_else(|| format!("http://{}", config.sandbox_listen))
    };
    let own = match config.mx.env {
        MxEnv::Off => return Ok(None),
        MxEnv::Local => format!("{}/mx", sandbox()),
        MxEnv::Int => "https://int-api.mx.com".to_owned(),
        MxEnv::Production => "https://api.mx.com".to_owned(),
    };
    let settings = MxSettings {
        env: config.mx.env.name(),
        base_url: config.mx.base_url.clone().unwrap_or(own),
        client_id: config.mx.client_id.clone(),
        api_key: config.mx.api_key.clone(),
        webhook: proof.map(|(user, password)| WebhookLogin { user, password }),
    };
    Ok(Some(Arc::new(Mx::new(settings, clock, metrics)?)))
}

/// Who else people may sign in with: who is listed, or the sandbox where banks are the sandbox's.
pub(super) fn oidc(config: &Config, local: Option<&str>) -> Vec<OidcProvider> {
    if !config.oidc.is_empty() {
        return config.oidc.clone();
    }
    let sandbox = local.or_else(|| sandbox_elsewhere(config));
    let sandbox = sandbox.filter(|_| config.plaid.env == PlaidEnv::Local);
    sandbox.map(OidcProvider::sandbox).into_iter().collect()
}

/// A name and a password for one run.
fn made_up() -> (String, SecretString) {
    let password = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    ("sandbox".to_owned(), password.into())
}

/// Where a sandbox runs already; MX's face is where Plaid's is.
fn sandbox_elsewhere(config: &Config) -> Option<&str> {
    let local = config.plaid.env == PlaidEnv::Local;
    config.plaid.base_url.as_deref().filter(|_| local)
}

/// Starts the built-in sandbox if a provider's environment is local and nobody says where one runs
/// already.
async fn local_sandbox(config: &Config) -> Result<Option<Sandbox>, Failure> {
    let plaid = config.plaid.env == PlaidEnv::Local;
    let mx = config.mx.env == MxEnv::Local && config.mx.base_url.is_none();
    if sandbox_elsewhere(config).is_some() || !(plaid || mx) {
        return Ok(None);
    }
    let state = config.sqlite_path().map(journal);
    if state.is_none() {
        tracing::warn!(
            "banks linked in the built-in sandbox are forgotten when it ends; `passbook sandbox --state` keeps them"
        );
    }
    let options = Options {
        listen: config.sandbox_listen,
        state,
        ..Options::default()
    };
    sandbox::start(options).await.map(Some)
}

/// Where the sandbox remembers linked banks: beside the database that holds their tokens.
fn journal(database: PathBuf) -> PathBuf {
    let mut path = database.into_os_string();
    path.push(".sandbox");
    PathBuf::from(path)
}
