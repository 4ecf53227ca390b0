//! Databases of PostgreSQL that are migrated already. The first who needs one makes a template, which is
//! kept for later runs: a copy of it costs a tenth of migrating. Other migrations have another template.
//! The tests inside the library take this file too, since they have the same need and no way to ask.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

/// The name of the template, once it is there.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// Makes a new database on a server; `migrate` brings one at an address up to date, and closes it.
pub(crate) async fn copy<F>(server: &str, name: &str, migrate: impl FnOnce(String) -> F)
where
    F: Future<Output = ()>,
{
    let template = TEMPLATE.get_or_init(|| make(server, migrate)).await;
    let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
    let mut connection = connect(server).await;
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
}

async fn make<F>(server: &str, migrate: impl FnOnce(String) -> F) -> String
where
    F: Future<Output = ()>,
{
    let name = format!("passbook_template_{:016x}", migrations());
    let mut connection = connect(server).await;
    // Of several processes one makes it.
    let alone = "SELECT pg_advisory_lock(7001)";
    connection.execute(alone).await.unwrap();
    let there = "SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate";
    let there = sqlx::query(there).bind(&name);
    if there
        .fetch_optional(&mut connection)
        .await
        .unwrap()
        .is_none()
    {
        for sql in [
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("CREATE DATABASE {name}"),
        ] {
            connection.execute(AssertSqlSafe(sql)).await.unwrap();
        }
        let (base, _) = server.rsplit_once('/').unwrap();
        migrate(format!("{base}/{name}")).await;
        let done = format!("ALTER DATABASE {name} IS_TEMPLATE true");
        connection.execute(AssertSqlSafe(done)).await.unwrap();
    }
    connection.close().await.unwrap();
    name
}

async fn connect(server: &str) -> PgConnection {
    let connection = PgConnection::connect(server).await;
    connection.expect("TEST_DATABASE_URL cannot be reached")
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
