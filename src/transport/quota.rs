//! How much of something each may hold at once.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt::Debug,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts what each holds.
#[derive(Debug)]
pub struct Quota<K>(Arc<Mutex<HashMap<K, usize>>>);

impl<K> Clone for Quota<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> Default for Quota<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Copy + Eq + Hash> Quota<K> {
    /// One more for somebody, unless she holds the most already.
    pub fn take(&self, holder: K, most: usize) -> Option<Share<K>> {
        let mut held = self.held();
        let count = held.entry(holder).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        let quota = self.clone();
        Some(Share { quota, holder })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of what somebody holds, given back when it is dropped.
#[derive(Debug)]
pub struct Share<K: Copy + Eq + Hash> {
    quota: Quota<K>,
    holder: K,
}

impl<K: Copy + Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.quota.held().entry(self.holder) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_can_be_taken_again_and_leaves_nothing_behind() {
        let quota = Quota::default();
        let first = quota.take('a', 2).unwrap();
        let second = quota.take('a', 2).unwrap();
        assert!(quota.take('a', 2).is_none());
        assert!(quota.take('b', 2).is_some());
        drop(first);
        let third = quota.take('a', 2).unwrap();
        drop((second, third));
        assert!(quota.held().is_empty());
    }
}
