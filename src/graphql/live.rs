//! Subscriptions over the change feed: first the snapshot with its cursor, or what was missed since
//! `after`; then what comes. The union has no gap and no repeat, since both begin at one number.
//! An event says that a thing changed; the thing is read when the event is sent, as the subscriber.
//!
//! Most of the time a subscription waits, and there may be thousands. So whatever it does in between,
//! such as a query, stands on the heap while it lasts and is not a part of the subscription's own state.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use entity::feed_event::{self, EventKind};
use futures_util::{
    future::BoxFuture,
    stream::{self, Stream, StreamExt, TryStreamExt},
};
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::{page::Scope, scalar};
use crate::{
    app::App,
    error::{Error, Result},
    feed::{self, Follower, Things},
    viewer::Viewer,
};

/// One change, with what a client needs to come back to this place.
#[derive(Clone, Debug)]
pub struct Change {
    /// Pass it as `after` to go on behind this change.
    pub cursor: String,
    /// When it was committed.
    pub occurred_at: scalar::DateTime,
    /// Which thing changed.
    pub subject_id: Uuid,
    /// The number it was committed under.
    pub seq: i64,
}

/// A person's feed as one subscription follows it.
#[derive(Debug)]
pub struct Live {
    app: App,
    scope: Scope,
    kind: EventKind,
    follower: Follower,
    seq: i64,
}

/// How a subscription begins.
#[derive(Debug)]
pub enum Start {
    /// With what was missed since the client's cursor.
    Missed,
    /// With a snapshot, which is read in this transaction: it sees things as they stood where the
    /// changes begin.
    Snapshot(DatabaseTransaction),
}

impl Live {
    /// Begins to follow.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a cursor that is not of this field, `CURSOR_EXPIRED` for one whose events
    /// are gone.
    pub fn follow(
        app: &App,
        viewer: Viewer,
        kind: EventKind,
        after: Option<String>,
    ) -> BoxFuture<'_, Result<(Self, Start)>> {
        Box::pin(Self::begin(app, viewer, kind, after))
    }

    async fn begin(
        app: &App,
        viewer: Viewer,
        kind: EventKind,
        after: Option<String>,
    ) -> Result<(Self, Start)> {
        let scope = Scope::new(app, viewer, "feed");
        // Follow first, read the position after: nothing falls between.
        let follower = app.followers.follow(viewer.user_id);
        let moment = app.db.snapshot().await?;
        let (latest, pruned) = feed::position(&moment, viewer.user_id).await?;
        let (seq, start) = match after {
            None => (latest, Start::Snapshot(moment)),
            Some(cursor) => {
                let seq: i64 = scope
                    .decode("after", &cursor)?
                    .parse()
                    .map_err(Error::internal)?;
                // Ahead of the feed it is only where the database was restored from a backup.
                if seq < pruned || seq > latest {
                    return Err(Error::CursorExpired);
                }
                (seq, Start::Missed)
            }
        };
        Ok((
            Self {
                app: app.clone(),
                scope,
                kind,
                follower,
                seq,
            },
            start,
        ))
    }

    /// What the changes are about, read once for all sockets of the person.
    pub fn things(&self) -> Things {
        self.follower.things()
    }

    /// The change that a snapshot stands for.
    pub fn snapshot(&self, subject_id: Uuid, at: DateTime<Utc>) -> Change {
        Change {
            cursor: self.scope.encode(&self.seq.to_string()),
            occurred_at: scalar::DateTime(at),
            subject_id,
            seq: self.seq,
        }
    }

    /// The changes after this place, as they come.
    pub fn changes(self) -> impl Stream<Item = Result<Change>> + Send {
        stream::try_unfold(
            (self, VecDeque::new()),
            |(mut live, mut waiting)| async move {
                while waiting.is_empty() {
                    live.read(&mut waiting).await?;
                }
                Ok(waiting.pop_front().map(|change| (change, (live, waiting))))
            },
        )
    }

    async fn read(&mut self, waiting: &mut VecDeque<Change>) -> Result<()> {
        let events = self.follower.after(self.app.db.read(), self.seq);
        let events = Box::pin(events).await?;
        let Some(last) = events.last().map(|event| event.seq) else {
            self.follower.passed(self.seq).await;
            return Ok(());
        };
        self.seq = last;
        waiting.extend(
            events
                .iter()
                .filter(|event| event.kind == self.kind)
                .map(|event| self.change(event)),
        );
        Ok(())
    }

    fn change(&self, event: &feed_event::Model) -> Change {
        Change {
            cursor: self.scope.encode(&event.seq.to_string()),
            occurred_at: scalar::DateTime(event.at),
            subject_id: event.subject_id,
            seq: event.seq,
        }
    }
}

/// Turns changes into what a client receives; changes of things that are gone or not asked for
/// yield nothing.
pub fn each<T, F>(
    snapshot: Vec<T>,
    changes: impl Stream<Item = Result<Change>> + Send,
    load: impl Fn(Change) -> F + Send,
) -> impl Stream<Item = Result<T>> + Send
where
    T: Send,
    F: Future<Output = Result<Option<T>>> + Send,
{
    let live = changes
        .and_then(move |change| Box::pin(load(change)))
        .try_filter_map(|event| async move { Ok(event) });
    stream::iter(snapshot.into_iter().map(Ok)).chain(live)
}
