//! Finding the jobs of the dead. A job whose worker is gone is given out again at once, or ended if
//! it was the third worker that died under it.

use entity::job;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement, sea_query::Value};

use super::{Failure, Registry, now, presence::LOCK_CLASS, slots::Slots};
use crate::{
    app::App,
    database::{Hint, Txn},
    error::{Error, Result},
};

/// So many workers may die under a job.
const MAX_CRASHES: i32 = 3;

/// Takes jobs away from dead workers, each in a transaction of its own: what a job's failure writes
/// takes locks of its person's, and two people's at once could meet another's in the other order.
/// What this process works on it knows by itself: a machine that slept has leases that are over and
/// workers that are well. A job of ours that nobody works on is one whose end could not be written.
pub(super) async fn reap(app: &App, registry: &Registry, worker: i64, slots: &Slots) -> Result<()> {
    let mut orphans = orphans(app, worker).await?;
    orphans.retain(|orphan| orphan.worker != Some(worker) || !slots.hold(orphan));
    for orphan in orphans {
        // One that cannot be given out again keeps no other from it.
        if let Err(error) = bury(app, registry, &orphan).await {
            tracing::warn!(job.id = %orphan.id, job.kind = orphan.kind, error = error.chain(), "a dead worker's job could not be given out again");
        }
    }
    Ok(())
}

async fn bury(app: &App, registry: &Registry, orphan: &job::Model) -> Result<()> {
    let mut txn = app.db.begin().await?;
    let last = orphan.crashes + 1 >= MAX_CRASHES || orphan.attempt >= orphan.max_attempts;
    if !release(&txn, app, orphan, last).await? {
        // Another worker was quicker.
        return Ok(());
    }
    tracing::warn!(job.id = %orphan.id, job.kind = orphan.kind, attempt = orphan.attempt, "a worker died under a job");
    let failure = Failure {
        error: Error::internal("the worker died under this job"),
        attempt: orphan.attempt,
        retry_at: (!last).then(|| app.clock.now()),
    };
    registry.failed(app, &mut txn, orphan, failure).await?;
    txn.hint(Hint::Jobs);
    txn.commit().await
}

async fn orphans(app: &App, worker: i64) -> Result<Vec<job::Model>> {
    let backend = app.db.backend();
    let now = now(app, backend);
    let dead = match backend {
        DbBackend::Postgres => format!(
            "lease_until < {now} OR NOT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_database d \
                 ON d.oid = l.database WHERE d.datname = current_database() AND l.locktype = 'advisory' \
                 AND l.granted AND l.classid = {LOCK_CLASS} AND l.objid = jobs.worker AND l.objsubid = 2)"
        ),
        _ => format!("worker <> {worker} OR lease_until < {now}"),
    };
    let sql = format!("SELECT * FROM jobs WHERE state = 'running' AND ({dead}) LIMIT 100");
    let statement = Statement::from_string(backend, sql);
    Ok(job::Entity::find()
        .from_raw_sql(statement)
        .all(app.db.read())
        .await?)
}

/// Gives a job out again or ends it; whether it was still there to be taken.
async fn release(txn: &Txn, app: &App, orphan: &job::Model, last: bool) -> Result<bool> {
    let backend = txn.get_database_backend();
    let now = now(app, backend);
    let state = if last {
        format!("state = 'dead', finished_at = {now}")
    } else {
        "state = 'waiting'".to_owned()
    };
    let sql = format!(
        "UPDATE jobs SET {state}, crashes = crashes + 1, fence = fence + 1, run_at = {now}, \
         last_error = 'the worker died under this job' \
         WHERE id = $1 AND fence = $2 AND state = 'running'"
    );
    let values: [Value; 2] = [orphan.id.into(), orphan.fence.into()];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    Ok(txn.execute_raw(statement).await?.rows_affected() == 1)
}
