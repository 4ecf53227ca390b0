//! Hints of other processes, by PostgreSQL's `LISTEN` on a connection of its own. A connection that
//! was lost may have lost hints with it, so every new one begins with [`Hint::Resync`].

use std::time::Duration;

use sea_orm::DbBackend;
use sqlx::postgres::{PgListener, PgPoolOptions};

use super::{CHANNEL, Database, Hint, connect};
use crate::error::Result;

/// The longest wait between two attempts to connect again.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl Database {
    /// Passes on the hints of other processes until it is dropped. On SQLite there are none: it
    /// waits for ever.
    ///
    /// # Errors
    /// If the address is malformed. A database that is away is waited for.
    pub async fn listen(&self, url: &str) -> Result<()> {
        if self.backend() != DbBackend::Postgres {
            return std::future::pending().await;
        }
        let options = connect::postgres_options(url)?;
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(options);
        let mut wait = Duration::ZERO;
        loop {
            let lost = self.pass_on(&pool, &mut wait).await;
            if wait.is_zero() {
                tracing::warn!(error = %lost, "hints of other processes are lost until the database is back");
            }
            wait = (wait * 2).clamp(Duration::from_millis(250), LONGEST_WAIT);
            tokio::time::sleep(wait).await;
        }
    }

    /// Passes hints on until the connection is lost.
    async fn pass_on(&self, pool: &sqlx::PgPool, wait: &mut Duration) -> sqlx::Error {
        let mut listener = match PgListener::connect_with(pool).await {
            Ok(listener) => listener,
            Err(error) => return error,
        };
        if let Err(error) = listener.listen(CHANNEL).await {
            return error;
        }
        *wait = Duration::ZERO;
        self.relay(Hint::Resync);
        loop {
            match listener.try_recv().await {
                Ok(Some(note)) => self.relay(Hint::decode(note.payload())),
                // Lost and made again by itself.
                Ok(None) => self.relay(Hint::Resync),
                Err(error) => return error,
            }
        }
    }
}
