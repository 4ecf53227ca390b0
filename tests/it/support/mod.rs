//! A server for one story, with everything it needs, on a database of its own.

use std::sync::Arc;

use passbook::{
    app::App,
    auth::Auth,
    clock::Clock,
    config::Config,
    database::Database,
    feed::Followers,
    providers::plaid::{Plaid, PlaidSettings},
    relay, schema,
    seal::Keys,
    server::{Server, Site, Socket},
    transport::Limits,
    webhooks::{self, Intake},
    worker,
};
use tokio_util::sync::CancellationToken;

mod bank;
mod person;
mod place;

pub(crate) use bank::Bank;
pub(crate) use person::Person;
use place::Place;

const SECRET_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A running server and its bank.
pub(crate) struct TestApp {
    pub(crate) bank: Bank,
    pub(crate) clock: Clock,
    pub(crate) url: String,
    shutdown: CancellationToken,
    _place: Place,
}

impl TestApp {
    /// A server with nobody in it.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A server with other settings than the usual ones.
    pub(crate) async fn with(pairs: &[(&str, &str)]) -> Self {
        let place = Place::make().await;
        let bank = Bank::open().await;
        Self::open(place, bank, pairs).await
    }

    async fn open(place: Place, bank: Bank, pairs: &[(&str, &str)]) -> Self {
        let mut all = vec![
            ("LISTEN", "127.0.0.1:0"),
            ("DATABASE_URL", place.url()),
            ("SECRET_KEY", SECRET_KEY),
            ("WORKERS", "4"),
        ];
        all.extend(pairs);
        let config = Config::from_pairs(all).unwrap();
        let db = Database::connect(place.url()).await.unwrap();
        db.bring_up_to_date().await.unwrap();
        let clock = Clock::default();
        let settings = PlaidSettings {
            base_url: bank.url(),
            client_id: "client".into(),
            secret: "secret".into(),
            client_name: "Passbook".to_owned(),
        };
        // The address is taken first, since Plaid is told where to send webhooks.
        let socket = Socket::bind(config.listen).await.unwrap();
        let app = App {
            public_url: format!("http://{}", socket.address()).into(),
            config: Arc::new(config),
            db: db.clone(),
            clock: clock.clone(),
            keys: Arc::new(Keys::parse(SECRET_KEY).unwrap()),
            followers: Followers::default(),
            plaid: Arc::new(Plaid::new(settings, clock.clone()).unwrap()),
        };
        let shutdown = CancellationToken::new();
        let url = run(&app, socket, &shutdown);
        Self {
            bank,
            clock,
            url,
            shutdown,
            _place: place,
        }
    }

    /// A person who has just registered.
    pub(crate) async fn person(&self, name: &str) -> Person {
        Person::register(&self.url, name).await
    }
}

fn run(app: &App, socket: Socket, shutdown: &CancellationToken) -> String {
    let auth = Auth::new(app.clone()).unwrap();
    let (intake, write) = Intake::new(app.clone());
    let site = Site {
        config: app.config.clone(),
        db: app.db.clone(),
        executor: schema::build(app, auth.clone()),
        door: auth.clone(),
        routes: webhooks::routes(app.clone(), intake),
        limits: Limits::default(),
    };
    let server = Server::on(socket, site);
    let url = format!("http://{}", server.address());
    tokio::spawn(auth.run(shutdown.clone()));
    tokio::spawn(write);
    tokio::spawn(relay::run(app.clone(), shutdown.clone()));
    tokio::spawn(server.serve(shutdown.clone()));
    tokio::spawn(worker::run(app.clone(), shutdown.clone()));
    url
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
