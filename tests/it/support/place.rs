//! A database of a story's own: a new file, or a new database of the PostgreSQL that
//! `TEST_DATABASE_URL` names. It goes when the story ends.

use std::path::PathBuf;

use passbook::database::Database;
use sqlx::{Connection, Executor, PgConnection, Row};
use uuid::Uuid;

use super::template;

#[derive(Default)]
pub(crate) struct Place {
    url: String,
    file: Option<PathBuf>,
    /// The server, and the name of the database in it.
    postgres: Option<(String, String)>,
}

impl Place {
    pub(crate) async fn make() -> Self {
        let name = format!("passbook_test_{}", Uuid::now_v7().simple());
        if let Some(server) =
            std::env::vars().find_map(|(key, value)| (key == "TEST_DATABASE_URL").then_some(value))
        {
            template::copy(&server, &name, migrate).await;
            let (base, _) = server.rsplit_once('/').unwrap();
            return Self {
                url: format!("{base}/{name}"),
                file: None,
                postgres: Some((server, name)),
            };
        }
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.db"));
        Self {
            url: format!("sqlite://{}", file.display()),
            file: Some(file),
            postgres: None,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// All that the database holds: of a file its bytes, journal and all, of a server every row as text.
    pub(crate) async fn contents(&self) -> Vec<u8> {
        let Some(file) = &self.file else {
            return rows(&self.url).await;
        };
        let files = ["", "-wal", "-shm", "-journal"].map(|end| format!("{}{end}", file.display()));
        let read = files
            .iter()
            .map(|file| std::fs::read(file).unwrap_or_default());
        read.collect::<Vec<_>>().concat()
    }

    /// The same database, which stays when this is dropped.
    pub(crate) fn shared(&self) -> Self {
        Self {
            url: self.url.clone(),
            file: None,
            postgres: None,
        }
    }
}

async fn migrate(url: String) {
    let db = Database::connect(&url).await.unwrap();
    db.bring_up_to_date().await.unwrap();
    db.close().await;
}

/// Every row of every table of a database as text; what is kept as bytes is hexadecimal there.
async fn rows(url: &str) -> Vec<u8> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let names = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    let names = sqlx::query(names).fetch_all(&mut connection).await.unwrap();
    let mut contents = Vec::new();
    for name in names {
        let name: String = name.get(0);
        let sql = sqlx::AssertSqlSafe(format!("SELECT CAST(t AS text) FROM \"{name}\" t"));
        for row in sqlx::query(sql).fetch_all(&mut connection).await.unwrap() {
            let text: String = row.get(0);
            contents.extend(text.into_bytes());
            contents.push(b'\n');
        }
    }
    contents
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            for end in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{end}", file.display()));
            }
        }
        if let Some((server, name)) = self.postgres.take() {
            // Dropping happens on the story's own runtime, which cannot wait for anything here.
            let dropped = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let mut connection = PgConnection::connect(&server).await.unwrap();
                    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
                    connection.execute(sqlx::AssertSqlSafe(drop)).await.unwrap();
                });
            });
            let _ = dropped.join();
        }
    }
}
