//! A directory to run in and a new database, which go with their owner.

use std::{fs, path::PathBuf};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use uuid::Uuid;

pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) directory: PathBuf,
    pub(crate) url: String,
    /// The PostgreSQL server, and the name of the database in it.
    postgres: Option<(String, String)>,
}

impl Place {
    /// A place on this kind of database; none on PostgreSQL if nobody says where one is.
    pub(crate) async fn make(kind: &'static str) -> Option<Self> {
        let name = format!("passbook_bench_{}", Uuid::now_v7().simple());
        let directory = std::env::temp_dir().join(&name);
        let mut url = format!("sqlite://{}/passbook.db", directory.display());
        let mut postgres = None;
        if kind == "postgres" {
            let Some(server) = server() else {
                println!("postgres: TEST_DATABASE_URL is not set; left out");
                return None;
            };
            run(&server, format!("CREATE DATABASE {name}")).await;
            let mut own = reqwest::Url::parse(&server).unwrap();
            own.set_path(&name);
            url = own.into();
            postgres = Some((server, name));
        }
        fs::create_dir(&directory).unwrap();
        Some(Self {
            name: kind,
            directory,
            url,
            postgres,
        })
    }
}

impl Place {
    /// Does to the database what takes an administrator, or somebody else's sign-in, to do.
    pub(crate) async fn execute(&self, sql: &'static str) {
        if self.postgres.is_some() {
            run(&self.url, sql.to_owned()).await;
            return;
        }
        let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
        connection.execute(sql).await.unwrap();
    }
}

fn server() -> Option<String> {
    std::env::vars().find_map(|(key, value)| (key == "TEST_DATABASE_URL").then_some(value))
}

async fn run(server: &str, sql: String) {
    let mut connection = PgConnection::connect(server)
        .await
        .expect("TEST_DATABASE_URL cannot be reached");
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
        if let Some((server, name)) = self.postgres.take() {
            // Dropping happens on the runtime, which cannot wait for anything here.
            let dropped = std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap()
                    .block_on(run(&server, format!("DROP DATABASE {name} WITH (FORCE)")));
            });
            let _ = dropped.join();
        }
    }
}
