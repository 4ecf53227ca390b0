//! Running jobs: one loop that claims what is due whenever a hint, a freed slot or the time says so.

use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::{FromQueryResult, Statement};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::{
    Claim, Registry, UNDER_WAY, attempt::attempt, now, presence::Presence, reap::reap,
    slots::Slots, take::take,
};
use crate::{app::App, database::Hint, error::Result};

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
        let mut slots = Slots::new(self.slots);
        let mut hints = self.app.db.hints();
        let stop = CancellationToken::new();
        let mut swept = None;
        let mut ensured = None;
        while !shutdown.is_cancelled() {
            if due(&mut swept, SWEEP) && self.sweep(&mut presence, &slots).await.is_err() {
                swept = None;
            } else if due(&mut ensured, RECURRING)
                && let Err(error) = self.registry.ensure_recurring(&self.app).await
            {
                tracing::warn!(error = error.chain(), "recurring jobs could not be set");
            }
            if swept.is_some() {
                self.fill(presence.worker, &mut slots, &stop).await;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.wait(&mut hints) => {}
                Some(()) = slots.ended() => {}
            }
            while slots.ended().now_or_never().flatten().is_some() {}
        }
        let done = async { while slots.ended().await.is_some() {} };
        if tokio::time::timeout(DRAIN, done).await.is_err() {
            stop.cancel();
            while slots.ended().await.is_some() {}
        }
    }

    /// Says that we live, and gives out the jobs of those who do not.
    async fn sweep(&self, presence: &mut Presence, slots: &Slots) -> Result<()> {
        let outcome = async {
            presence.ensure(&self.app.db).await?;
            reap(&self.app, &self.registry, presence.worker, slots).await
        };
        outcome.await.inspect_err(|error| {
            tracing::warn!(
                error = error.chain(),
                "jobs cannot be looked after; trying again"
            );
        })
    }

    /// Claims what is due into the free slots.
    async fn fill(&self, worker: i64, slots: &mut Slots, stop: &CancellationToken) {
        while let Some(room) = slots.room() {
            let rows = match take(&self.app, worker, &room).await {
                Ok(rows) => rows,
                Err(error) => {
                    tracing::warn!(
                        error = error.chain(),
                        "jobs could not be claimed; trying again"
                    );
                    return;
                }
            };
            let last = room.is_all(rows.len());
            for row in rows {
                let (app, registry) = (self.app.clone(), self.registry.clone());
                let claim = Claim::of(&row);
                slots.run(claim, attempt(app, registry, row, stop.clone()));
            }
            if last {
                return;
            }
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
    pub(super) async fn until_next(&self) -> Result<Duration> {
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
