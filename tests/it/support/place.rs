//! A database of a story's own: a new file, or a new database of the PostgreSQL that
//! `TEST_DATABASE_URL` names. It goes when the story ends.

use std::path::PathBuf;

use sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

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
            let mut connection = PgConnection::connect(&server)
                .await
                .expect("TEST_DATABASE_URL cannot be reached");
            connection
                .execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
                .await
                .unwrap();
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
