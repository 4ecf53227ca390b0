//! What waits and what runs, for those who watch.

use sea_orm::{FromQueryResult, Statement};

use super::{UNDER_WAY, now};
use crate::{app::App, error::Result};

/// How many jobs of a kind are in a state.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Backlog {
    /// The kind, as the database has it.
    pub kind: String,
    /// `queued`, `running` or `waiting`, which is waiting to be tried again.
    pub state: String,
    /// How many.
    pub jobs: i64,
    /// For how long the first of them could have begun, in milliseconds; negative until then.
    pub overdue_ms: i64,
}

/// What is under way. It reads those jobs, and none that have ended.
pub async fn backlog(app: &App) -> Result<Vec<Backlog>> {
    let backend = app.db.backend();
    let now = now(app, backend);
    let sql = format!(
        "SELECT kind, state, COUNT(*) AS jobs, {now} - MIN(run_at) AS overdue_ms FROM jobs \
         WHERE state IN {UNDER_WAY} GROUP BY kind, state ORDER BY kind, state"
    );
    let statement = Statement::from_string(backend, sql);
    Ok(Backlog::find_by_statement(statement)
        .all(app.db.read())
        .await?)
}
