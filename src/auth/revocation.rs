//! The sessions revoked lately, in memory: as far back as an access token can reach. The truth is in
//! the table; the set is filled from it before the first answer, kept fresh by hints, and checked
//! against it twice a second, since a hint can be lost. It only ever grows by what it reads, so a row
//! that is gone is not forgotten early.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::session;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use tokio::sync::{broadcast::error::RecvError, watch};
use uuid::Uuid;

use crate::{app::App, database::Hint, error::Result};

/// How often the table is asked: so that a session is over within a second though its hint is lost.
const POLL: Duration = Duration::from_millis(500);
/// How far back it is asked each time: transactions commit later than their time stamp says, and the
/// clocks of replicas differ.
const OVERLAP: TimeDelta = TimeDelta::minutes(2);
/// Every so many rounds it is asked for everything, and what is too old is forgotten.
const SWEEP: u64 = 120;
/// How much longer than an access token a revoked session is remembered.
const SLACK: TimeDelta = TimeDelta::minutes(5);

#[derive(Debug)]
pub(super) struct Revocations {
    state: Mutex<State>,
    loaded: AtomicBool,
    reach: TimeDelta,
}

#[derive(Debug, Default)]
struct State {
    revoked: HashMap<Uuid, DateTime<Utc>>,
    /// The sessions somebody waits for the end of.
    watched: HashMap<Uuid, watch::Sender<()>>,
}

/// How long a session has to be known as revoked whose access tokens live so long.
pub(super) fn reach(lifetime: Duration) -> TimeDelta {
    TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::MAX - SLACK) + SLACK
}

impl Revocations {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self {
            state: Mutex::default(),
            loaded: AtomicBool::new(false),
            reach: reach(lifetime),
        }
    }

    /// Makes sure that the table was read once. Several may read it at the start: better than that
    /// all wait for one whose client has stalled.
    pub(super) async fn ready(&self, app: &App) -> Result<()> {
        if !self.loaded.load(Ordering::Acquire) {
            self.read(app, self.reach).await?;
            self.loaded.store(true, Ordering::Release);
        }
        Ok(())
    }

    pub(super) fn contains(&self, session_id: Uuid) -> bool {
        self.state().revoked.contains_key(&session_id)
    }

    /// Remembers sessions as revoked and wakes whoever waits for their end.
    pub(super) fn add(&self, sessions: impl IntoIterator<Item = (Uuid, DateTime<Utc>)>) {
        let mut state = self.state();
        for (session_id, at) in sessions {
            state.revoked.entry(session_id).or_insert(at);
            state.watched.remove(&session_id);
        }
    }

    /// Something that changes when the session is revoked; nothing if it is.
    pub(super) fn watch(&self, session_id: Uuid) -> Option<watch::Receiver<()>> {
        let mut state = self.state();
        if state.revoked.contains_key(&session_id) {
            return None;
        }
        let sender = state.watched.entry(session_id);
        Some(sender.or_insert_with(|| watch::Sender::new(())).subscribe())
    }

    /// Follows the hints and the table for ever.
    pub(super) async fn follow(&self, app: &App) {
        tokio::join!(self.listen(app), self.poll(app));
    }

    async fn listen(&self, app: &App) {
        let mut hints = app.db.hints();
        loop {
            match hints.recv().await {
                Ok(Hint::Session(session_id)) => self.add([(session_id, app.clock.now())]),
                Ok(Hint::Resync) | Err(RecvError::Lagged(_)) => {
                    if let Err(error) = self.read(app, self.reach).await {
                        // The poll reads it again soon, and complains if it cannot.
                        tracing::debug!(
                            error = error.chain(),
                            "the revoked sessions were not read"
                        );
                    }
                }
                Ok(_) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn poll(&self, app: &App) {
        let mut failing = false;
        for round in 0_u64.. {
            let sweep = failing || round % SWEEP == 0;
            let back = if sweep { self.reach } else { OVERLAP };
            let read = self.read(app, back).await;
            if let (Err(error), false) = (&read, failing) {
                let error = error.chain();
                tracing::error!(error, "revoked sessions cannot be read; trying on");
            }
            failing = read.is_err();
            if sweep {
                self.forget(app.clock.now());
            }
            app.clock.sleep(POLL).await;
        }
    }

    async fn read(&self, app: &App, back: TimeDelta) -> Result<()> {
        let rows: Vec<(Uuid, DateTime<Utc>)> = session::Entity::find()
            .select_only()
            .column(session::Column::Id)
            .column(session::Column::RevokedAt)
            .filter(session::Column::RevokedAt.gt(app.clock.now() - back))
            .into_tuple()
            .all(app.db.read())
            .await?;
        self.add(rows);
        Ok(())
    }

    fn forget(&self, now: DateTime<Utc>) {
        let mut state = self.state();
        state.revoked.retain(|_, at| *at > now - self.reach);
        state
            .watched
            .retain(|_, sender| sender.receiver_count() > 0);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
