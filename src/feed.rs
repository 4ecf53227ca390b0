//! The change feed: one mechanism under everything live. Every transaction that changes a person's
//! data takes the next number of that person's feed, late, under the lock of the counter's row, so
//! that numbers have no gaps and none commits behind a later one. A global sequence has both faults.
//!
//! Subscribers of one person in one process share a [`Follower`]: it is woken by hints, reads the
//! feed after its own number, and catches up by itself when a hint was lost.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    feed,
    feed_event::{self, EventKind},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict, Query},
};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    database::{Database, Hint, Txn},
    error::{Error, Result},
};

/// Events in one batch; far more than one commit has.
const BATCH: u64 = 500;

/// Begins the feed of a new person.
pub async fn open(txn: &Txn, user_id: Uuid) -> Result<()> {
    let row = feed::ActiveModel {
        user_id: Set(user_id),
        seq: Set(0),
        pruned_seq: Set(0),
    };
    feed::Entity::insert(row)
        .on_conflict(
            OnConflict::column(feed::Column::UserId)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(&**txn)
        .await?;
    Ok(())
}

/// Takes the next number of a person's feed. From here to the commit nobody else can change this
/// person's data, so take it late.
pub async fn next(txn: &mut Txn, user_id: Uuid) -> Result<i64> {
    let rows = feed::Entity::update_many()
        .col_expr(feed::Column::Seq, Expr::col(feed::Column::Seq).add(1))
        .filter(feed::Column::UserId.eq(user_id))
        .exec_with_returning(&**txn)
        .await?;
    let seq = rows
        .first()
        .map(|row| row.seq)
        .ok_or_else(|| Error::internal("a person without a feed"))?;
    txn.hint(Hint::Feed(user_id, seq));
    Ok(seq)
}

/// Writes down what changed under a number taken in the same transaction.
pub async fn append(
    txn: &Txn,
    user_id: Uuid,
    seq: i64,
    at: DateTime<Utc>,
    changes: &[(EventKind, Uuid)],
) -> Result<()> {
    let rows = changes
        .iter()
        .map(|&(kind, subject_id)| feed_event::ActiveModel {
            user_id: Set(user_id),
            seq: Set(seq),
            kind: Set(kind),
            subject_id: Set(subject_id),
            at: Set(at),
        });
    feed_event::Entity::insert_many(rows)
        .exec_without_returning(&**txn)
        .await?;
    Ok(())
}

/// Takes a number and writes down what changed: for transactions that stamp no rows.
pub async fn publish(
    txn: &mut Txn,
    user_id: Uuid,
    at: DateTime<Utc>,
    changes: &[(EventKind, Uuid)],
) -> Result<i64> {
    let seq = next(txn, user_id).await?;
    append(txn, user_id, seq, at, changes).await?;
    Ok(seq)
}

/// The last number of a person's feed, and the last one whose events are gone.
pub async fn position(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(i64, i64)> {
    let row = feed::Entity::find_by_id(user_id).one(db).await?;
    Ok(row.map_or((0, 0), |row| (row.seq, row.pruned_seq)))
}

/// Events of a person after a number, in order. They come in batches: ask again after the last one.
async fn after(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    seq: i64,
) -> Result<Vec<feed_event::Model>> {
    let mut events = feed_event::Entity::find()
        .filter(feed_event::Column::UserId.eq(user_id))
        .filter(feed_event::Column::Seq.gt(seq))
        .order_by_asc(feed_event::Column::Seq)
        .limit(BATCH)
        .all(db)
        .await?;
    // The changes of one commit share a number and stay together: the last may have been cut.
    if u64::try_from(events.len()).is_ok_and(|len| len == BATCH)
        && let Some(last) = events.last().map(|event| event.seq)
    {
        events.retain(|event| event.seq < last);
    }
    Ok(events)
}

/// How long events are kept: who was away for longer begins with the snapshot.
const KEPT: TimeDelta = TimeDelta::days(7);

/// Forgets events that are older than a week, and remembers up to where they are gone.
pub async fn prune(txn: &Txn, now: DateTime<Utc>) -> Result<()> {
    let old = feed_event::Column::At.lt(now - KEPT);
    let newest = Query::select()
        .expr(Expr::col((feed_event::Entity, feed_event::Column::Seq)).max())
        .from(feed_event::Entity)
        .and_where(
            Expr::col((feed_event::Entity, feed_event::Column::UserId))
                .equals((feed::Entity, feed::Column::UserId)),
        )
        .and_where(old.clone())
        .to_owned();
    let people = Query::select()
        .column(feed_event::Column::UserId)
        .from(feed_event::Entity)
        .and_where(old.clone())
        .to_owned();
    feed::Entity::update_many()
        .col_expr(feed::Column::PrunedSeq, newest.into())
        .filter(feed::Column::UserId.in_subquery(people))
        .exec(&**txn)
        .await?;
    feed_event::Entity::delete_many()
        .filter(old)
        .exec(&**txn)
        .await?;
    Ok(())
}

/// Tells subscribers in this process how far each person's feed has come, and reads it for them:
/// the sockets of one person share one reading.
#[derive(Clone, Debug, Default)]
pub struct Followers(Arc<Mutex<HashMap<Uuid, Weak<Followed>>>>);

/// A person's feed as this process follows it.
#[derive(Debug)]
struct Followed {
    seen: watch::Sender<i64>,
    recent: tokio::sync::Mutex<Recent>,
}

/// The events read last: all of those after `from`.
#[derive(Debug, Default)]
struct Recent {
    from: i64,
    events: Vec<feed_event::Model>,
}

/// One subscriber's view of a person's feed.
#[derive(Debug)]
pub struct Follower {
    user_id: Uuid,
    seen: watch::Receiver<i64>,
    followed: Arc<Followed>,
}

impl Follower {
    /// Waits until the feed may have passed `seq`.
    pub async fn passed(&mut self, seq: i64) {
        // The sender lives as long as this follower, so the wait can only end well.
        let _ = self.seen.wait_for(|&latest| latest > seq).await;
    }

    /// Events after a number, in order and in batches; what another socket of the same person has
    /// just read is not read again.
    pub async fn after(
        &self,
        db: &impl ConnectionTrait,
        seq: i64,
    ) -> Result<Vec<feed_event::Model>> {
        let mut recent = self.followed.recent.lock().await;
        let last = recent.events.last().map_or(recent.from, |event| event.seq);
        if recent.from <= seq && seq < last {
            return Ok(recent
                .events
                .iter()
                .filter(|event| event.seq > seq)
                .cloned()
                .collect());
        }
        let events = after(db, self.user_id, seq).await?;
        *recent = Recent {
            from: seq,
            events: events.clone(),
        };
        Ok(events)
    }
}

impl Followers {
    /// Starts following a person. Follow first and read the position after, and nothing is missed.
    pub fn follow(&self, user_id: Uuid) -> Follower {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let live = map.get(&user_id).and_then(Weak::upgrade);
        let followed = live.unwrap_or_else(|| {
            map.retain(|_, followed| followed.strong_count() > 0);
            let followed = Arc::new(Followed {
                seen: watch::Sender::new(0),
                recent: tokio::sync::Mutex::default(),
            });
            map.insert(user_id, Arc::downgrade(&followed));
            followed
        });
        Follower {
            user_id,
            seen: followed.seen.subscribe(),
            followed,
        }
    }

    /// Passes one hint on.
    pub fn wake(&self, user_id: Uuid, seq: i64) {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(followed) = map.get(&user_id).and_then(Weak::upgrade) {
            followed.seen.send_if_modified(|latest| {
                let newer = seq > *latest;
                if newer {
                    *latest = seq;
                }
                newer
            });
        }
    }

    /// Looks at the numbers of everybody who is followed: what a lost hint costs is one round of this.
    pub async fn catch_up(&self, db: &Database) -> Result<()> {
        for users in self.everybody().chunks(500) {
            let rows = feed::Entity::find()
                .filter(feed::Column::UserId.is_in(users.iter().copied()))
                .all(db.read())
                .await?;
            for row in rows {
                self.wake(row.user_id, row.seq);
            }
        }
        Ok(())
    }

    fn everybody(&self) -> Vec<Uuid> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let live = map
            .iter()
            .filter(|(_, followed)| followed.strong_count() > 0);
        live.map(|(user_id, _)| *user_id).collect()
    }
}
