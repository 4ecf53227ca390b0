//! A server for one story, with everything it needs, on a database of its own.

use std::sync::Arc;

use passbook::{
    app::App,
    auth::Auth,
    clock::Clock,
    config::{Config, MxEnv, OidcProvider},
    database::Database,
    feed::Followers,
    mailer::Mailer,
    metrics::Metrics,
    providers::{
        Provider,
        alphavantage::{AlphaVantage, AlphaVantageSettings},
        mx::{Mx, MxSettings, WebhookLogin},
        oidc::Issuers,
        plaid::{Plaid, PlaidSettings},
    },
    relay,
    seal::Keys,
    secrets::Rekeyed,
    server::{Server, Socket, site, watch},
    ticker::Tickers,
    worker,
};
use sea_orm::DbBackend;
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

mod bank;
mod database;
mod download;
mod hashing;
mod mailbox;
mod mx;
mod person;
mod place;
mod program;
mod rows;
pub(crate) mod social;
mod template;
mod waits;

pub(crate) use bank::{Bank, Signed};
pub(crate) use download::{Download, unpack};
pub(crate) use hashing::{crowd, while_hashing, with_one_hasher};
pub(crate) use mailbox::Mailbox;
pub(crate) use person::{DEVICE, Person, Watch, patiently};
pub(crate) use place::Place;
pub(crate) use program::Program;

const SECRET_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// How MX proves itself.
pub(crate) const MX_USER: &str = "mx";
pub(crate) const MX_PASSWORD: &str = "mx-proves-itself";

/// A running server and its bank.
pub(crate) struct TestApp {
    pub(crate) bank: Bank,
    pub(crate) clock: Clock,
    db: Database,
    pub(crate) url: String,
    /// Where metrics are, if a setting says that there are any.
    metrics: Option<String>,
    shutdown: CancellationToken,
    parts: JoinSet<()>,
    settings: Vec<(String, String)>,
    place: Place,
}

impl TestApp {
    /// A server with nobody in it.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A server with other settings than the usual ones.
    pub(crate) async fn with(pairs: &[(&str, &str)]) -> Self {
        let pairs = pairs
            .iter()
            .map(|&(name, value)| (name.into(), value.into()));
        let (place, bank) = (Place::make().await, Bank::open().await);
        Self::open(place, bank, pairs.collect()).await
    }

    /// A server with such settings, beside a bank that is there before it.
    pub(crate) async fn beside(bank: &Bank, pairs: &[(&str, &str)]) -> Self {
        let pairs = pairs
            .iter()
            .map(|&(name, value)| (name.into(), value.into()));
        Self::open(Place::make().await, bank.clone(), pairs.collect()).await
    }

    /// The server ends as it does at a signal, and another begins on its database and address.
    pub(crate) async fn restart(mut self) -> Self {
        self.end().await;
        let place = std::mem::take(&mut self.place);
        let mut settings = std::mem::take(&mut self.settings);
        settings.push(("LISTEN".into(), self.url["http://".len()..].into()));
        Self::open(place, self.bank.clone(), settings).await
    }

    /// The server ends, and one with some other settings begins on its database and address.
    pub(crate) async fn restart_with(mut self, pairs: &[(&str, &str)]) -> Self {
        let others = pairs
            .iter()
            .map(|&(name, value)| (name.into(), value.into()));
        self.settings.extend(others);
        self.restart().await
    }

    /// The server dies as at `kill -9`, and another begins on its database and address.
    pub(crate) async fn crash(mut self) -> Self {
        self.parts.abort_all();
        self.restart().await
    }

    /// The server dies as at `kill -9`, and none begins in its place.
    pub(crate) async fn die(&mut self) {
        self.parts.abort_all();
        self.end().await;
    }

    /// Another server on the same database, with the same bank; only where there may be several.
    pub(crate) async fn replica(&self) -> Option<Self> {
        self.replica_with(&[]).await
    }

    /// The same with some other settings.
    pub(crate) async fn replica_with(&self, pairs: &[(&str, &str)]) -> Option<Self> {
        if self.db.backend() != DbBackend::Postgres {
            database::left_out("one process has the file");
            return None;
        }
        let others = pairs
            .iter()
            .map(|&(name, value)| (name.into(), value.into()));
        let mut settings: Vec<_> = self.settings.iter().cloned().chain(others).collect();
        settings.push(("LISTEN".into(), "127.0.0.1:0".into()));
        let place = self.place.shared();
        Some(Self::open(place, self.bank.clone(), settings).await)
    }

    /// Seals everything under the first of these keys, as `passbook rekey` does.
    pub(crate) async fn rekey(&self, keys: &str) -> Rekeyed {
        let keys = Keys::parse(keys).unwrap();
        passbook::secrets::rekey(&self.db, &keys).await.unwrap()
    }

    /// Ends the server; its database stays.
    pub(crate) async fn end(&mut self) {
        self.shutdown.cancel();
        while self.parts.join_next().await.is_some() {}
        self.db.close().await;
    }

    async fn open(place: Place, bank: Bank, settings: Vec<(String, String)>) -> Self {
        let mut all = vec![
            ("LISTEN", "127.0.0.1:0"),
            ("DATABASE_URL", place.url()),
            ("SECRET_KEY", SECRET_KEY),
            ("WORKERS", "4"),
        ];
        for (name, value) in &settings {
            all.retain(|(known, _)| known != name);
            all.push((name, value));
        }
        let config = Config::from_pairs(all).unwrap();
        let db = Database::connect(place.url()).await.unwrap();
        db.bring_up_to_date().await.unwrap();
        let clock = Clock::default();
        let plaid = PlaidSettings {
            env: config.plaid.env,
            base_url: bank.url(),
            client_id: "client".into(),
            secret: "secret".into(),
            client_name: "Passbook".to_owned(),
        };
        let rates = AlphaVantageSettings {
            base_url: format!("{}/alphavantage", bank.url()),
            api_key: config.rates.api_key.clone(),
            name: "the sandbox".to_owned(),
        };
        let providers = match config.oidc.as_slice() {
            [] => vec![OidcProvider::sandbox(&bank.url())],
            listed => listed.to_vec(),
        };
        // The address is taken first, since Plaid is told where to send webhooks.
        let socket = Socket::bind("LISTEN", config.listen).await.unwrap();
        let metrics = Metrics::default();
        let keys = config.secret_key.as_ref().unwrap().expose_secret();
        let keys = Keys::parse(keys).unwrap();
        let near = format!("http://{}", socket.address());
        let mailer = Mailer::of(&config.mail).unwrap();
        let mx_env = config.mx.env;
        let app = App {
            mailer,
            public_url: config.public_url.clone().unwrap_or(near).into(),
            config: Arc::new(config),
            db: db.clone(),
            clock: clock.clone(),
            keys: Arc::new(keys),
            followers: Followers::default(),
            tickers: Tickers::default(),
            plaid: Arc::new(Plaid::new(plaid, clock.clone(), metrics.clone()).unwrap()),
            mx: mx(&bank, mx_env, clock.clone(), metrics.clone()),
            rates: Some(Arc::new(AlphaVantage::new(rates, clock.clone()).unwrap())),
            issuers: Issuers::new(&providers, &clock).unwrap(),
            metrics,
        };
        let shutdown = CancellationToken::new();
        let (url, mut parts) = run(&app, socket, &shutdown);
        let metrics = watched(&app, &mut parts, &shutdown).await;
        Self {
            bank,
            clock,
            db,
            url,
            metrics,
            shutdown,
            parts,
            settings,
            place,
        }
    }

    /// A person who has just registered.
    pub(crate) async fn person(&self, name: &str) -> Person {
        Person::register(&self.url, name).await
    }

    /// A person who is known, on another device.
    pub(crate) async fn device(&self, name: &str) -> Person {
        Person::sign_in(&self.url, name).await
    }

    /// What those who watch are told.
    pub(crate) async fn metrics(&self) -> String {
        let answer = reqwest::get(self.metrics.as_deref().unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let format = answer.headers()["content-type"].to_str().unwrap();
        assert!(
            format.starts_with("application/openmetrics-text"),
            "{format}"
        );
        answer.text().await.unwrap()
    }

    /// How many passwords were hashed so far; only where a setting says that there are metrics.
    pub(crate) async fn hashes(&self) -> u64 {
        let text = self.metrics().await;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("passbook_password_hashes_total "));
        line.map_or(0, |count| count.trim().parse().unwrap())
    }

    /// Brings a webhook as the provider would; the status of the answer.
    pub(crate) async fn deliver(&self, webhook: &Signed) -> u16 {
        let request = reqwest::Client::builder().build().unwrap();
        let request = request.post(format!("{}/webhooks/plaid", self.url));
        let request = match &webhook.signature {
            Some(signature) => request.header("plaid-verification", signature),
            None => request,
        };
        let answer = request.body(webhook.body.clone()).send().await.unwrap();
        answer.status().as_u16()
    }
}

fn mx(bank: &Bank, env: MxEnv, clock: Clock, metrics: Metrics) -> Option<Arc<dyn Provider>> {
    if env == MxEnv::Off {
        return None;
    }
    let settings = MxSettings {
        env: env.name(),
        base_url: format!("{}/mx", bank.url()),
        client_id: "client".into(),
        api_key: "key".into(),
        webhook: Some(WebhookLogin {
            user: MX_USER.to_owned(),
            password: MX_PASSWORD.into(),
        }),
    };
    Some(Arc::new(Mx::new(settings, clock, metrics).unwrap()))
}

fn run(app: &App, socket: Socket, shutdown: &CancellationToken) -> (String, JoinSet<()>) {
    let auth = Auth::new(app.clone()).unwrap();
    let (site, write) = site(app, &auth);
    let server = Server::on(socket, site);
    let url = format!("http://{}", server.address());
    let mut parts = JoinSet::new();
    parts.spawn(auth.run(shutdown.clone()));
    parts.spawn(write);
    parts.spawn(server.serve(shutdown.clone()));
    parts.spawn(worker::run(app.clone(), shutdown.clone()));
    let relay = relay::run(app.clone(), shutdown.clone());
    parts.spawn(async { relay.await.unwrap() });
    (url, parts)
}

async fn watched(
    app: &App,
    parts: &mut JoinSet<()>,
    shutdown: &CancellationToken,
) -> Option<String> {
    let address = app.config.metrics_listen?;
    let socket = Socket::bind("METRICS_LISTEN", address).await.unwrap();
    let url = format!("http://{}/metrics", socket.address());
    let serving = watch(app.clone(), socket, shutdown.clone());
    parts.spawn(async { serving.await.unwrap() });
    Some(url)
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
