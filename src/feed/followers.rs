//! Following feeds in this process. The sockets of one person share what they follow: one reading of
//! the events, and one of each thing that an event is about.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use entity::{feed, feed_event};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use tokio::sync::watch;
use uuid::Uuid;

use super::after;
use crate::{database::Database, error::Result};

/// Things that are kept for those who ask for the same.
const THINGS: usize = 64;

/// Tells subscribers in this process how far each person's feed has come, and reads it for them:
/// the sockets of one person share one reading.
#[derive(Clone, Debug, Default)]
pub struct Followers(Arc<Mutex<HashMap<Uuid, Weak<Followed>>>>);

/// A person's feed as this process follows it.
#[derive(Debug)]
struct Followed {
    seen: watch::Sender<i64>,
    recent: tokio::sync::Mutex<Recent>,
    things: tokio::sync::Mutex<Read>,
}

/// The events read last: all of those after `from`.
#[derive(Debug, Default)]
struct Recent {
    from: i64,
    events: Vec<feed_event::Model>,
}

/// Things that events were about, all of them read when the feed had come to `seq` or further.
#[derive(Debug, Default)]
struct Read {
    seq: i64,
    things: HashMap<(TypeId, Uuid), Box<dyn Any + Send + Sync>>,
}

/// What a person's events are about, read once for all her sockets.
#[derive(Clone, Debug)]
pub struct Things(Arc<Followed>);

impl Things {
    /// A thing as it stood when the feed had come to `seq`, or later. Who asks first reads it; who asks
    /// for the same, in the same type, meanwhile or soon after, shares that.
    pub async fn share<T: Send + Sync + 'static>(
        &self,
        seq: i64,
        subject_id: Uuid,
        read: impl Future<Output = Result<Option<T>>>,
    ) -> Result<Option<Arc<T>>> {
        let key = (TypeId::of::<T>(), subject_id);
        let mut known = self.0.things.lock().await;
        if known.seq < seq || known.things.len() >= THINGS {
            known.seq = known.seq.max(seq);
            known.things.clear();
        }
        let shared = known.things.get(&key);
        if let Some(shared) = shared.and_then(|any| any.downcast_ref::<Option<Arc<T>>>()) {
            return Ok(shared.clone());
        }
        let thing = read.await?.map(Arc::new);
        known.things.insert(key, Box::new(thing.clone()));
        Ok(thing)
    }
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

    /// What the events are about.
    pub fn things(&self) -> Things {
        Things(self.followed.clone())
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
                things: tokio::sync::Mutex::default(),
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
