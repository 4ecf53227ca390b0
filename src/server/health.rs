//! What load balancers and supervisors ask.

use std::time::Duration;

use axum::{extract::State, http::StatusCode};
use migration::{Migrator, MigratorTrait};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::database::Database;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What decides whether the server takes requests.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    db: Database,
    stopping: CancellationToken,
}

impl Ready {
    pub(super) fn new(db: Database, stopping: CancellationToken) -> Self {
        Self { db, stopping }
    }
}

/// The process lives.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The server takes requests: it is not stopping, and the database answers and is up to date.
pub(super) async fn ready(State(ready): State<Ready>) -> (StatusCode, &'static str) {
    let no = |why| (StatusCode::SERVICE_UNAVAILABLE, why);
    if ready.stopping.is_cancelled() {
        return no("stopping\n");
    }
    let pending = Migrator::get_pending_migrations_read_only(ready.db.read());
    match timeout(PATIENCE, pending).await {
        Ok(Ok(pending)) if pending.is_empty() => (StatusCode::OK, "ok\n"),
        Ok(Ok(_)) => no("the database is not up to date: run `passbook migrate`\n"),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            no("the database does not answer\n")
        }
        Err(_) => no("the database does not answer\n"),
    }
}
