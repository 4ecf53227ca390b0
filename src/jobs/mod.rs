//! The job engine. It knows no job: a slice defines a [`Job`], `worker/mod.rs` lists it, the runner runs it.
//!
//! Promises:
//! * A job is enqueued in the caller's transaction: it exists exactly if the caller's rows do.
//! * At least once, with a fence: a worker whose lease was lost cannot commit ([`Claim::succeed`]).
//! * Of one kind and key at most one waits to begin and at most one has begun. Asking again joins
//!   the one that has not begun; while one runs, asking leaves exactly one behind it, so no wake-up
//!   is lost, and none waits for a run that puts itself off.
//! * A worker's death counts as an attempt, and the third is the last.
//!
//! Refused: a queue library. None enqueues inside the caller's transaction on both databases, joins
//! requests without losing the last, and caps a job that kills its worker; see `docs/decisions.md`.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, sea_query::Value};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    app::App,
    database::{Database, Hint, Txn},
    error::{Error, Result},
};

mod attempt;
mod backlog;
mod claim;
mod look;
mod presence;
mod prune;
mod reap;
mod registry;
mod runner;
mod slots;
mod step_in;
mod take;
#[cfg(test)]
mod tests;

pub use backlog::{Backlog, backlog};
pub use claim::Claim;
pub use look::{dead, list};
pub use prune::Prune;
pub use registry::Registry;
#[cfg(test)]
pub(crate) use runner::DRAIN;
pub use runner::Runner;
pub use step_in::{cancel, retry};

// The conditions of the partial indexes, word for word: SQLite uses such an index only where it finds
// its condition in the statement, however plainly it follows from another. Ended jobs are kept for
// days, so that a statement without an index reads them all.
const UNDER_WAY: &str = "('queued', 'running', 'waiting')";
const STARTED: &str = "('running', 'waiting')";
const WAITING: &str = "('queued', 'waiting')";

/// Work to be done in the background. Its fields are its payload: ids, never data.
#[async_trait]
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name in the database, `slice.verb`.
    const KIND: &'static str;
    /// How often it may be started.
    const MAX_ATTEMPTS: i32;
    /// How long after a success it runs again by itself, if it is that sort of job.
    const EVERY: Option<Duration> = None;

    /// What it works on.
    fn key(&self) -> String;

    /// Whose data it works on, if one person's.
    fn user_id(&self) -> Option<Uuid> {
        None
    }

    /// What it shares the outside with, such as the bank it asks: jobs of one key hold at most half
    /// of a process's slots.
    fn concurrency_key(&self) -> Option<String> {
        None
    }

    /// How long from now it runs again by itself; absent if it does not. Asked after each run, and
    /// every few minutes: a time that comes nearer meanwhile counts.
    async fn again(&self, _app: &App) -> Result<Option<Duration>> {
        Ok(Self::EVERY)
    }

    /// Does the work. The last transaction of it calls [`Claim::succeed`], which ends the job
    /// together with the work or not at all; a job without a transaction leaves that to the runner.
    async fn run(&self, app: &App, claim: &Claim) -> Result<()>;

    /// Writes down for people that an attempt failed, in the transaction that ends the attempt.
    async fn failed(&self, _app: &App, _txn: &mut Txn, _failure: &Failure) -> Result<()> {
        Ok(())
    }
}

/// How an attempt failed.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: Error,
    /// Which attempt it was, from 1.
    pub attempt: i32,
    /// When the next one begins; absent if there is none.
    pub retry_at: Option<DateTime<Utc>>,
}

/// What came of asking for a job.
#[derive(Debug)]
pub enum Enqueued<J> {
    /// It is new.
    New,
    /// One that has not begun yet does the work; this is its payload.
    Joined(J),
}

/// How a job is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct When {
    /// Not before so long from now.
    pub delay: Duration,
    /// Whether a job that waits out a failure is tried at once, unless a provider asked us to wait.
    pub hurry: bool,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    payload: serde_json::Value,
}

/// Asks for a job in the caller's transaction.
pub async fn enqueue<J: Job>(txn: &mut Txn, app: &App, job: &J, when: When) -> Result<Enqueued<J>> {
    txn.hint(Hint::Jobs);
    if let Some(waiting) = join_waiting(txn, app, job, when).await? {
        return Ok(Enqueued::Joined(waiting));
    }
    let backend = txn.get_database_backend();
    let id = Uuid::now_v7();
    let now = now(app, backend);
    let delay = i64::try_from(when.delay.as_millis()).map_err(Error::internal)?;
    let asked = if when.hurry { now.as_str() } else { "0" };
    // Joining takes the lock on the row, so that a runner cannot begin the job between our look at
    // it and our commit; and whoever is in more of a hurry brings it forward. While it is queued,
    // `hold_until` says when somebody in a hurry last asked: the job it runs behind may go on for long.
    let sql = format!(
        "INSERT INTO jobs (id, kind, key, user_id, concurrency_key, payload, state, attempt, crashes, \
         max_attempts, run_at, hold_until, fence, lease_until, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 'queued', 0, 0, $7, {now} + $8, {asked}, 0, 0, {now}) \
         ON CONFLICT (kind, key) WHERE state = 'queued' DO UPDATE SET \
         hold_until = CASE WHEN excluded.hold_until > jobs.hold_until THEN excluded.hold_until \
         ELSE jobs.hold_until END, run_at = CASE WHEN excluded.run_at < jobs.run_at THEN excluded.run_at ELSE jobs.run_at END \
         RETURNING id, payload"
    );
    let payload = serde_json::to_value(job).map_err(Error::internal)?;
    let values: [Value; 8] = [
        id.into(),
        J::KIND.into(),
        job.key().into(),
        job.user_id().into(),
        job.concurrency_key().unwrap_or_default().into(),
        payload.into(),
        J::MAX_ATTEMPTS.into(),
        delay.into(),
    ];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    let row = Row::find_by_statement(statement).one(&**txn).await?;
    let row = row.ok_or_else(|| Error::internal("an insert that returned nothing"))?;
    if row.id == id {
        Ok(Enqueued::New)
    } else {
        joined(row)
    }
}

/// A job that waits out a failure begins after this request, so it will see what we ask about.
async fn join_waiting<J: Job>(txn: &Txn, app: &App, job: &J, when: When) -> Result<Option<J>> {
    let backend = txn.get_database_backend();
    let now = now(app, backend);
    let run_at = if when.hurry {
        format!(
            "CASE WHEN hold_until > {now} THEN hold_until WHEN run_at > {now} THEN {now} ELSE run_at END"
        )
    } else {
        "run_at".to_owned()
    };
    let sql = format!(
        "UPDATE jobs SET run_at = {run_at} WHERE kind = $1 AND key = $2 AND state IN {STARTED} \
         AND state = 'waiting' RETURNING id, payload"
    );
    let values: [Value; 2] = [J::KIND.into(), job.key().into()];
    let row = Row::find_by_statement(Statement::from_sql_and_values(backend, sql, values))
        .one(&**txn)
        .await?;
    match row.map(joined).transpose()? {
        Some(Enqueued::Joined(job)) => Ok(Some(job)),
        _ => Ok(None),
    }
}

fn joined<J: Job>(row: Row) -> Result<Enqueued<J>> {
    Ok(Enqueued::Joined(
        serde_json::from_value(row.payload).map_err(Error::internal)?,
    ))
}

/// The database's clock as SQL, moved as far as a test has moved ours.
fn now(app: &App, backend: sea_orm::DbBackend) -> String {
    format!("({} + {})", Database::now_ms(backend), app.clock.ahead_ms())
}
