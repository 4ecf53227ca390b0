//! A server for one story, with everything it needs, on a database of its own.

use std::sync::Arc;

use passbook::{
    app::App,
    auth::{self, Auth},
    clock::Clock,
    config::{Config, MxEnv, OidcProvider},
    database::{Database, Txn},
    exports,
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
    relay, schema,
    seal::Keys,
    secrets::Rekeyed,
    server::{Server, Site, Socket, watch},
    ticker::Tickers,
    transport::Limits,
    webhooks::{self, Intake},
    worker,
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

mod bank;
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
            left_out("one process has the file");
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

    /// Waits until no job but a recurring one is left.
    pub(crate) async fn idle(&self) {
        // Recurring ones work on everything, the others on one thing.
        let sql = "SELECT count(*) FROM jobs WHERE finished_at IS NULL AND key <> 'all'";
        self.becomes(sql, 0).await;
    }

    /// Waits until no job but a recurring one has to do something now.
    pub(crate) async fn idle_but_waiting(&self) {
        let sql = "SELECT count(*) FROM jobs WHERE key <> 'all' AND kind <> 'linking.watch_session' \
                   AND state IN ('queued', 'running')";
        self.becomes(sql, 0).await;
    }

    /// Waits until the database counts so many.
    pub(crate) async fn becomes(&self, sql: &str, wanted: i64) {
        patiently(async { while self.count(sql).await != wanted {} }).await;
    }

    /// Waits until rows of a table are so.
    pub(crate) async fn until(&self, table: &str, condition: &str) {
        let sql = format!("SELECT count(*) FROM {table} WHERE {condition}");
        let so = async { while self.count(&sql).await == 0 {} };
        patiently(so).await;
    }

    /// Lets time pass, then waits until a recurring job has run again.
    pub(crate) async fn passes(&self, by: std::time::Duration, recurring: &str) {
        let sql =
            format!("SELECT coalesce(max(finished_at), 0) FROM jobs WHERE kind = '{recurring}'");
        let before = self.count(&sql).await;
        let set = format!("kind = '{recurring}' AND state = 'queued'");
        self.until("jobs", &set).await;
        self.clock.advance(by);
        let condition = format!("kind = '{recurring}' AND finished_at > {before}");
        self.until("jobs", &condition).await;
    }

    /// Lets time pass, once the next look at rates has its time: one that gets it meanwhile counts
    /// from later.
    pub(crate) async fn rates_rest(&self, by: std::time::Duration) {
        self.until("jobs", "kind = 'rates.poll' AND state = 'queued'")
            .await;
        self.clock.advance(by);
    }

    /// Lets time pass, and the poller look whether a rate is due by then.
    pub(crate) async fn rates_looked_at(&self, by: std::time::Duration) {
        self.rates_rest(by).await;
        let looks = "SELECT count(*) FROM jobs WHERE kind = 'rates.poll' AND state = 'succeeded'";
        let queued = "kind = 'rates.poll' AND state = 'queued'";
        self.until("jobs", queued).await;
        let before = self.count(looks).await;
        let now = format!("UPDATE jobs SET run_at = 0 WHERE {queued}");
        self.meddle(&now).await;
        self.clock.advance(std::time::Duration::from_millis(1));
        patiently(async { while self.count(looks).await <= before {} }).await;
        self.until("jobs", queued).await;
    }

    /// A transaction that has done something and goes on, as one of a person's that takes its time;
    /// only where others may write meanwhile.
    pub(crate) async fn hold(&self, sql: &str) -> Option<Txn> {
        if self.db.backend() != DbBackend::Postgres {
            left_out("it has one writer");
            return None;
        }
        let txn = self.db.begin().await.unwrap();
        let done = txn.execute_unprepared(sql).await.unwrap();
        assert!(done.rows_affected() > 0, "{sql}");
        Some(txn)
    }

    /// Somebody who writes for as long as the story likes; on SQLite nobody else can.
    pub(crate) async fn writes(&self) -> Txn {
        self.db.begin().await.unwrap()
    }

    /// Does to the database what only a dead process or an older release would have done.
    pub(crate) async fn meddle(&self, sql: &str) -> u64 {
        let statement = Statement::from_string(self.db.backend(), sql);
        let done = self.db.migrate().execute_raw(statement).await.unwrap();
        done.rows_affected()
    }

    /// All that the database holds.
    pub(crate) async fn contents(&self) -> Vec<u8> {
        self.place.contents().await
    }

    /// Which database it is on.
    pub(crate) fn backend(&self) -> DbBackend {
        self.db.backend()
    }

    /// Waits until nothing but recurring jobs runs or is due.
    pub(crate) async fn settles(&self) {
        let busy = async || {
            let now = self.clock.now().timestamp_millis();
            let sql = format!(
                "SELECT count(*) FROM jobs j WHERE key <> 'all' AND (state = 'running' \
                 OR state = 'waiting' AND run_at <= {now} OR state = 'queued' AND run_at <= {now} \
                 AND NOT EXISTS (SELECT 1 FROM jobs r WHERE r.kind = j.kind AND r.key = j.key \
                 AND r.state = 'waiting'))"
            );
            self.count(&sql).await > 0
        };
        patiently(async { while busy().await {} }).await;
    }

    /// The tables with rows of people.
    pub(crate) async fn tables_of_people(&self) -> Vec<String> {
        let sql = match self.db.backend() {
            DbBackend::Postgres => {
                "SELECT CAST(table_name AS text) FROM information_schema.columns \
                 WHERE table_schema = 'public' AND column_name = 'user_id'"
            }
            _ => {
                "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND c.name = 'user_id'"
            }
        };
        let statement = Statement::from_string(self.db.backend(), sql);
        let rows = self.db.read().query_all_raw(statement).await.unwrap();
        let name = |row: &sea_orm::QueryResult| row.try_get_by_index(0).unwrap();
        rows.iter().map(name).collect()
    }

    /// A column of ids as text, in SQL.
    pub(crate) fn hex(&self, column: &str) -> String {
        match self.db.backend() {
            DbBackend::Postgres => format!("replace(CAST({column} AS text), '-', '')"),
            _ => format!("lower(hex({column}))"),
        }
    }

    /// A text the database is asked for.
    pub(crate) async fn text(&self, sql: &str) -> String {
        let statement = Statement::from_string(self.db.backend(), sql);
        let row = self.db.read().query_one_raw(statement).await.unwrap();
        row.unwrap().try_get_by_index(0).unwrap()
    }

    /// A number the database is asked for.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(self.db.backend(), sql);
        let row = self.db.read().query_one_raw(statement).await.unwrap();
        row.unwrap().try_get_by_index(0).unwrap()
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

/// Says that the rest of a story is left out on SQLite. Past what the test runner captures: nobody reads
/// that of a story that passes.
fn left_out(reason: &str) {
    let story = std::thread::current();
    let story = story.name().unwrap_or("a story");
    let line = format!("{story}: the rest is left out on SQLite, since {reason}\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
}
