//! One attempt of one job: the work, the lease kept meanwhile, and what came of it.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use entity::job;
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::{Claim, Failure, Registry};
use crate::{
    app::App,
    database::Hint,
    error::{Error, Result},
    metrics::Ended,
};

const HEARTBEAT: Duration = Duration::from_secs(5);

/// Does an attempt, from claim to whatever came of it.
pub(super) async fn attempt(
    app: App,
    registry: Registry,
    row: job::Model,
    stop: CancellationToken,
) {
    let began = Instant::now();
    let ended = one(&app, &registry, &row, &stop).await;
    let kind = registry.name(&row);
    app.metrics.attempted(kind, ended, began.elapsed());
}

async fn one(app: &App, registry: &Registry, row: &job::Model, stop: &CancellationToken) -> Ended {
    let claim = Claim::of(row);
    let work = AssertUnwindSafe(registry.run(app, row)).catch_unwind();
    let outcome = tokio::select! {
        outcome = work => outcome.unwrap_or_else(|_| Err(Error::internal("a job panicked"))),
        lost = keep(app, &claim) => Err(lost),
        () = stop.cancelled() => {
            return settled(row, hand_back(app, &claim).await);
        }
    };
    let written = match outcome {
        Ok(()) => succeed(app, &claim, registry, row).await,
        Err(Error::LeaseLost) => Err(Error::LeaseLost),
        Err(error) => fail(app, &claim, registry, row, error).await,
    };
    settled(row, written)
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
async fn succeed(app: &App, claim: &Claim, registry: &Registry, row: &job::Model) -> Result<Ended> {
    let mut txn = app.db.begin().await?;
    match claim.succeed(&mut txn, app).await {
        Ok(()) => txn.commit().await?,
        // The job has ended itself in its own transaction.
        Err(Error::LeaseLost) => drop(txn),
        Err(error) => return Err(error),
    }
    tracing::debug!(job.id = %row.id, job.kind = row.kind, attempt = row.attempt, "a job is done");
    if registry.recurs(row) {
        registry.ensure_recurring(app).await?;
    }
    Ok(Ended::Succeeded)
}

async fn fail(
    app: &App,
    claim: &Claim,
    registry: &Registry,
    row: &job::Model,
    error: Error,
) -> Result<Ended> {
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
    txn.commit().await?;
    Ok(if retry_at.is_some() {
        Ended::Retried
    } else {
        Ended::GivenUp
    })
}

async fn hand_back(app: &App, claim: &Claim) -> Result<Ended> {
    let mut txn = app.db.begin().await?;
    claim.hand_back(&mut txn, app).await?;
    txn.commit().await?;
    Ok(Ended::HandedBack)
}

/// What could not be written down is found by the next sweep.
fn settled(row: &job::Model, written: Result<Ended>) -> Ended {
    match written {
        Ok(ended) => ended,
        Err(Error::LeaseLost) => {
            tracing::info!(job.id = %row.id, job.kind = row.kind, "a job was taken over by another worker");
            Ended::TakenOver
        }
        Err(error) => {
            tracing::warn!(job.id = %row.id, job.kind = row.kind, error = error.chain(), "a job's end could not be written");
            Ended::Lost
        }
    }
}
