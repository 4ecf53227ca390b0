//! The pools behind the handle, and how a database is named where secrets must not show.

use std::{str::FromStr, sync::Arc, time::Duration};

use sea_orm::{DatabaseConnection, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::{
    ConnectOptions, Connection, PgConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    config::sqlite_path,
    error::{Error, Result},
};

/// How long a caller waits for a free connection, and a new connection for the server.
const PATIENCE: Duration = Duration::from_secs(10);

/// Memory for pages at SQLite's writer, in KiB with SQLite's minus before it; 2 MiB if nobody says.
const WRITE_CACHE: &str = "-16384";

/// A connection to read by and one to write by.
type Pair = (DatabaseConnection, DatabaseConnection);

pub(super) async fn to_write(url: &str) -> Result<Pair> {
    if !url.starts_with("sqlite:") {
        return postgres(url, 16).await;
    }
    let options = sqlite(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    // The indexes a first sync fills in no order should stay in memory, or every row costs a few reads.
    let write = sqlite_pool(options.clone().pragma("cache_size", WRITE_CACHE), 1).await?;
    let read = sqlite_pool(options.read_only(true).create_if_missing(false), 4).await?;
    Ok((read, write))
}

pub(super) async fn to_look(url: &str) -> Result<Pair> {
    if !url.starts_with("sqlite:") {
        return postgres(url, 1).await;
    }
    let connection = sqlite_pool(sqlite(url)?.read_only(true), 1).await?;
    Ok((connection.clone(), connection))
}

fn sqlite(url: &str) -> Result<SqliteConnectOptions> {
    Ok(SqliteConnectOptions::from_str(url)
        .map_err(malformed)?
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        .pragma("temp_store", "memory")
        .statement_cache_capacity(256)
        .disable_statement_logging())
}

async fn sqlite_pool(options: SqliteConnectOptions, size: u32) -> Result<DatabaseConnection> {
    let pool = SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await
        .map_err(unreachable)?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

async fn postgres(url: &str, size: u32) -> Result<Pair> {
    let options = postgres_options(url)?;
    // The pool would try again by itself for its whole patience, and then say only that time is up.
    let first = tokio::time::timeout(PATIENCE, PgConnection::connect_with(&options));
    let first = first.await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    // The probe has done its work; that it may not close politely changes nothing.
    let _ = first.map_err(unreachable)?.close().await;
    let pool = PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options);
    let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    Ok((connection.clone(), connection))
}

pub(super) fn postgres_options(url: &str) -> Result<PgConnectOptions> {
    Ok(PgConnectOptions::from_str(url)
        .map_err(malformed)?
        .application_name("passbook")
        .disable_statement_logging())
}

fn malformed(error: sqlx::Error) -> Error {
    Error::internal(error)
}

pub(super) fn unreachable(error: sqlx::Error) -> Error {
    Error::Unavailable(Arc::new(error))
}

/// The address of a database as it may be shown: no password, and nothing that a password with
/// unescaped characters could have spilled into.
pub fn masked(url: &str) -> String {
    if let Some(path) = sqlite_path(url) {
        return format!("sqlite://{}", path.display());
    }
    let shown = reqwest::Url::parse(url).ok().and_then(|parsed| {
        let host = parsed.host_str().unwrap_or("localhost");
        let port = parsed.port().unwrap_or(5432);
        let name = parsed.path().trim_start_matches('/');
        let doubtful = [parsed.username(), name]
            .iter()
            .any(|part| part.contains(['@', ':', '%', '/']));
        let user = match parsed.username() {
            "" => String::new(),
            user if parsed.password().is_some() => format!("{user}:***@"),
            user => format!("{user}@"),
        };
        (!doubtful).then(|| format!("postgres://{user}{host}:{port}/{name}"))
    });
    shown.unwrap_or_else(|| "postgres://…".to_owned())
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_password_never_shows() {
        for url in [
            "postgres://ana:hunter2@db.example/passbook",
            "postgres://ana:hun/hunter2@db.example/passbook",
            "postgres://ana:1/hunter2@db.example/passbook",
            "postgres://ana:hunter2@hunter2@db.example/passbook",
            "postgres://ana:hunter2#1@db.example/passbook",
            "postgres://db.example/passbook?user=ana&password=hunter2",
            "postgres://hunter2:@:hunter2",
        ] {
            let shown = masked(url);
            assert!(!shown.contains("hunter2"), "{url} is shown as {shown}");
        }
    }

    #[test]
    fn what_is_no_secret_shows() {
        assert_eq!(
            masked("postgres://ana:x@db.example/passbook?sslmode=require"),
            "postgres://ana:***@db.example:5432/passbook"
        );
        assert_eq!(
            masked("sqlite:///var/lib/passbook.db"),
            "sqlite:///var/lib/passbook.db"
        );
    }
}
