//! The database handle. SQLite has one writer connection and a pool of readers; PostgreSQL has one
//! pool for both. Every write goes through [`Txn`], which carries the hints of what it changed and
//! lets them go at commit: to this process by a channel, to the others by `NOTIFY` in the same
//! transaction. A hint carries no data, so a lost one costs time and never an event.

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend,
    IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sea_query::Value,
};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::{error::Result, money::Pair};

mod connect;
mod file;
mod listen;
mod migrate;

pub use connect::masked;
pub use file::{FileLock, Holder};
pub use migrate::{MigrationLock, Schema, Step};

/// The channel of PostgreSQL that hints travel by.
pub const CHANNEL: &str = "passbook";

/// Says where to look, never what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// The feed of a person has reached this number.
    Feed(Uuid, i64),
    /// A job may be due.
    Jobs,
    /// A session was revoked.
    Session(Uuid),
    /// The newest rate of a pair has this number.
    Rate(Pair, i64),
    /// Hints may have been missed: look at everything.
    Resync,
}

impl Hint {
    fn encode(&self) -> String {
        match self {
            Self::Feed(user, seq) => format!("feed {user} {seq}"),
            Self::Jobs => "jobs".to_owned(),
            Self::Session(session) => format!("session {session}"),
            Self::Rate(pair, seq) => format!("rate {pair} {seq}"),
            Self::Resync => "resync".to_owned(),
        }
    }

    /// Reads a hint another process sent; what we cannot read means that we should look everywhere.
    pub fn decode(text: &str) -> Self {
        let parse = || {
            let mut words = text.split(' ');
            Some(match words.next()? {
                "feed" => Self::Feed(words.next()?.parse().ok()?, words.next()?.parse().ok()?),
                "jobs" => Self::Jobs,
                "session" => Self::Session(words.next()?.parse().ok()?),
                "rate" => Self::Rate(words.next()?.parse().ok()?, words.next()?.parse().ok()?),
                _ => return None,
            })
        };
        parse().unwrap_or(Self::Resync)
    }
}

/// The database. Clones share the pools.
#[derive(Clone, Debug)]
pub struct Database {
    read: DatabaseConnection,
    write: DatabaseConnection,
    hints: broadcast::Sender<Hint>,
}

impl Database {
    /// Connects to `sqlite://PATH` or `postgres://…`; creates the SQLite file if there is none.
    pub async fn connect(url: &str) -> Result<Self> {
        connect::to_write(url).await.map(Self::over)
    }

    /// Connects in order to look: an SQLite file is neither created nor changed, and one that a
    /// server is working on may be looked at.
    pub async fn inspect(url: &str) -> Result<Self> {
        connect::to_look(url).await.map(Self::over)
    }

    fn over((read, write): (DatabaseConnection, DatabaseConnection)) -> Self {
        Self {
            read,
            write,
            hints: broadcast::channel(4096).0,
        }
    }

    /// Lets all connections go. On SQLite the write-ahead log is folded into the file by this.
    pub async fn close(&self) {
        for connection in [&self.read, &self.write] {
            // The process ends next; what does not close politely is cut.
            let _ = connection.close_by_ref().await;
        }
    }

    /// Which database this is.
    pub fn backend(&self) -> DbBackend {
        self.write.get_database_backend()
    }

    /// Where reads go that need no transaction.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// The connection migrations run on. Everything else that writes uses [`Database::begin`].
    pub fn migrate(&self) -> &DatabaseConnection {
        &self.write
    }

    /// Shows every statement to a test.
    #[cfg(test)]
    pub(crate) fn observe(&mut self, see: impl Fn(&Statement) + Clone + Send + Sync + 'static) {
        let too = see.clone();
        self.read
            .set_metric_callback(move |info| see(info.statement));
        self.write
            .set_metric_callback(move |info| too(info.statement));
    }

    /// Begins a transaction that may write. On SQLite it takes the write lock at once, since a
    /// reader that turns writer is refused without waiting.
    pub async fn begin(&self) -> Result<Txn> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let inner = self.write.begin_with_options(options).await?;
        Ok(Txn {
            inner,
            hints: Vec::new(),
            bus: self.hints.clone(),
        })
    }

    /// Begins a transaction in which all reads see one moment.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction> {
        let options = match self.backend() {
            DbBackend::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
            _ => TransactionOptions::default(),
        };
        Ok(self.read.begin_with_options(options).await?)
    }

    /// Hints from now on.
    pub fn hints(&self) -> broadcast::Receiver<Hint> {
        self.hints.subscribe()
    }

    /// Passes on a hint that another process sent.
    pub fn relay(&self, hint: Hint) {
        // Nobody listening is no fault: hints are only hints.
        let _ = self.hints.send(hint);
    }

    /// The database's own clock as SQL, in milliseconds since 1970. Leases live by it, since
    /// replicas may disagree about the time.
    pub fn now_ms(backend: DbBackend) -> &'static str {
        match backend {
            // One value for a whole statement, or no index could be searched for it.
            DbBackend::Postgres => {
                "CAST(extract(epoch FROM statement_timestamp()) * 1000 AS bigint)"
            }
            _ => "CAST(unixepoch('subsec') * 1000 AS integer)",
        }
    }
}

/// A transaction that may write. Dropped without [`Txn::commit`], nothing of it remains.
#[derive(Debug)]
pub struct Txn {
    inner: DatabaseTransaction,
    hints: Vec<Hint>,
    bus: broadcast::Sender<Hint>,
}

impl Txn {
    /// Remembers a hint to be let go at commit.
    pub fn hint(&mut self, hint: Hint) {
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
    }

    /// Waits until nobody else's transaction holds the lock of this name, and holds it until this
    /// one ends: for decisions about rows that do not exist yet. On SQLite every writer is alone.
    pub async fn lock(&self, name: &str) -> Result<()> {
        if self.inner.get_database_backend() == DbBackend::Postgres {
            let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
            let statement =
                Statement::from_sql_and_values(DbBackend::Postgres, sql, [Value::from(name)]);
            self.inner.execute_raw(statement).await?;
        }
        Ok(())
    }

    /// Commits, then lets the hints go.
    pub async fn commit(self) -> Result<()> {
        if self.inner.get_database_backend() == DbBackend::Postgres {
            for hint in &self.hints {
                let values = [Value::from(CHANNEL), Value::from(hint.encode())];
                let notify = "SELECT pg_notify($1, $2)";
                self.inner
                    .execute_raw(Statement::from_sql_and_values(
                        DbBackend::Postgres,
                        notify,
                        values,
                    ))
                    .await?;
            }
        }
        self.inner.commit().await?;
        for hint in self.hints {
            let _ = self.bus.send(hint);
        }
        Ok(())
    }
}

impl std::ops::Deref for Txn {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.inner
    }
}
