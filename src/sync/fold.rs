//! The pages of one round folded into what is true at its end. Within a round the same transaction
//! may be added, changed and removed on several pages: the last word counts, and on one page
//! removals come last.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use crate::providers::{Page, Readiness, Transaction};

/// What a round of pages says in the end.
#[derive(Debug)]
pub(super) struct Round {
    slots: Vec<Option<Transaction>>,
    index: HashMap<String, usize>,
    removed: HashSet<String>,
    /// Pages fetched.
    pub(super) pages: i32,
    /// Rows that could not be true and were left out.
    pub(super) rejected: u32,
    /// Where the next round begins.
    pub(super) cursor: Option<String>,
    /// How far the provider is.
    pub(super) readiness: Readiness,
    /// Whether the round began from nothing, so that what it does not name is gone.
    pub(super) complete: bool,
}

impl Round {
    pub(super) fn new(complete: bool) -> Self {
        Self {
            slots: Vec::new(),
            index: HashMap::new(),
            removed: HashSet::new(),
            pages: 0,
            rejected: 0,
            cursor: None,
            readiness: Readiness::NotReady,
            complete,
        }
    }

    /// Takes in the next page.
    pub(super) fn add(&mut self, page: Page) {
        self.pages += 1;
        self.rejected += page.rejected;
        self.readiness = page.readiness;
        self.cursor = page.next_cursor;
        for transaction in page.upserts {
            let id = transaction.provider_transaction_id.clone();
            self.removed.remove(&id);
            if let Some(slot) = self.index.get(&id).and_then(|&at| self.slots.get_mut(at)) {
                *slot = Some(transaction);
            } else {
                self.index.insert(id, self.slots.len());
                self.slots.push(Some(transaction));
            }
        }
        for id in page.removed {
            if let Some(slot) = self.index.get(&id).and_then(|&at| self.slots.get_mut(at)) {
                *slot = None;
            }
            self.removed.insert(id);
        }
    }

    /// How many transactions the round brings.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// The day of the oldest transaction.
    pub(super) fn oldest(&self) -> Option<NaiveDate> {
        self.slots
            .iter()
            .flatten()
            .map(|transaction| transaction.date)
            .min()
    }

    /// Live transactions in the provider's order, and the ids of those that are gone.
    pub(super) fn finish(self) -> (Vec<Transaction>, HashSet<String>) {
        (self.slots.into_iter().flatten().collect(), self.removed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::transaction;
    use super::*;

    fn page(upserts: &[(&str, i64)], removed: &[&str]) -> Page {
        Page {
            upserts: upserts
                .iter()
                .map(|(id, amount)| transaction(id, None, *amount))
                .collect(),
            removed: removed.iter().map(|id| (*id).to_owned()).collect(),
            rejected: 0,
            next_cursor: Some("next".to_owned()),
            has_more: false,
            readiness: Readiness::Complete,
        }
    }

    fn fold(pages: Vec<Page>) -> (Vec<(String, String)>, Vec<String>) {
        let mut round = Round::new(false);
        for page in pages {
            round.add(page);
        }
        let (live, removed) = round.finish();
        let live = live
            .into_iter()
            .map(|t| (t.provider_transaction_id, t.amount.to_string()))
            .collect();
        let mut removed: Vec<String> = removed.into_iter().collect();
        removed.sort();
        (live, removed)
    }

    #[test]
    fn the_last_word_about_a_transaction_counts() {
        let (live, removed) = fold(vec![
            page(&[("a", 1), ("b", 2)], &[]),
            page(&[("a", 3)], &["b"]),
        ]);
        assert_eq!(live, [("a".to_owned(), "3".to_owned())]);
        assert_eq!(removed, ["b"]);
    }

    #[test]
    fn on_one_page_removals_come_last() {
        assert_eq!(
            fold(vec![page(&[("a", 1)], &["a"])]),
            (vec![], vec!["a".to_owned()])
        );
    }

    #[test]
    fn what_comes_back_is_not_removed() {
        let (live, removed) = fold(vec![page(&[], &["a"]), page(&[("a", 1)], &[])]);
        assert_eq!((live.len(), removed.len()), (1, 0));
    }
}
