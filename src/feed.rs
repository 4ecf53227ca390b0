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

use chrono::{DateTime, Utc};
use entity::{
    feed,
    feed_event::{self, EventKind},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
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
pub async fn after(
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

/// Tells subscribers in this process how far each person's feed has come.
#[derive(Clone, Debug, Default)]
pub struct Followers(Arc<Mutex<HashMap<Uuid, Weak<watch::Sender<i64>>>>>);

/// One subscriber's view of a person's feed.
#[derive(Debug)]
pub struct Follower {
    seen: watch::Receiver<i64>,
    _alive: Arc<watch::Sender<i64>>,
}

impl Follower {
    /// Waits until the feed may have passed `seq`.
    pub async fn passed(&mut self, seq: i64) {
        // The sender lives as long as this follower, so the wait can only end well.
        let _ = self.seen.wait_for(|&latest| latest > seq).await;
    }
}

impl Followers {
    /// Starts following a person. Follow first and read the position after, and nothing is missed.
    pub fn follow(&self, user_id: Uuid) -> Follower {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let live = map.get(&user_id).and_then(Weak::upgrade);
        let sender = live.unwrap_or_else(|| {
            map.retain(|_, sender| sender.strong_count() > 0);
            let sender = Arc::new(watch::Sender::new(0));
            map.insert(user_id, Arc::downgrade(&sender));
            sender
        });
        Follower {
            seen: sender.subscribe(),
            _alive: sender,
        }
    }

    /// Passes one hint on.
    pub fn wake(&self, user_id: Uuid, seq: i64) {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = map.get(&user_id).and_then(Weak::upgrade) {
            sender.send_if_modified(|latest| {
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
        let followed: Vec<Uuid> = {
            let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            map.iter()
                .filter(|(_, sender)| sender.strong_count() > 0)
                .map(|(user, _)| *user)
                .collect()
        };
        for users in followed.chunks(500) {
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
}
