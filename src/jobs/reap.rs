//! Finding the jobs of the dead. A job whose worker is gone is given out again at once, or ended if
//! it was the third worker that died under it.

use entity::job;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement, sea_query::Value};

use super::{Failure, Registry, now, presence::LOCK_CLASS};
use crate::{
    app::App,
    database::{Hint, Txn},
    error::{Error, Result},
};

/// So many workers may die under a job.
const MAX_CRASHES: i32 = 3;

/// Takes jobs away from dead workers; says how many.
pub(super) async fn reap(app: &App, registry: &Registry, worker: i64) -> Result<usize> {
    let mut txn = app.db.begin().await?;
    let orphans = orphans(&txn, app, worker).await?;
    for orphan in &orphans {
        tracing::warn!(job.id = %orphan.id, job.kind = orphan.kind, attempt = orphan.attempt, "a worker died under a job");
        let last = orphan.crashes + 1 >= MAX_CRASHES || orphan.attempt >= orphan.max_attempts;
        release(&mut txn, app, orphan, last).await?;
        let retry_at = (!last).then(|| app.clock.now());
        let error = Error::internal("the worker died under this job");
        let failure = Failure {
            error,
            attempt: orphan.attempt,
            retry_at,
        };
        registry.failed(app, &mut txn, orphan, failure).await?;
    }
    txn.hint(Hint::Jobs);
    txn.commit().await?;
    Ok(orphans.len())
}

async fn orphans(txn: &Txn, app: &App, worker: i64) -> Result<Vec<job::Model>> {
    let backend = txn.get_database_backend();
    let now = now(app, backend);
    let (dead, lock) = match backend {
        DbBackend::Postgres => (
            format!(
                "lease_until < {now} OR NOT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_database d \
                 ON d.oid = l.database WHERE d.datname = current_database() AND l.locktype = 'advisory' \
                 AND l.granted AND l.classid = {LOCK_CLASS} AND l.objid = jobs.worker AND l.objsubid = 2)"
            ),
            "FOR UPDATE SKIP LOCKED",
        ),
        _ => (format!("worker <> {worker} OR lease_until < {now}"), ""),
    };
    let sql = format!("SELECT * FROM jobs WHERE state = 'running' AND ({dead}) LIMIT 100 {lock}");
    let statement = Statement::from_string(backend, sql);
    Ok(job::Entity::find()
        .from_raw_sql(statement)
        .all(&**txn)
        .await?)
}

async fn release(txn: &mut Txn, app: &App, orphan: &job::Model, last: bool) -> Result<()> {
    let backend = txn.get_database_backend();
    let now = now(app, backend);
    let state = if last {
        format!("state = 'dead', finished_at = {now}")
    } else {
        "state = 'waiting'".to_owned()
    };
    let sql = format!(
        "UPDATE jobs SET {state}, crashes = crashes + 1, fence = fence + 1, run_at = {now}, \
         last_error = 'the worker died under this job' WHERE id = $1 AND fence = $2"
    );
    let values: [Value; 2] = [orphan.id.into(), orphan.fence.into()];
    txn.execute_raw(Statement::from_sql_and_values(backend, sql, values))
        .await?;
    Ok(())
}
