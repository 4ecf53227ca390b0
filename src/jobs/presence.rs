//! How others know that a worker's process lives. On PostgreSQL the process holds an advisory lock
//! on its number by a connection of its own; the server lets go of it the moment the process dies,
//! which is sooner than a lease runs out. On SQLite the file belongs to one process: whoever else
//! is named in a row is dead.

use sea_orm::DbBackend;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::{
    database::Database,
    error::{Error, Result},
};

/// The first number of the lock: ours among all advisory locks of the database.
pub(super) const LOCK_CLASS: i32 = 0x7061_7373;

/// The number of a worker, and what proves that it lives.
#[derive(Debug)]
pub(super) struct Presence {
    pub(super) worker: i64,
    held: Option<PgConnection>,
}

impl Presence {
    /// A fresh number: one per start of the process, so that nobody takes over a dead one's.
    pub(super) fn new() -> Self {
        let number = Uuid::new_v4().as_u64_pair().1 & 0x7fff_ffff;
        Self {
            worker: i64::try_from(number).unwrap_or(1),
            held: None,
        }
    }

    /// Makes sure that the lock is held. Without it no job may be claimed.
    pub(super) async fn ensure(&mut self, db: &Database) -> Result<()> {
        if db.backend() != DbBackend::Postgres {
            return Ok(());
        }
        if let Some(connection) = &mut self.held
            && connection.ping().await.is_ok()
        {
            return Ok(());
        }
        self.held = None;
        let pool = db.read().get_postgres_connection_pool();
        let mut connection = pool.acquire().await.map_err(Error::internal)?.detach();
        let worker = i32::try_from(self.worker).map_err(Error::internal)?;
        sqlx::query("SELECT pg_advisory_lock($1, $2)")
            .bind(LOCK_CLASS)
            .bind(worker)
            .execute(&mut connection)
            .await
            .map_err(Error::internal)?;
        self.held = Some(connection);
        Ok(())
    }
}
