//! Bringing the schema up to date, one process at a time, and telling how it stands. On SQLite all
//! steps of one run are one transaction; on PostgreSQL each step is its own. Either way an
//! interrupted run leaves whole steps, and the next run goes on.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use migration::{Migrator, MigratorTrait};
use sea_orm::{DbBackend, TransactionTrait};
use sqlx::{Connection, PgConnection};

use super::{Database, connect};
use crate::error::Result;

/// The name of the advisory lock: "passbook" in bytes.
const LOCK: i64 = i64::from_be_bytes(*b"passbook");

/// How the schema of a database stands against the steps this program knows.
#[derive(Debug)]
pub struct Schema {
    /// All steps in order, the program's and the database's.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// Its name, which begins with its date and number.
    pub name: String,
    /// When it was applied, if it was.
    pub applied_at: Option<DateTime<Utc>>,
    /// Whether this program knows it.
    pub known: bool,
}

impl Schema {
    /// How many steps are still to be applied.
    pub fn pending(&self) -> usize {
        let pending = |step: &&Step| step.applied_at.is_none();
        self.steps.iter().filter(pending).count()
    }

    /// The last step of a database that a newer program has worked on, with the last one we know.
    pub fn newer(&self) -> Option<(&str, &str)> {
        let newest = self.steps.iter().rfind(|step| !step.known)?;
        let known = self.steps.iter().rfind(|step| step.known);
        Some((&newest.name, known.map_or("nothing", |step| &step.name)))
    }
}

/// The right to migrate one PostgreSQL database. SQLite needs none beside its file lock.
#[derive(Debug)]
pub struct MigrationLock(Option<PgConnection>);

impl MigrationLock {
    /// Waits until no other process migrates this database. The lock ends with its connection.
    pub async fn take(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            return Ok(Self(None));
        }
        let options = connect::postgres_options(url)?;
        let mut connection = PgConnection::connect_with(&options)
            .await
            .map_err(connect::unreachable)?;
        let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut connection)
            .await
            .map_err(connect::unreachable)?;
        if !free {
            tracing::info!("waiting for another process that is migrating this database");
            sqlx::query("SELECT pg_advisory_lock($1)")
                .bind(LOCK)
                .execute(&mut connection)
                .await
                .map_err(connect::unreachable)?;
        }
        Ok(Self(Some(connection)))
    }

    /// Lets the next process go on.
    pub async fn release(self) {
        if let Some(connection) = self.0 {
            // A connection that does not close politely is closed all the same.
            let _ = connection.close().await;
        }
    }
}

impl Database {
    /// How the schema stands. Nothing is created.
    pub async fn schema(&self) -> Result<Schema> {
        let mut steps: BTreeMap<String, Step> = BTreeMap::new();
        for step in Migrator::migrations() {
            let name = step.name().to_owned();
            let step = Step {
                name: name.clone(),
                applied_at: None,
                known: true,
            };
            steps.insert(name, step);
        }
        for (name, at) in migration::applied(self.read()).await? {
            let step = steps.entry(name.clone()).or_insert(Step {
                name,
                applied_at: None,
                known: false,
            });
            step.applied_at = Some(DateTime::from_timestamp(at, 0).unwrap_or_default());
        }
        Ok(Schema {
            steps: steps.into_values().collect(),
        })
    }

    /// Applies the steps that are missing. The caller holds the file lock or a [`MigrationLock`].
    pub async fn bring_up_to_date(&self) -> Result<()> {
        if self.backend() == DbBackend::Postgres {
            return Ok(Migrator::up(&self.write, None).await?);
        }
        let txn = self.write.begin().await?;
        Migrator::up(&txn, None).await?;
        Ok(txn.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, applied: bool, known: bool) -> Step {
        Step {
            name: name.to_owned(),
            applied_at: applied.then(DateTime::default),
            known,
        }
    }

    #[test]
    fn a_step_we_do_not_know_means_a_newer_program_was_here() {
        let schema = Schema {
            steps: vec![
                step("a", true, true),
                step("b", false, true),
                step("c", true, false),
            ],
        };
        assert_eq!(schema.newer(), Some(("c", "b")));
        assert_eq!(schema.pending(), 1);
        let schema = Schema {
            steps: vec![step("a", true, true)],
        };
        assert_eq!((schema.newer(), schema.pending()), (None, 0));
    }
}
