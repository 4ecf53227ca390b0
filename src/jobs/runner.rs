//! Running jobs: one loop that claims what is due whenever a hint, a freed slot or the time says so,
//! and one task per running job that keeps its lease alive.

use std::{panic::AssertUnwindSafe, time::Duration};

use entity::job;
use futures_util::FutureExt;
use sea_orm::{FromQueryResult, Statement};
use tokio::{sync::broadcast, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    Claim, Failure, Registry, UNDER_WAY, claim::claim, now, presence::Presence, reap::reap,
};
use crate::{
    app::App,
    database::Hint,
    error::{Error, Result},
};

const HEARTBEAT: Duration = Duration::from_secs(5);
const SWEEP: Duration = Duration::from_secs(5);
const RECURRING: Duration = Duration::from_mins(5);
/// How long running jobs may go on after the process was told to stop.
pub(crate) const DRAIN: Duration = Duration::from_secs(7);

/// Runs jobs in this process.
#[derive(Debug)]
pub struct Runner {
    app: App,
    registry: Registry,
    slots: usize,
}

impl Runner {
    /// A runner of up to `slots` jobs at once.
    pub fn new(app: App, registry: Registry, slots: usize) -> Self {
        Self {
            app,
            registry,
            slots,
        }
    }

    /// Runs jobs until told to stop, then waits for those that run; what is not done by then is
    /// handed back.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut presence = Presence::new();
        let mut running = JoinSet::new();
        let mut hints = self.app.db.hints();
        let stop = CancellationToken::new();
        let mut swept = None;
        let mut ensured = None;
        while !shutdown.is_cancelled() {
            if due(&mut swept, SWEEP) && self.sweep(&mut presence).await.is_err() {
                swept = None;
            } else if due(&mut ensured, RECURRING)
                && let Err(error) = self.registry.ensure_recurring(&self.app).await
            {
                tracing::warn!(error = error.chain(), "recurring jobs could not be set");
            }
            if swept.is_some() {
                self.fill(presence.worker, &mut running, &stop).await;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.wait(&mut hints) => {}
                Some(_) = running.join_next() => {}
            }
            while running.try_join_next().is_some() {}
        }
        let done = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, done).await.is_err() {
            stop.cancel();
            while running.join_next().await.is_some() {}
        }
    }

    /// Says that we live, and gives out the jobs of those who do not.
    async fn sweep(&self, presence: &mut Presence) -> Result<()> {
        let outcome = async {
            presence.ensure(&self.app.db).await?;
            reap(&self.app, &self.registry, presence.worker).await
        };
        outcome.await.inspect_err(|error| {
            tracing::warn!(
                error = error.chain(),
                "jobs cannot be looked after; trying again"
            );
        })
    }

    /// Claims what is due into the free slots.
    async fn fill(&self, worker: i64, running: &mut JoinSet<()>, stop: &CancellationToken) {
        let free = self.slots.saturating_sub(running.len());
        if free == 0 {
            return;
        }
        match claim(&self.app, worker, free).await {
            Ok(rows) => {
                for row in rows {
                    running.spawn(attempt(
                        self.app.clone(),
                        self.registry.clone(),
                        row,
                        stop.clone(),
                    ));
                }
            }
            Err(error) => tracing::warn!(
                error = error.chain(),
                "jobs could not be claimed; trying again"
            ),
        }
    }

    /// Waits until something may be due.
    async fn wait(&self, hints: &mut broadcast::Receiver<Hint>) {
        let next = self.until_next().await.unwrap_or(SWEEP);
        let hinted = async {
            loop {
                match hints.recv().await {
                    Ok(Hint::Jobs | Hint::Resync) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        return;
                    }
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        tokio::select! {
            () = hinted => {}
            () = self.app.clock.sleep(next.min(SWEEP)) => {}
        }
    }

    /// How long until the next job is due that is not due yet.
    async fn until_next(&self) -> Result<Duration> {
        #[derive(FromQueryResult)]
        struct Next {
            ms: Option<i64>,
        }
        let backend = self.app.db.backend();
        let now = now(&self.app, backend);
        let sql = format!(
            "SELECT MIN(run_at) - {now} AS ms FROM jobs WHERE state IN {UNDER_WAY} \
             AND state <> 'running' AND run_at > {now}"
        );
        let next = Next::find_by_statement(Statement::from_string(backend, sql))
            .one(self.app.db.read())
            .await?;
        let ms = next
            .and_then(|next| next.ms)
            .and_then(|ms| u64::try_from(ms).ok());
        Ok(ms.map_or(SWEEP, |ms| Duration::from_millis(ms + 1)))
    }
}

fn due(last: &mut Option<tokio::time::Instant>, every: Duration) -> bool {
    let due = last.is_none_or(|last| last.elapsed() >= every);
    if due {
        *last = Some(tokio::time::Instant::now());
    }
    due
}

/// One attempt of one job, from claim to whatever came of it.
async fn attempt(app: App, registry: Registry, row: job::Model, stop: CancellationToken) {
    let claim = Claim::of(&row);
    let work = AssertUnwindSafe(registry.run(&app, &row)).catch_unwind();
    let outcome = tokio::select! {
        outcome = work => outcome.unwrap_or_else(|_| Err(Error::internal("a job panicked"))),
        lost = keep(&app, &claim) => Err(lost),
        () = stop.cancelled() => {
            settled(&row, hand_back(&app, &claim).await);
            return;
        }
    };
    let written = match outcome {
        Ok(()) => succeed(&app, &claim, &registry, &row).await,
        Err(Error::LeaseLost) => Err(Error::LeaseLost),
        Err(error) => fail(&app, &claim, &registry, &row, error).await,
    };
    settled(&row, written);
}

/// Renews the lease until it is lost.
async fn keep(app: &App, claim: &Claim) -> Error {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        match claim.renew(app).await {
            Ok(()) => {}
            Err(Error::LeaseLost) => return Error::LeaseLost,
            // The lease outlives two missed renewals; the commit checks the fence in any case.
            Err(error) => tracing::warn!(error = error.chain(), "a lease could not be renewed"),
        }
    }
}

/// Ends a job that did not end itself, and sets the next time of a recurring one.
async fn succeed(app: &App, claim: &Claim, registry: &Registry, row: &job::Model) -> Result<()> {
    let mut txn = app.db.begin().await?;
    match claim.succeed(&mut txn, app).await {
        Ok(()) => txn.commit().await?,
        // The job has ended itself in its own transaction.
        Err(Error::LeaseLost) => drop(txn),
        Err(error) => return Err(error),
    }
    tracing::debug!(job.id = %row.id, job.kind = row.kind, attempt = row.attempt, "a job is done");
    if registry.recurs(row) {
        registry.ensure_recurring(app).await
    } else {
        Ok(())
    }
}

async fn fail(
    app: &App,
    claim: &Claim,
    registry: &Registry,
    row: &job::Model,
    error: Error,
) -> Result<()> {
    let mut txn = app.db.begin().await?;
    let retry_at = claim.fail(&txn, app, &error).await?;
    let (id, chain) = (row.id, error.chain());
    if retry_at.is_some() {
        tracing::info!(job.id = %id, job.kind = row.kind, attempt = row.attempt, error = chain, "a job is tried again later");
    } else {
        tracing::warn!(job.id = %id, job.kind = row.kind, attempt = row.attempt, error = chain, "a job is given up");
    }
    let failure = Failure {
        error,
        attempt: row.attempt,
        retry_at,
    };
    registry.failed(app, &mut txn, row, failure).await?;
    txn.hint(Hint::Jobs);
    txn.commit().await
}

async fn hand_back(app: &App, claim: &Claim) -> Result<()> {
    let mut txn = app.db.begin().await?;
    claim.hand_back(&mut txn, app).await?;
    txn.commit().await
}

/// What could not be written down is found by the next sweep.
fn settled(row: &job::Model, written: Result<()>) {
    match written {
        Ok(()) => {}
        Err(Error::LeaseLost) => {
            tracing::info!(job.id = %row.id, job.kind = row.kind, "a job was taken over by another worker");
        }
        Err(error) => {
            tracing::warn!(job.id = %row.id, job.kind = row.kind, error = error.chain(), "a job's end could not be written");
        }
    }
}
