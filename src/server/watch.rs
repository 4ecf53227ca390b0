//! `GET /metrics`, on an address of its own: a worker has no other, and what is open to everybody
//! should not count aloud.
//!
//! Refused: the route on the API's address, where whoever finds it learns how many people there are
//! and when they sign in.

use std::{fmt::Write, time::Duration};

use axum::{
    Router,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Socket;
use crate::{
    app::App,
    error::{Error, Result},
    jobs::{Backlog, backlog},
};

/// How long the database may take. What the process counts by itself is told all the same.
const PATIENCE: Duration = Duration::from_secs(2);

/// The format. <https://prometheus.io/docs/specs/om/open_metrics_spec/>
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves metrics until the shutdown.
pub async fn watch(app: App, socket: Socket, shutdown: CancellationToken) -> Result<()> {
    let routes = Router::new()
        .route("/metrics", get(metrics))
        .with_state(app);
    axum::serve(socket.listener, routes)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
        .map_err(Error::internal)
}

async fn metrics(State(app): State<App>) -> Response {
    let mut text = app.metrics.text();
    let backlog = timeout(PATIENCE, backlog(&app)).await;
    let backlog = backlog.ok().and_then(Result::ok);
    // Writing to a string cannot fail.
    let _ = tell(&mut text, backlog.as_deref());
    text.push_str("# EOF\n");
    ([(CONTENT_TYPE, FORMAT)], text).into_response()
}

/// What the database knows.
fn tell(text: &mut String, backlog: Option<&[Backlog]>) -> std::fmt::Result {
    gauge(
        text,
        "passbook_database_up",
        "Whether the database answered",
    )?;
    writeln!(text, "passbook_database_up {}", u8::from(backlog.is_some()))?;
    let rows = backlog.unwrap_or_default();
    gauge(text, "passbook_jobs", "Jobs that have not ended")?;
    for Backlog {
        kind, state, jobs, ..
    } in rows
    {
        writeln!(
            text,
            "passbook_jobs{{kind=\"{kind}\",state=\"{state}\"}} {jobs}"
        )?;
    }
    gauge(
        text,
        "passbook_jobs_overdue_seconds",
        "For how long the first job of a kind could have begun and has not",
    )?;
    for row in rows.iter().filter(|row| row.state != "running") {
        let (kind, state, ms) = (&row.kind, &row.state, row.overdue_ms.max(0));
        writeln!(
            text,
            "passbook_jobs_overdue_seconds{{kind=\"{kind}\",state=\"{state}\"}} {}.{:03}",
            ms / 1_000,
            ms % 1_000
        )?;
    }
    Ok(())
}

fn gauge(text: &mut String, name: &str, help: &str) -> std::fmt::Result {
    writeln!(text, "# HELP {name} {help}.\n# TYPE {name} gauge")
}
