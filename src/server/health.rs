//! What load balancers and supervisors ask.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use migration::{Migrator, MigratorTrait};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{database::Database, seal::Keys};

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

/// What a proof of identity is hashed for; nothing else is.
const PURPOSE: &[u8] = b"identity";

/// Longest challenge that is taken up.
const CHALLENGE_MAX: usize = 128;

/// The process lives. Whoever asks with a challenge is told a keyed hash of it, which only a server
/// with our secret key can make: so `doctor` knows who answers at an address.
pub(super) async fn live(State(keys): State<Arc<Keys>>, RawQuery(query): RawQuery) -> String {
    let challenge = query
        .as_deref()
        .and_then(|query| query.strip_prefix("challenge="))
        .filter(|challenge| challenge.len() <= CHALLENGE_MAX);
    match challenge.map(|challenge| keys.mac(PURPOSE, challenge.as_bytes())) {
        Some(Ok(proof)) => format!("ok {}\n", URL_SAFE_NO_PAD.encode(proof)),
        _ => "ok\n".to_owned(),
    }
}

/// What the answer to a challenge proves: whether a server with our key gave it, or nothing if it
/// is no such answer at all.
pub(crate) fn proves(keys: &Keys, challenge: &str, answer: &str) -> Option<bool> {
    let proof = answer.trim_end().strip_prefix("ok ")?;
    let proof = URL_SAFE_NO_PAD.decode(proof).ok()?;
    let whole = proof.len() == 32;
    whole.then(|| keys.mac_matches(PURPOSE, challenge.as_bytes(), &proof))
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
