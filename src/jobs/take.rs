//! Taking jobs that are due, oldest first. A queued job whose predecessor has begun and not ended is
//! passed over: it runs behind it.

use entity::job;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement, sea_query::Value};

use super::{STARTED, UNDER_WAY, WAITING, claim::LEASE_MS, now, slots::Room};
use crate::{app::App, error::Result};

/// Takes as many due jobs as there is room for.
pub(super) async fn take(app: &App, worker: i64, room: &Room) -> Result<Vec<job::Model>> {
    let txn = app.db.begin().await?;
    let statement = statement(app, txn.get_database_backend(), worker, room);
    let rows = job::Entity::find()
        .from_raw_sql(statement)
        .all(&*txn)
        .await?;
    txn.commit().await?;
    Ok(rows)
}

fn statement(app: &App, backend: DbBackend, worker: i64, room: &Room) -> Statement {
    let now = now(app, backend);
    let skip = match backend {
        DbBackend::Postgres => "FOR UPDATE SKIP LOCKED",
        _ => "",
    };
    let (heads, among) = if room.crowded.is_empty() {
        (String::new(), "")
    } else {
        let heads = heads(&now, room.crowded.len());
        (heads, "AND j.id IN (SELECT id FROM first)")
    };
    let free = not_behind("j");
    // Made first and once: PostgreSQL may run a plain subquery several times and pass the limit.
    let sql = format!(
        "WITH RECURSIVE {heads} due AS MATERIALIZED (SELECT j.id FROM jobs j WHERE j.state IN {UNDER_WAY} \
         AND j.state <> 'running' AND j.run_at <= {now} AND {free} {among} \
         ORDER BY j.run_at, j.id LIMIT $2 {skip}) \
         UPDATE jobs SET state = 'running', attempt = attempt + 1, fence = fence + 1, worker = $1, \
         lease_until = {now} + {LEASE_MS} WHERE id IN (SELECT id FROM due) RETURNING *"
    );
    let limit = i64::try_from(room.limit).unwrap_or(1);
    let values = [Value::from(worker), limit.into()];
    let crowded = room.crowded.iter().map(Value::from);
    Statement::from_sql_and_values(backend, sql, values.into_iter().chain(crowded))
}

/// The condition that a job runs behind no other.
fn not_behind(job: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM jobs r WHERE {job}.state = 'queued' AND r.kind = {job}.kind \
         AND r.key = {job}.key AND r.state IN {STARTED})"
    )
}

/// Steps from key to key, to the first job of each, and takes those that are due and not crowded.
/// Passing over a crowded key's jobs one by one would cost as much as there are, whenever anything
/// becomes due.
fn heads(now: &str, crowded: usize) -> String {
    let free = not_behind("n");
    let next = |after: &str| {
        format!(
            "(SELECT n.id FROM jobs n WHERE n.state IN {WAITING} {after} AND {free} \
             ORDER BY n.concurrency_key, n.run_at LIMIT 1)"
        )
    };
    let (first, after) = (next(""), next("AND n.concurrency_key > heads.key"));
    let places: Vec<String> = (3..3 + crowded).map(|n| format!("${n}")).collect();
    let places = places.join(", ");
    format!(
        "heads (id, key, run_at) AS (SELECT j.id, j.concurrency_key, j.run_at FROM jobs j WHERE j.id = {first} \
         UNION ALL SELECT j.id, j.concurrency_key, j.run_at FROM heads JOIN jobs j ON j.id = {after}), \
         first AS MATERIALIZED (SELECT id FROM heads WHERE run_at <= {now} AND key NOT IN ({places}) \
         ORDER BY run_at, id LIMIT $2),"
    )
}
