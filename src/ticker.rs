//! The newest rate of each pair, and each one after it, for those who follow it. Rates belong to nobody,
//! so no feed carries them: a hint names the pair and the number of its newest rate, and what came since
//! is read from its rows, in the order of their numbers. Those who follow one pair in one process share
//! the reading. A lost hint costs a round of looking, and neither that nor a slow follower a rate: only
//! one that is corrected meanwhile, or gives way as an invented one does to a real one, is not told.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use entity::exchange_rate::{self, Column, Entity, Model};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use tokio::sync::watch;

use crate::{database::Database, error::Result, money::Pair};

/// How many rates of a pair are kept in memory for those who are not told them yet.
const KEPT: usize = 100;

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

/// The rates of a pair after a number, so many at most, in order.
async fn after(db: &Database, pair: &Pair, seq: i64, limit: usize) -> Result<Vec<Model>> {
    let rates = of_pair(pair)
        .filter(Column::Seq.gt(seq))
        .order_by_asc(Column::Seq)
        .limit(u64::try_from(limit).unwrap_or(u64::MAX));
    Ok(rates.all(db.read()).await?)
}

/// Tells followers in this process which number each pair has reached, and reads its rate for them.
#[derive(Clone, Debug, Default)]
pub struct Tickers(Arc<Mutex<HashMap<Pair, Weak<Followed>>>>);

/// A pair as this process follows it.
#[derive(Debug)]
struct Followed {
    seen: watch::Sender<i64>,
    recent: tokio::sync::Mutex<Option<Recent>>,
}

/// All rates after a number, as far as they were read.
#[derive(Debug)]
struct Recent {
    from: i64,
    rates: VecDeque<Model>,
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
                recent: tokio::sync::Mutex::default(),
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
    /// Waits for a rate that was not told yet: at first the newest there is, then the one after it.
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
            // A number without its rate, as after a restored backup, must not be waited for again.
            self.told = rate.as_ref().map_or(heard, |rate| rate.seq).max(self.told);
            if let Some(rate) = rate {
                return Ok(rate);
            }
        }
    }

    /// The rate after the one that was told last, as somebody who follows the same pair may just have
    /// read it.
    async fn shared(&self, db: &Database) -> Result<Option<Model>> {
        let mut recent = self.followed.recent.lock().await;
        let recent = recent.get_or_insert_with(|| Recent {
            from: self.told,
            rates: VecDeque::new(),
        });
        if self.told < recent.from {
            // She is slower than what is kept is old.
            return Ok(after(db, &self.pair, self.told, 1).await?.pop());
        }
        let read = recent.rates.back().map_or(recent.from, |rate| rate.seq);
        if read < *self.seen.borrow() && self.told >= read {
            recent.extend(after(db, &self.pair, read, KEPT).await?);
        }
        let mut rates = recent.rates.iter();
        Ok(rates.find(|rate| rate.seq > self.told).cloned())
    }
}

impl Recent {
    fn extend(&mut self, rates: Vec<Model>) {
        self.rates.extend(rates);
        while self.rates.len() > KEPT {
            if let Some(oldest) = self.rates.pop_front() {
                self.from = oldest.seq;
            }
        }
    }
}
