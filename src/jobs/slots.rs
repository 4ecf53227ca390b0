//! The jobs that run in this process, and whom its free slots may go to: jobs of one concurrency key
//! hold at most half of them, so that a bank that takes its time leaves the others theirs. Every
//! process keeps to it by itself, and so do all of them together.

use std::collections::HashMap;

use entity::job;
use tokio::task::{Id, JoinSet};

use super::Claim;

/// The slots of this process.
#[derive(Debug)]
pub(super) struct Slots {
    most: usize,
    tasks: JoinSet<()>,
    running: HashMap<Id, Claim>,
}

/// What may be claimed next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// So many jobs, whichever they are.
    pub(super) limit: usize,
    /// None of these keys, which have their share.
    pub(super) crowded: Vec<String>,
}

impl Room {
    /// Whether a claim that brought so many left nothing that is due. Where a key is passed over, a
    /// claim takes one job of each of the others.
    pub(super) fn is_all(&self, claimed: usize) -> bool {
        claimed == 0 || (self.crowded.is_empty() && claimed < self.limit)
    }
}

impl Slots {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            tasks: JoinSet::new(),
            running: HashMap::new(),
        }
    }

    /// Starts an attempt.
    pub(super) fn run(&mut self, claim: Claim, attempt: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(attempt);
        self.running.insert(task.id(), claim);
    }

    /// Waits until an attempt has ended; none if none runs.
    pub(super) async fn ended(&mut self) -> Option<()> {
        let id = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        self.running.remove(&id);
        Some(())
    }

    /// Whether a job is being worked on here, under the claim that its row shows.
    pub(super) fn hold(&self, row: &job::Model) -> bool {
        let mut running = self.running.values();
        running.any(|claim| claim.job_id == row.id && claim.fence == row.fence)
    }

    /// Whom the free slots may go to; nothing if none is free.
    pub(super) fn room(&self) -> Option<Room> {
        let free = self.most.saturating_sub(self.tasks.len());
        let share = (self.most / 2).max(1);
        let mut held: HashMap<&str, usize> = HashMap::new();
        let keys = self.running.values().map(|claim| &*claim.concurrency_key);
        for key in keys.filter(|key| !key.is_empty()) {
            *held.entry(key).or_default() += 1;
        }
        let (crowded, others): (Vec<_>, Vec<_>) = held.iter().partition(|(_, n)| **n >= share);
        // Nobody counts while a statement claims, so it takes no more than any key has left.
        let most = others.iter().map(|(_, n)| **n).max().unwrap_or_default();
        (free > 0).then(|| Room {
            limit: free.min(share - most),
            crowded: crowded.iter().map(|(key, _)| (**key).to_owned()).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use uuid::Uuid;

    use super::*;

    fn claim(key: &str) -> Claim {
        Claim {
            job_id: Uuid::now_v7(),
            fence: 1,
            since: 0,
            concurrency_key: key.to_owned(),
            attempt: 1,
            max_attempts: 3,
        }
    }

    fn room(most: usize, running: &[&str]) -> Option<(usize, Vec<String>)> {
        let mut slots = Slots::new(most);
        for key in running {
            slots.run(claim(key), pending());
        }
        let room = slots.room()?;
        Some((room.limit, room.crowded))
    }

    #[tokio::test]
    async fn no_key_gets_more_than_half() {
        let crowded = |limit, key: &str| Some((limit, vec![key.to_owned()]));
        assert_eq!(room(4, &[]), Some((2, vec![])));
        assert_eq!(room(4, &["a"]), Some((1, vec![])));
        assert_eq!(room(4, &["a", "b"]), Some((1, vec![])));
        assert_eq!(room(4, &["a", "a"]), crowded(2, "a"));
        assert_eq!(room(4, &["a", "a", "b"]), crowded(1, "a"));
        assert_eq!(room(4, &["", "", ""]), Some((1, vec![])));
        assert_eq!(room(4, &["a", "a", "b", "b"]), None);
        assert_eq!(room(3, &["a"]), crowded(1, "a"));
        assert_eq!(room(1, &[]), Some((1, vec![])));
        assert_eq!(room(0, &[]), None);
    }
}
