//! Puts a running process together: database, keys, sandbox and handles; then, as the command wants,
//! the server and the worker. The only place that knows all parts. A fault of configuration is told
//! before an address is taken, and no job runs before the server has its address.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use passbook_sandbox::{MxWebhooks, Sandbox};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{
    failure::{Exit, Failure},
    keys,
    open::{self, Missing, Opened},
    parts::Parts,
    providers, sandbox,
    signals::Signals,
    source,
};
use crate::{
    app::App,
    auth::Auth,
    clock::Clock,
    config::{Config, MxEnv, PlaidEnv},
    database::{FileLock, masked},
    error::Result,
    feed::Followers,
    mailer::Mailer,
    metrics::Metrics,
    providers::oidc::Issuers,
    relay,
    server::{Server, Socket, site, watch},
    ticker::Tickers,
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
        let sandbox = sandbox::beside(&config).await?;
        let clock = Clock::default();
        let local = sandbox.as_ref().map(Sandbox::url);
        let metrics = Metrics::default();
        let rates = source::rates(&config, local.as_deref(), clock.clone())?;
        if let Some(remark) = source::remark(&config, rates.as_deref()) {
            tracing::info!("{remark}");
        }
        let plaid = providers::plaid(&config, local.clone(), clock.clone(), metrics.clone())?;
        // The sandbox proves itself as MX does, by what is made up at each start.
        let proof = config.mx.webhook.clone();
        let proof = proof.or_else(|| sandbox.is_some().then(made_up));
        let mx = providers::mx(
            &config,
            local.clone(),
            proof.clone(),
            clock.clone(),
            metrics.clone(),
        )?;
        let mailer = Mailer::of(&config.mail)?;
        let issuers = Issuers::new(&providers::oidc(&config, local.as_deref()), &clock)?;
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
        let (site, write) = site(app, &auth);
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

/// A name and a password for one run.
fn made_up() -> (String, SecretString) {
    let password = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    ("sandbox".to_owned(), password.into())
}
