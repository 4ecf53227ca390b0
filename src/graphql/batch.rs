//! Keys asked for one by one are loaded together. A request runs as one task that goes as far as it
//! can and then waits; the moment it waits, every list has asked for all it needs, and the loads
//! begin. Refused: async-graphql's own `DataLoader`, which begins a millisecond after the first key.
//! A list of fifty is not always through by then, so one load became several, and every level of
//! every request paid the millisecond.

use std::{
    collections::HashMap,
    future::poll_fn,
    hash::Hash,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use async_graphql::dataloader::Loader;
use futures_util::{
    StreamExt,
    future::{BoxFuture, FutureExt},
    stream::FuturesUnordered,
};
use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// Loads that wait for their request to wait.
#[derive(Clone, Default)]
pub struct Queue(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Queue {
    /// Runs a request, and its loads whenever it waits.
    pub async fn drive<T>(self, request: impl Future<Output = T>) -> T {
        let mut request = pin!(request);
        let mut loads = FuturesUnordered::new();
        poll_fn(move |cx| {
            let watch = Arc::new(Watch {
                outer: cx.waker().clone(),
                woken: AtomicBool::new(false),
            });
            let waker = Waker::from(watch.clone());
            if let Poll::Ready(done) = request.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Poll::Ready(done);
            }
            // Woken while it ran means that it only made room for others: it has more to ask.
            if !watch.woken.load(Ordering::Acquire) {
                loads.extend(self.take());
                while let Poll::Ready(Some(())) = loads.poll_next_unpin(cx) {}
            }
            Poll::Pending
        })
        .await
    }

    fn push(&self, load: BoxFuture<'static, ()>) {
        let mut loads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loads.push(load);
    }

    fn take(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sees whether a task wakes itself.
struct Watch {
    outer: Waker,
    woken: AtomicBool,
}

impl Wake for Watch {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.outer.wake_by_ref();
    }
}

/// Who waits for which key.
type Waiting<K, V> = HashMap<K, Vec<oneshot::Sender<Result<Option<V>>>>>;

/// A loader whose keys are collected.
pub struct Batch<K: Send + Sync + Hash + Eq + Clone + 'static, L: Loader<K>> {
    loader: Arc<L>,
    waiting: Arc<Mutex<Waiting<K, L::Value>>>,
    queue: Option<Queue>,
}

impl<K, L> std::fmt::Debug for Batch<K, L>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    L: Loader<K>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").finish_non_exhaustive()
    }
}

impl<K, L> Batch<K, L>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    L: Loader<K, Error = Error>,
{
    /// Collects the keys of what `queue` drives; without one, every key is loaded by itself.
    pub fn new(loader: L, queue: Option<&Queue>) -> Self {
        Self {
            loader: Arc::new(loader),
            waiting: Arc::default(),
            queue: queue.cloned(),
        }
    }

    /// What a key stands for.
    pub async fn load_one(&self, key: K) -> Result<Option<L::Value>> {
        let Some(queue) = &self.queue else {
            return Ok(self
                .loader
                .load(std::slice::from_ref(&key))
                .await?
                .remove(&key));
        };
        let (tell, told) = oneshot::channel();
        let first = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let first = waiting.is_empty();
            waiting.entry(key).or_default().push(tell);
            first
        };
        if first {
            queue.push(load(self.loader.clone(), self.waiting.clone()).boxed());
        }
        told.await.map_err(Error::internal)?
    }
}

async fn load<K, L>(loader: Arc<L>, waiting: Arc<Mutex<Waiting<K, L::Value>>>)
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    L: Loader<K, Error = Error>,
{
    let waiting = std::mem::take(&mut *waiting.lock().unwrap_or_else(PoisonError::into_inner));
    let keys: Vec<K> = waiting.keys().cloned().collect();
    let found = loader.load(&keys).await;
    for (key, waiters) in waiting {
        let value = found.as_ref().map(|found| found.get(&key).cloned());
        for tell in waiters {
            // Nobody waits any more where a neighbour's error has ended the request.
            let _ = tell.send(value.clone().map_err(Clone::clone));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[derive(Clone, Default)]
    struct Doubles(Arc<Mutex<Vec<usize>>>);

    impl Loader<u64> for Doubles {
        type Value = u64;
        type Error = Error;

        async fn load(&self, keys: &[u64]) -> Result<HashMap<u64, u64>> {
            self.0.lock().unwrap().push(keys.len());
            tokio::task::yield_now().await;
            Ok(keys
                .iter()
                .filter(|key| **key != 7)
                .map(|key| (*key, key * 2))
                .collect())
        }
    }

    #[tokio::test]
    async fn a_level_is_one_load_however_often_it_makes_room_for_others() {
        let doubles = Doubles::default();
        let queue = Queue::default();
        let batch = Batch::new(doubles.clone(), Some(&queue));
        let ask = async |key: u64| {
            for _ in 0..key {
                // What a future does that lets others go first.
                let mut polled = false;
                poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    if std::mem::replace(&mut polled, true) {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                })
                .await;
            }
            let once = batch.load_one(key % 50).await.unwrap();
            batch.load_one(once.unwrap_or(1000)).await.unwrap()
        };
        let answers = queue.drive(join_all((0..100).map(ask))).await;
        assert_eq!(*doubles.0.lock().unwrap(), [50, 50]);
        assert_eq!(
            (answers[3], answers[7], answers[57]),
            (Some(12), Some(2000), Some(2000))
        );
    }
}
