//! What somebody does by hand about a job: give out again what was given up, and call off what has not
//! begun. Both are one statement that looks and changes, so that a runner and two hands at once agree.

use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use super::{STARTED, UNDER_WAY, now};
use crate::{
    app::App,
    database::{Hint, Txn},
    error::Result,
};

/// Gives a job that was given up out again, with all its attempts; whether that could be done. It cannot
/// where another job of its kind and key is under way, which does the same.
pub async fn retry(txn: &mut Txn, app: &App, id: Uuid) -> Result<bool> {
    let now = now(app, txn.get_database_backend());
    let sql = format!(
        "UPDATE jobs SET state = 'queued', attempt = 0, crashes = 0, run_at = {now}, hold_until = 0, \
         finished_at = NULL WHERE id = $1 AND state = 'dead' AND NOT EXISTS (SELECT 1 FROM jobs r \
         WHERE r.kind = jobs.kind AND r.key = jobs.key AND r.state = 'queued') AND NOT EXISTS \
         (SELECT 1 FROM jobs r WHERE r.kind = jobs.kind AND r.key = jobs.key AND r.state IN {STARTED})"
    );
    change(txn, &sql, id).await
}

/// Calls a job off that has not begun or waits to be tried again; whether that could be done. One that
/// runs by itself again and again has its next time all the same.
pub async fn cancel(txn: &mut Txn, app: &App, id: Uuid) -> Result<bool> {
    let now = now(app, txn.get_database_backend());
    let sql = format!(
        "UPDATE jobs SET state = 'cancelled', finished_at = {now} WHERE id = $1 \
         AND state IN {UNDER_WAY} AND state <> 'running'"
    );
    change(txn, &sql, id).await
}

async fn change(txn: &mut Txn, sql: &str, id: Uuid) -> Result<bool> {
    txn.hint(Hint::Jobs);
    let statement = Statement::from_sql_and_values(txn.get_database_backend(), sql, [id.into()]);
    Ok(txn.execute_raw(statement).await?.rows_affected() == 1)
}
