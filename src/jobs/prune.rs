//! Forgetting what nobody will ask for again.

use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, Statement};
use serde::{Deserialize, Serialize};

use super::{Claim, Job, now};
use crate::{activity, app::App, error::Result, feed};

/// Removes ended jobs, those that succeeded after a day and those that were given up after a month;
/// events of the feed after a week, and entries of people's logs after a year.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Prune {}

const DAY_MS: i64 = 86_400_000;
/// One batch, so that the write lock is never held for long.
const BATCH: i64 = 5_000;

#[async_trait]
impl Job for Prune {
    const KIND: &'static str = "jobs.prune";
    const MAX_ATTEMPTS: i32 = 5;
    const EVERY: Option<Duration> = Some(Duration::from_hours(1));

    fn key(&self) -> String {
        "all".to_owned()
    }

    async fn run(&self, app: &App, _claim: &Claim) -> Result<()> {
        let txn = app.db.begin().await?;
        feed::prune(&txn, app.clock.now()).await?;
        txn.commit().await?;
        loop {
            let txn = app.db.begin().await?;
            let gone = activity::prune(&*txn, app.clock.now(), BATCH.unsigned_abs()).await?;
            txn.commit().await?;
            if gone < BATCH.unsigned_abs() {
                break;
            }
        }
        loop {
            let txn = app.db.begin().await?;
            let backend = txn.get_database_backend();
            let now = now(app, backend);
            let sql = format!(
                "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at IS NOT NULL AND \
                 finished_at < {now} - {DAY_MS} AND (state <> 'dead' OR finished_at < {now} - {}) LIMIT {BATCH})",
                30 * DAY_MS
            );
            let gone = txn
                .execute_raw(Statement::from_string(backend, sql))
                .await?
                .rows_affected();
            txn.commit().await?;
            if gone < BATCH.unsigned_abs() {
                return Ok(());
            }
        }
    }
}
