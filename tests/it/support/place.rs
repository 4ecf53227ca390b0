//! A database of a story's own: a new file, or a new database of the PostgreSQL that
//! `TEST_DATABASE_URL` names. It goes when the story ends.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use sqlx::{Connection, Executor, PgConnection, Row};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// The name of the template, once it is there.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

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
                .execute(sqlx::AssertSqlSafe(format!(
                    "CREATE DATABASE {name} TEMPLATE {}",
                    TEMPLATE.get_or_init(|| template(&server)).await
                )))
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

/// A database with every migration behind it, made by whoever comes first and kept for later runs:
/// a copy of it costs a tenth of migrating. Other migrations have another template.
async fn template(server: &str) -> String {
    let name = format!("passbook_template_{:016x}", migrations());
    let mut connection = PgConnection::connect(server).await.unwrap();
    connection
        .execute("SELECT pg_advisory_lock(7001)")
        .await
        .unwrap();
    let there =
        sqlx::query("SELECT count(*) FROM pg_database WHERE datname = $1 AND datistemplate")
            .bind(&name)
            .fetch_one(&mut connection)
            .await
            .unwrap();
    if there.get::<i64, _>(0) == 0 {
        for sql in [
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("CREATE DATABASE {name}"),
        ] {
            connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
        }
        let (base, _) = server.rsplit_once('/').unwrap();
        let db = passbook::database::Database::connect(&format!("{base}/{name}"))
            .await
            .unwrap();
        db.bring_up_to_date().await.unwrap();
        db.close().await;
        let done = format!("ALTER DATABASE {name} IS_TEMPLATE true");
        connection.execute(sqlx::AssertSqlSafe(done)).await.unwrap();
    }
    connection.close().await.unwrap();
    name
}

/// A number that changes with the migrations.
fn migrations() -> u64 {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("migration/src");
    let entries = std::fs::read_dir(sources).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        std::fs::read(file).unwrap().hash(&mut hasher);
    }
    hasher.finish()
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
