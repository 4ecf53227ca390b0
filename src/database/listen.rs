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

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, DbBackend, Statement};
    use uuid::Uuid;

    use super::*;

    /// A PostgreSQL database of this test's own, if the tests were given a server.
    #[expect(clippy::disallowed_methods, reason = "says where the tests' server is")]
    async fn fresh() -> Option<(Database, String, String)> {
        let server = std::env::var("TEST_DATABASE_URL").ok()?;
        let name = format!("passbook_{}", Uuid::now_v7().simple());
        let admin = Database::connect(&server).await.unwrap();
        run(&admin, &format!("CREATE DATABASE {name}")).await;
        let mut url = reqwest::Url::parse(&server).unwrap();
        url.set_path(&name);
        Some((admin, name, url.into()))
    }

    async fn run(db: &Database, sql: &str) {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        db.migrate().execute_raw(statement).await.unwrap();
    }

    async fn send(db: &Database, hint: Hint) {
        let mut txn = db.begin().await.unwrap();
        txn.hint(hint);
        txn.commit().await.unwrap();
    }

    #[tokio::test]
    async fn hints_come_from_other_processes_and_a_lost_connection_asks_for_a_look() {
        let Some((admin, name, url)) = fresh().await else {
            return;
        };
        let here = Database::connect(&url).await.unwrap();
        let there = Database::connect(&url).await.unwrap();
        let mut hints = here.hints();
        let story = async {
            assert_eq!(hints.recv().await.unwrap(), Hint::Resync);
            let session = Hint::Session(Uuid::now_v7());
            send(&there, session.clone()).await;
            assert_eq!(hints.recv().await.unwrap(), session);
            run(
                &there,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND query LIKE 'LISTEN%'",
            )
            .await;
            assert_eq!(hints.recv().await.unwrap(), Hint::Resync);
            send(&there, Hint::Jobs).await;
            while hints.recv().await.unwrap() != Hint::Jobs {}
        };
        tokio::select! {
            () = story => {}
            ended = here.listen(&url) => panic!("{ended:?}"),
        }
        here.close().await;
        there.close().await;
        run(&admin, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }
}
