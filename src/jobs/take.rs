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
    let free = format!(
        "j.run_at <= {now} AND NOT EXISTS (SELECT 1 FROM jobs r WHERE j.state = 'queued' \
         AND r.kind = j.kind AND r.key = j.key AND r.state IN {STARTED})"
    );
    let (keys, among) = if room.crowded.is_empty() {
        (String::new(), String::new())
    } else {
        among_others(&free, room.crowded.len())
    };
    // Made first and once: PostgreSQL may run a plain subquery several times and pass the limit.
    let sql = format!(
        "WITH RECURSIVE {keys} due AS MATERIALIZED (SELECT j.id FROM jobs j WHERE j.state IN {UNDER_WAY} \
         AND j.state <> 'running' AND {free} {among} ORDER BY j.run_at, j.id LIMIT $2 {skip}) \
         UPDATE jobs SET state = 'running', attempt = attempt + 1, fence = fence + 1, worker = $1, \
         lease_until = {now} + {LEASE_MS} WHERE id IN (SELECT id FROM due) RETURNING *"
    );
    let limit = i64::try_from(room.limit).unwrap_or(1);
    let values = [Value::from(worker), limit.into()];
    let crowded = room.crowded.iter().map(Value::from);
    Statement::from_sql_and_values(backend, sql, values.into_iter().chain(crowded))
}

/// Steps from key to key and takes the first job of each that is not crowded. Passing over a crowded
/// key's jobs one by one would cost as much as there are, whenever anything becomes due.
fn among_others(free: &str, crowded: usize) -> (String, String) {
    let places: Vec<String> = (3..3 + crowded).map(|n| format!("${n}")).collect();
    let keys = format!(
        "keys (key) AS (SELECT MIN(concurrency_key) FROM jobs WHERE state IN {WAITING} \
         UNION ALL SELECT (SELECT MIN(n.concurrency_key) FROM jobs n WHERE n.state IN {WAITING} \
         AND n.concurrency_key > keys.key) FROM keys WHERE keys.key IS NOT NULL), \
         first AS MATERIALIZED (SELECT (SELECT j.id FROM jobs j WHERE j.state IN {WAITING} \
         AND j.concurrency_key = keys.key AND {free} ORDER BY j.run_at LIMIT 1) AS id \
         FROM keys WHERE keys.key NOT IN ({})),",
        places.join(", ")
    );
    (keys, "AND j.id IN (SELECT id FROM first)".to_owned())
}
