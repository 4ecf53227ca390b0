//! The newest rate of each pair, for those who follow it. Rates belong to nobody, so no feed carries
//! them: a hint names the pair and the number of its newest rate, and the rate is read from its row.
//! Those who follow one pair in one process share the reading; what a lost hint costs is one round of
//! looking, never a rate.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use entity::exchange_rate::{self, Column, Entity, Model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Select};
use tokio::sync::watch;

use crate::{database::Database, error::Result, money::Pair};

/// All rates of a pair.
pub fn of_pair(pair: &Pair) -> Select<Entity> {
    exchange_rate::Entity::find()
        .filter(Column::Base.eq(pair.base.as_str()))
        .filter(Column::Quote.eq(pair.quote.as_str()))
}

/// The newest rate of a pair.
pub async fn latest(db: &impl ConnectionTrait, pair: &Pair) -> Result<Option<Model>> {
    let rates = of_pair(pair).order_by_desc(Column::ProviderTime);
    Ok(rates.one(db).await?)
}

/// Tells followers in this process which number each pair has reached, and reads its rate for them.
#[derive(Clone, Debug, Default)]
pub struct Tickers(Arc<Mutex<HashMap<Pair, Weak<Followed>>>>);

/// A pair as this process follows it.
#[derive(Debug)]
struct Followed {
    seen: watch::Sender<i64>,
    newest: tokio::sync::Mutex<Option<Model>>,
}

/// One follower's view of a pair.
#[derive(Debug)]
pub struct Ticker {
    pair: Pair,
    seen: watch::Receiver<i64>,
    followed: Arc<Followed>,
    /// The number of the rate that was told last.
    told: i64,
}

impl Tickers {
    /// Starts following a pair. Its newest rate is the first that [`Ticker::next`] tells.
    pub fn follow(&self, pair: Pair) -> Ticker {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let live = map.get(&pair).and_then(Weak::upgrade);
        let followed = live.unwrap_or_else(|| {
            map.retain(|_, followed| followed.strong_count() > 0);
            let followed = Arc::new(Followed {
                seen: watch::Sender::new(0),
                newest: tokio::sync::Mutex::default(),
            });
            map.insert(pair.clone(), Arc::downgrade(&followed));
            followed
        });
        Ticker {
            pair,
            seen: followed.seen.subscribe(),
            followed,
            told: 0,
        }
    }

    /// Passes one hint on.
    pub fn wake(&self, pair: &Pair, seq: i64) {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(followed) = map.get(pair).and_then(Weak::upgrade) {
            followed.seen.send_if_modified(|latest| {
                let newer = seq > *latest;
                *latest = seq.max(*latest);
                newer
            });
        }
    }

    /// Looks at every pair that is followed.
    pub async fn catch_up(&self, db: &Database) -> Result<()> {
        for pair in self.pairs() {
            if let Some(rate) = latest(db.read(), &pair).await? {
                self.wake(&pair, rate.seq);
            }
        }
        Ok(())
    }

    fn pairs(&self) -> Vec<Pair> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let live = map
            .iter()
            .filter(|(_, followed)| followed.strong_count() > 0);
        live.map(|(pair, _)| pair.clone()).collect()
    }
}

impl Ticker {
    /// Waits for a rate that was not told yet: at first the newest there is. Rates that came and went
    /// meanwhile are left out.
    pub async fn next(&mut self, db: &Database) -> Result<Model> {
        // What there is may be newer than what this process has heard of.
        let mut first = self.told == 0;
        loop {
            if !std::mem::take(&mut first) {
                // The sender lives as long as this follower, so the wait can only end well.
                let _ = self.seen.wait_for(|&seen| seen > self.told).await;
            }
            let heard = *self.seen.borrow();
            let rate = if self.told == 0 {
                latest(db.read(), &self.pair).await?
            } else {
                self.shared(db).await?
            };
            let rate = rate.filter(|rate| rate.seq > self.told);
            // A number without its rate, as after a restored backup, must not be waited for again.
            self.told = rate.as_ref().map_or(heard, |rate| rate.seq).max(self.told);
            if let Some(rate) = rate {
                return Ok(rate);
            }
        }
    }

    /// The newest rate, as somebody who follows the same pair may just have read it.
    async fn shared(&self, db: &Database) -> Result<Option<Model>> {
        let mut newest = self.followed.newest.lock().await;
        let seen = *self.seen.borrow();
        if newest.as_ref().is_none_or(|rate| rate.seq < seen) {
            *newest = latest(db.read(), &self.pair).await?;
        }
        Ok(newest.clone())
    }
}
