//! The change feed: one mechanism under everything live. Every transaction that changes a person's
//! data takes the next number of that person's feed, late, under the lock of the counter's row, so
//! that numbers have no gaps and none commits behind a later one. A global sequence has both faults.
//!
//! Subscribers of one person in one process share what they follow (`followers.rs`): they are woken by
//! hints, read the feed after their own number, and catch up by themselves when a hint was lost.

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
use uuid::Uuid;

use crate::{
    database::{Hint, Txn},
    error::{Error, Result},
};

mod followers;

pub use followers::{Follower, Followers, Things};

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
