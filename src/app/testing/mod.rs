//! The handles on a fresh database, for tests: a SQLite file always, and a database of its own on
//! the PostgreSQL server that `TEST_DATABASE_URL` names, if it names one. The bank knows one
//! account and three transactions.

use std::{
    ops::Deref,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use entity::user;
use migration::{Migrator, MigratorTrait};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, Statement};
use secrecy::ExposeSecret;
use uuid::Uuid;

mod bank;
mod desk;
mod plans;
#[path = "../../../tests/it/support/template.rs"]
mod template;

pub(crate) use bank::SmallBank;
pub(crate) use desk::SmallDesk;

use super::App;
use crate::{
    clock::Clock,
    config::Config,
    database::Database,
    feed::{self, Followers},
    metrics::Metrics,
    providers::oidc::Issuers,
    seal::Keys,
    ticker::Tickers,
    viewer::Viewer,
};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The handles, and a database that is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct TestApp {
    /// The handles.
    pub(crate) app: App,
    /// What the database was asked since it was last looked at.
    pub(crate) statements: Arc<Mutex<Vec<Statement>>>,
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
    place: Place,
}

/// What somebody else does as soon as a statement with this text has run.
struct Meanwhile(&'static str, Box<dyn FnOnce() + Send>);

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Meanwhile").field(&self.0).finish()
    }
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    Server { url: String, name: String },
}

impl Deref for TestApp {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

/// The handles on a fresh SQLite file.
pub(crate) async fn app() -> TestApp {
    let file = std::env::temp_dir().join(format!("passbook-{}.db", Uuid::new_v4()));
    let url = format!("sqlite://{}", file.display());
    open(&url, Place::File(file)).await
}

/// Tells a story on each database there is.
pub(crate) async fn everywhere(story: impl AsyncFn(&TestApp)) {
    story(&app().await).await;
    #[expect(clippy::disallowed_methods, reason = "no setting of the server")]
    if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
        let name = format!("passbook_test_{}", Uuid::new_v4().simple());
        template::copy(&url, &name, migrate).await;
        let (base, _) = url.rsplit_once('/').expect("a URL with a database");
        story(
            &open(
                &format!("{base}/{name}"),
                Place::Server {
                    url: url.clone(),
                    name,
                },
            )
            .await,
        )
        .await;
    }
}

impl TestApp {
    /// A new person with an empty feed, signed in.
    pub(crate) async fn person(&self, name: &str) -> Viewer {
        let user_id = Uuid::now_v7();
        let txn = self.db.begin().await.unwrap();
        let row = user::ActiveModel {
            id: Set(user_id),
            email: Set(format!("{name}@example.com")),
            email_key: Set(format!("{name}.{user_id}@example.com")),
            password_hash: Set(String::new()),
            created_at: Set(self.clock.now()),
            updated_at: Set(self.clock.now()),
            ..Default::default()
        };
        user::Entity::insert(row)
            .exec_without_returning(&*txn)
            .await
            .unwrap();
        feed::open(&txn, user_id).await.unwrap();
        txn.commit().await.unwrap();
        let session_id = Uuid::now_v7();
        Viewer {
            user_id,
            session_id,
        }
    }

    /// Lets somebody else commit as soon as a statement with this text has run, and before the next
    /// one does.
    pub(crate) fn meanwhile<F>(
        &self,
        text: &'static str,
        act: impl FnOnce(Database) -> F + Send + 'static,
    ) where
        F: Future<Output = ()>,
    {
        let url = self.config.database_url.expose_secret().to_owned();
        let act = move || {
            let elsewhere = move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                let work = async { act(Database::connect(&url).await.unwrap()).await };
                runtime.unwrap().block_on(work);
            };
            std::thread::spawn(elsewhere).join().unwrap();
        };
        *self.meanwhile.lock().unwrap() = Some(Meanwhile(text, Box::new(act)));
    }

    /// What the database was asked since this was last called.
    pub(crate) fn take_statements(&self) -> Vec<Statement> {
        std::mem::take(&mut self.statements.lock().unwrap())
    }
}

async fn open(url: &str, place: Place) -> TestApp {
    if let Place::File(_) = place {
        migrate(url.to_owned()).await;
    }
    let mut db = Database::connect(url).await.unwrap();
    let statements = Arc::new(Mutex::new(Vec::new()));
    let meanwhile: Arc<Mutex<Option<Meanwhile>>> = Arc::default();
    let (seen, others) = (statements.clone(), meanwhile.clone());
    db.observe(move |statement| {
        seen.lock().unwrap().push(statement.clone());
        let mut others = others.lock().unwrap();
        let theirs = others.take_if(|Meanwhile(text, _)| statement.sql.contains(*text));
        if let Some(Meanwhile(_, act)) = theirs {
            act();
        }
    });
    let app = App {
        config: Arc::new(Config::from_pairs([("DATABASE_URL", url), ("SECRET_KEY", KEY)]).unwrap()),
        db,
        clock: Clock::default(),
        metrics: Metrics::default(),
        keys: Arc::new(Keys::parse(KEY).unwrap()),
        followers: Followers::default(),
        public_url: "http://127.0.0.1:8000".into(),
        tickers: Tickers::default(),
        plaid: Arc::new(SmallBank),
        mx: None,
        mailer: None,
        rates: Some(Arc::new(SmallDesk::default())),
        issuers: Issuers::default(),
    };
    TestApp {
        app,
        statements,
        meanwhile,
        place,
    }
}

async fn migrate(url: String) {
    let db = Database::connect(&url).await.unwrap();
    Migrator::up(db.migrate(), None).await.unwrap();
    db.close().await;
}

/// The tables that have a column of this name. Every database has the same.
pub(crate) async fn tables_with(app: &TestApp, column: &str) -> Vec<String> {
    let sql = "SELECT m.name AS name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
               WHERE m.type = 'table' AND c.name = $1 ORDER BY m.name";
    let names = Statement::from_sql_and_values(app.db.backend(), sql, [column.into()]);
    let rows = app.db.read().query_all_raw(names).await.unwrap();
    let name = |row: &sea_orm::QueryResult| row.try_get("", "name").unwrap();
    rows.iter().map(name).collect()
}

async fn run(url: &str, sql: &str) {
    let admin = Database::connect(url).await.unwrap();
    admin.migrate().execute_unprepared(sql).await.unwrap();
}

impl Drop for TestApp {
    fn drop(&mut self) {
        match &self.place {
            Place::File(file) => {
                for end in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(format!("{}{end}", file.display()));
                }
            }
            Place::Server { url, name } => {
                let (url, name) = (url.clone(), name.clone());
                // A destructor cannot wait on the runtime it runs in.
                let drop = move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build();
                    let sql = format!("DROP DATABASE {name} WITH (FORCE)");
                    runtime.unwrap().block_on(run(&url, &sql));
                };
                let _ = std::thread::spawn(drop).join();
            }
        }
    }
}
