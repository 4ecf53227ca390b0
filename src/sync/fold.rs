//! The pages of one round folded into what is true at its end. Within a round the same transaction
//! may be added, changed and removed on several pages: the last word counts, and on one page
//! removals come last.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use crate::providers::{Account, Page, Readiness, Transaction};

/// What a round of pages says in the end.
#[derive(Debug)]
pub(super) struct Round {
    slots: Vec<Option<Transaction>>,
    index: HashMap<String, usize>,
    removed: HashSet<String>,
    /// The rows of the numbered listing that is being read.
    listed: HashSet<String>,
    listing: Option<u8>,
    /// The pending transactions that are there since a day, if a listing has named them.
    pending: Option<(NaiveDate, HashSet<String>)>,
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

/// How much of an item's history a round from nothing tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// All since the day of the oldest transaction in it.
    Since(NaiveDate),
    /// All there is: there is none.
    Everything,
}

impl Round {
    pub(super) fn new(complete: bool) -> Self {
        Self {
            slots: Vec::new(),
            index: HashMap::new(),
            removed: HashSet::new(),
            listed: HashSet::new(),
            listing: None,
            pending: None,
            pages: 0,
            rejected: 0,
            cursor: None,
            readiness: Readiness::NotReady,
            complete,
        }
    }

    /// Takes in the next page; whether it fits to those before it. A row that a numbered listing names
    /// twice has moved from one page to the next, and another may have moved past us.
    pub(super) fn add(&mut self, page: Page) -> bool {
        let fits = self.fits(&page);
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
        fits
    }

    fn fits(&mut self, page: &Page) -> bool {
        if self.listing != page.listing {
            self.listing = page.listing;
            self.listed.clear();
        }
        let ids = page.upserts.iter().map(|row| &row.provider_transaction_id);
        if let Some(since) = page.pending_since {
            let (_, pending) = self.pending.get_or_insert_with(|| (since, HashSet::new()));
            pending.extend(ids.clone().cloned());
        }
        if page.listing.is_none() {
            return true;
        }
        let before = self.listed.len();
        self.listed.extend(ids.cloned());
        self.listed.len() == before + page.upserts.len()
    }

    /// Since when the round names every pending transaction, and their ids: those it does not name are
    /// gone. A row that was left out may have been one of them.
    pub(super) fn take_pending(&mut self) -> Option<(NaiveDate, HashSet<String>)> {
        self.pending.take().filter(|_| self.rejected == 0)
    }

    /// Amounts whose currency the provider does not name are in that of their account.
    pub(super) fn name_currencies(&mut self, accounts: &[Account]) {
        let of: HashMap<&str, &str> = accounts
            .iter()
            .filter_map(|account| {
                let currency = account.currency.as_deref()?;
                Some((account.provider_account_id.as_str(), currency))
            })
            .collect();
        for transaction in self.slots.iter_mut().flatten() {
            let currency = of.get(transaction.provider_account_id.as_str());
            if transaction.currency.is_none() {
                transaction.currency = currency.map(|currency| (*currency).to_owned());
            }
        }
    }

    /// How many transactions the round brings.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// How much of an item's history the round tells of, if it says what is not there any more.
    pub(super) fn told(&self) -> Option<Told> {
        // A row that was left out is there all the same, and nobody knows which it is.
        if !self.complete || self.rejected > 0 {
            return None;
        }
        let days = self.slots.iter().flatten().map(|told| told.date);
        match days.min() {
            // Providers forget what is years old, and we do not.
            Some(oldest) => Some(Told::Since(oldest)),
            // Nothing while it is still collecting means nothing.
            None => (self.readiness == Readiness::Complete).then_some(Told::Everything),
        }
    }

    /// Where the next sync begins, after one that began at `before`. A reading from nothing that is not
    /// the first replaces an older one, and counts only when it is complete: until then the next begins
    /// from nothing too, or what is gone would never be missed.
    pub(super) fn next_cursor(&self, before: Option<&str>, first: bool) -> Option<String> {
        let next = self.cursor.clone();
        if !self.complete {
            return next.or_else(|| before.map(str::to_owned));
        }
        next.filter(|_| first || self.readiness == Readiness::Complete)
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
            listing: None,
            pending_since: None,
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
    fn only_a_whole_reading_tells_what_is_gone() {
        let told = |complete, pages: Vec<Page>| {
            let mut round = Round::new(complete);
            for page in pages {
                round.add(page);
            }
            round.told()
        };
        let early = || Page {
            readiness: Readiness::Recent,
            ..page(&[], &[])
        };
        let odd = || Page {
            rejected: 1,
            ..page(&[], &[])
        };
        assert_eq!(told(false, vec![page(&[], &[])]), None);
        assert_eq!(told(true, vec![page(&[], &[])]), Some(Told::Everything));
        assert_eq!(told(true, vec![early()]), None);
        assert_eq!(told(true, vec![odd()]), None);
        let day = transaction("a", None, 1).date;
        let some = page(&[("a", 1)], &[]);
        assert_eq!(told(true, vec![some, early()]), Some(Told::Since(day)));
    }

    #[test]
    fn a_reading_from_nothing_is_repeated_until_it_is_complete() {
        let next = |complete, readiness, cursor: Option<&str>, first| {
            let mut round = Round::new(complete);
            round.add(Page {
                readiness,
                next_cursor: cursor.map(str::to_owned),
                ..page(&[], &[])
            });
            round.next_cursor(Some("before"), first)
        };
        let (next_one, before) = (Some("next".to_owned()), Some("before".to_owned()));
        for readiness in [Readiness::Recent, Readiness::Complete] {
            assert_eq!(next(false, readiness, Some("next"), false), next_one);
            assert_eq!(next(true, readiness, Some("next"), true), next_one);
        }
        assert_eq!(
            next(true, Readiness::Complete, Some("next"), false),
            next_one
        );
        assert_eq!(next(true, Readiness::Recent, Some("next"), false), None);
        assert_eq!(next(false, Readiness::NotReady, None, false), before);
        assert_eq!(next(true, Readiness::NotReady, None, false), None);
    }

    #[test]
    fn a_row_that_a_numbered_listing_names_twice_has_moved() {
        let listed = |number, ids: &[(&str, i64)]| Page {
            listing: Some(number),
            ..page(ids, &[])
        };
        let mut round = Round::new(true);
        assert!(round.add(listed(0, &[("a", 1), ("b", 1)])));
        // Another listing may name what the first has named.
        assert!(round.add(listed(1, &[("a", 1)])));
        assert!(!round.add(listed(1, &[("a", 1)])));
        // Pages without numbers name things as often as they like.
        assert!(round.add(page(&[("a", 1)], &[])));
        assert!(round.add(page(&[("a", 1)], &[])));
    }

    #[test]
    fn pending_ones_are_told_only_by_a_whole_listing_of_them() {
        let day = transaction("a", None, 1).date;
        let recent = |rejected| Page {
            listing: Some(1),
            pending_since: Some(day),
            rejected,
            ..page(&[("a", 1)], &[])
        };
        let mut round = Round::new(false);
        assert_eq!(round.take_pending(), None);
        round.add(recent(0));
        assert_eq!(round.take_pending(), Some((day, ["a".to_owned()].into())));
        round.add(recent(1));
        assert_eq!(round.take_pending(), None);
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
