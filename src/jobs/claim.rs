//! Ending an attempt. Every statement names the fence, so that a worker that was taken for dead
//! changes nothing when it wakes.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::job;
use sea_orm::{ConnectionTrait, Statement, sea_query::Value};
use uuid::Uuid;

use super::now;
use crate::{
    app::App,
    database::{Hint, Txn},
    error::{Error, ErrorClass, Result},
};

/// How long a worker may be silent before it is taken for dead, in milliseconds.
pub(super) const LEASE_MS: i64 = 15_000;

const FIRST_DELAY: Duration = Duration::from_secs(15);
const LONGEST_DELAY: Duration = Duration::from_hours(1);

/// The right to do one attempt of a job.
#[derive(Clone, Debug)]
pub struct Claim {
    pub(super) job_id: Uuid,
    pub(super) fence: i64,
    /// When it was taken, by the database's clock.
    pub(super) since: i64,
    /// What it shares slots with; empty if it shares them with nothing.
    pub concurrency_key: String,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// How many attempts there may be.
    pub max_attempts: i32,
}

impl Claim {
    pub(super) fn of(row: &job::Model) -> Self {
        Self {
            job_id: row.id,
            fence: row.fence,
            since: row.lease_until - LEASE_MS,
            concurrency_key: row.concurrency_key.clone(),
            attempt: row.attempt,
            max_attempts: row.max_attempts,
        }
    }

    /// A claim on no job, for a test of a job that leaves its end to the runner.
    #[cfg(test)]
    pub(crate) fn of_nothing() -> Self {
        Self {
            job_id: Uuid::nil(),
            fence: 0,
            since: 0,
            concurrency_key: String::new(),
            attempt: 1,
            max_attempts: 1,
        }
    }

    /// Ends the job with success, in the transaction that holds its work.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if another worker has the job by now: the transaction must not commit.
    pub async fn succeed(&self, txn: &mut Txn, app: &App) -> Result<()> {
        let now = now(app, txn.get_database_backend());
        // Whoever asked meanwhile waits behind this one.
        txn.hint(Hint::Jobs);
        self.change(
            txn,
            &format!("state = 'succeeded', finished_at = {now}, last_error = NULL"),
            [],
        )
        .await
    }

    /// Whether this claim still holds, for jobs that write on the way.
    pub async fn check(&self, txn: &Txn) -> Result<()> {
        self.change(txn, "fence = fence", []).await
    }

    /// Ends the attempt with a failure; says when the next one begins, if nobody is in a hurry.
    pub(super) async fn fail(
        &self,
        txn: &Txn,
        app: &App,
        error: &Error,
    ) -> Result<Option<DateTime<Utc>>> {
        let now = now(app, txn.get_database_backend());
        let text = error.chain();
        if !error.is_transient() || self.attempt >= self.max_attempts {
            self.change(
                txn,
                &format!("state = 'dead', finished_at = {now}, last_error = $3"),
                [text.into()],
            )
            .await?;
            return Ok(None);
        }
        let (delay, hold) = match error {
            Error::Provider(error) => match error.class {
                ErrorClass::Retry(Some(hold)) => (hold.max(backoff(self.attempt)), hold),
                ErrorClass::NotReady => (patience(self.attempt), Duration::ZERO),
                _ => (backoff(self.attempt), Duration::ZERO),
            },
            _ => (backoff(self.attempt), Duration::ZERO),
        };
        let pause = later(&now, ["$4", "$5", "$6"]);
        let set = format!("state = 'waiting', last_error = $3, {pause}");
        let values = [text.into(), ms(delay), ms(hold), self.since.into()];
        self.change(txn, &set, values).await?;
        Ok(Some(
            app.clock.now() + TimeDelta::from_std(delay).map_err(Error::internal)?,
        ))
    }

    /// Gives the job back unfinished and uncharged: the process is going down.
    pub(super) async fn hand_back(&self, txn: &mut Txn, app: &App) -> Result<()> {
        self.wait_as(txn, app, &self.concurrency_key).await
    }

    /// Gives the job back uncharged, to be taken again when there is a slot for this key: for a job
    /// that finds out by itself what it shares slots with. Its run ends with this.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if another worker has the job by now.
    pub async fn wait_as(&self, txn: &mut Txn, app: &App, concurrency_key: &str) -> Result<()> {
        txn.hint(Hint::Jobs);
        let now = now(app, txn.get_database_backend());
        let set = format!(
            "state = 'waiting', attempt = attempt - 1, run_at = {now}, concurrency_key = $3"
        );
        self.change(txn, &set, [concurrency_key.into()]).await
    }

    /// Gives the job back uncharged, to be taken again after a while: for a job that has asked, and
    /// was told to ask again. Whoever is in a hurry brings it forward, or has done so since this run began,
    /// but not to within `rest` of now. Its run ends with this.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if another worker has the job by now.
    pub async fn postpone(
        &self,
        txn: &mut Txn,
        app: &App,
        delay: Duration,
        rest: Duration,
    ) -> Result<()> {
        txn.hint(Hint::Jobs);
        let now = now(app, txn.get_database_backend());
        let pause = later(&now, ["$3", "$4", "$5"]);
        let set = format!("state = 'waiting', attempt = attempt - 1, {pause}");
        let values = [ms(delay), ms(rest), self.since.into()];
        self.change(txn, &set, values).await
    }

    /// Tells that the worker lives.
    pub(super) async fn renew(&self, app: &App) -> Result<()> {
        let txn = app.db.begin().await?;
        let now = now(app, txn.get_database_backend());
        self.change(&txn, &format!("lease_until = {now} + {LEASE_MS}"), [])
            .await?;
        txn.commit().await
    }

    async fn change<const N: usize>(&self, txn: &Txn, set: &str, more: [Value; N]) -> Result<()> {
        let sql =
            format!("UPDATE jobs SET {set} WHERE id = $1 AND fence = $2 AND state = 'running'");
        let values = [self.job_id.into(), self.fence.into()]
            .into_iter()
            .chain(more);
        let statement = Statement::from_sql_and_values(txn.get_database_backend(), sql, values);
        let changed = txn.execute_raw(statement).await?.rows_affected();
        if changed == 1 {
            Ok(())
        } else {
            Err(Error::LeaseLost)
        }
    }
}

/// Sets when a job goes on that waits: after a delay; or, if somebody who is in a hurry has asked since
/// it was taken and so found no job that waits, as soon as it may be brought forward. Places of the delay,
/// of how long it is held in any case, and of when it was taken.
fn later(now: &str, [delay, hold, since]: [&str; 3]) -> String {
    format!(
        "hold_until = {now} + {hold}, run_at = {now} + CASE WHEN EXISTS (SELECT 1 FROM jobs q \
         WHERE q.kind = jobs.kind AND q.key = jobs.key AND q.state = 'queued' \
         AND q.hold_until >= {since}) THEN {hold} ELSE {delay} END"
    )
}

fn ms(duration: Duration) -> Value {
    i64::try_from(duration.as_millis())
        .unwrap_or(i64::MAX / 2)
        .into()
}

/// Nothing is wrong, the other side is not done yet: ask soon, then less often.
fn patience(attempt: i32) -> Duration {
    let doublings = u32::try_from(attempt - 1).unwrap_or_default().min(6);
    Duration::from_secs(2_u64.pow(doublings)).min(Duration::from_mins(1))
}

/// Full jitter: anything up to the exponential delay, so that a herd does not come back together.
fn backoff(attempt: i32) -> Duration {
    let doublings = u32::try_from(attempt - 1).unwrap_or_default().min(16);
    let longest = (FIRST_DELAY * 2_u32.pow(doublings)).min(LONGEST_DELAY);
    let span = u64::try_from(longest.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let random = Uuid::new_v4().as_u64_pair().1;
    Duration::from_millis(500 + random % span)
}
