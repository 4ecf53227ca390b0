//! The pages of one round folded into what is true at its end. Within a round the same transaction
//! may be added, changed and removed on several pages: the last word counts, and on one page
//! removals come last.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::listed::Listed;
use crate::providers::{Account, Page, Readiness, Transaction};

/// What a round of pages says in the end.
#[derive(Debug)]
pub(super) struct Round {
    slots: Vec<Option<Transaction>>,
    index: HashMap<String, usize>,
    removed: HashSet<String>,
    /// Rows that were left out and are there all the same.
    unreadable: HashSet<String>,
    /// Rows that were left out of which nobody knows which they are.
    nameless: usize,
    /// The numbered listing that is being read.
    listed: Option<Listed>,
    /// The pending transactions that are there since a day, if a listing has named them.
    pending: Option<(NaiveDate, HashSet<String>)>,
    /// Pages fetched.
    pub(super) pages: i32,
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
            unreadable: HashSet::new(),
            nameless: 0,
            listed: None,
            pending: None,
            pages: 0,
            cursor: None,
            readiness: Readiness::NotReady,
            complete,
        }
    }

    /// Takes in the next page.
    ///
    /// # Errors
    /// Why it does not fit to those before it.
    pub(super) fn add(&mut self, page: Page) -> Result<(), &'static str> {
        self.list(&page)?;
        self.pages += 1;
        self.nameless += (page.rejected as usize).saturating_sub(page.unreadable.len());
        self.unreadable.extend(page.unreadable);
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
        Ok(())
    }

    fn list(&mut self, page: &Page) -> Result<(), &'static str> {
        let Some(listing) = page.listing else {
            return Ok(());
        };
        let ids = page.upserts.iter().map(|row| &row.provider_transaction_id);
        let ids = ids.chain(&page.unreadable);
        if let Some(since) = listing.pending_since {
            let (_, pending) = self.pending.get_or_insert_with(|| (since, HashSet::new()));
            pending.extend(ids.cloned());
        }
        let next = match self.listed.take() {
            Some(listed) if listed.is(listing) => listed,
            Some(ended) => {
                ended.is_whole()?;
                Listed::default()
            }
            None => Listed::default(),
        };
        let listed = self.listed.insert(next);
        listed.add(listing, page)?;
        if page.has_more {
            return Ok(());
        }
        listed.is_whole()
    }

    /// Since when the round names every pending transaction, and their ids: those it does not name are
    /// gone. A row that nobody knows may have been one of them; and a listing of nothing may be a fault
    /// of the provider's, so that the next whole reading has to say it.
    pub(super) fn take_pending(&mut self) -> Option<(NaiveDate, HashSet<String>)> {
        let told = self.pending.take().filter(|_| self.nameless == 0);
        told.filter(|(_, named)| !named.is_empty())
    }

    /// The ids of rows that are there and could not be read.
    pub(super) fn take_unreadable(&mut self) -> HashSet<String> {
        std::mem::take(&mut self.unreadable)
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
    /// `before` is where the last one ended.
    pub(super) fn told(&self, before: Option<&str>) -> Option<Told> {
        // A row that was left out is there all the same, and nobody knows which it is.
        if !self.complete || self.nameless > 0 {
            return None;
        }
        let days = self.slots.iter().flatten().map(|told| told.date);
        match days.min() {
            // Providers forget what is years old, and we do not.
            Some(oldest) => Some(Told::Since(oldest)),
            // Nothing while it is still collecting means nothing.
            None if self.readiness != Readiness::Complete || !self.unreadable.is_empty() => None,
            None => (!self.is_doubtful(before)).then_some(Told::Everything),
        }
    }

    /// Whether a listing names nothing at all for the first time. It tells of what is gone only by not
    /// naming it, so one answer that is wrongly empty would end a whole history; that is believed when
    /// the next reading, from nothing again, finds the same.
    fn is_doubtful(&self, before: Option<&str>) -> bool {
        let nothing = self.slots.iter().flatten().next().is_none() && self.unreadable.is_empty();
        self.complete && self.listed.is_some() && nothing && before.is_some()
    }

    /// Where the next sync begins, after one that began at `before`. A reading from nothing that is not
    /// the first replaces an older one, and counts only when it is complete: until then the next begins
    /// from nothing too, or what is gone would never be missed.
    pub(super) fn next_cursor(&self, before: Option<&str>, first: bool) -> Option<String> {
        let next = self.cursor.clone();
        if !self.complete {
            return next.or_else(|| before.map(str::to_owned));
        }
        let counts = self.readiness == Readiness::Complete && !self.is_doubtful(before);
        next.filter(|_| first || counts)
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
    use crate::providers::Listing;

    fn page(upserts: &[(&str, i64)], removed: &[&str]) -> Page {
        Page {
            upserts: upserts
                .iter()
                .map(|(id, amount)| transaction(id, None, *amount))
                .collect(),
            removed: removed.iter().map(|id| (*id).to_owned()).collect(),
            rejected: 0,
            unreadable: Vec::new(),
            next_cursor: Some("next".to_owned()),
            has_more: false,
            readiness: Readiness::Complete,
            listing: None,
        }
    }

    fn fold(pages: Vec<Page>) -> (Vec<(String, String)>, Vec<String>) {
        let mut round = Round::new(false);
        for page in pages {
            round.add(page).unwrap();
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
                round.add(page).unwrap();
            }
            round.told(Some("before"))
        };
        let early = || Page {
            readiness: Readiness::Recent,
            ..page(&[], &[])
        };
        let odd = |unreadable: &[&str]| Page {
            rejected: 1,
            unreadable: unreadable.iter().map(|&id| id.to_owned()).collect(),
            ..page(&[], &[])
        };
        assert_eq!(told(false, vec![page(&[], &[])]), None);
        assert_eq!(told(true, vec![page(&[], &[])]), Some(Told::Everything));
        assert_eq!(told(true, vec![early()]), None);
        assert_eq!(told(true, vec![odd(&[])]), None);
        assert_eq!(told(true, vec![odd(&["b"])]), None);
        let day = transaction("a", None, 1).date;
        let some = || page(&[("a", 1)], &[]);
        assert_eq!(told(true, vec![some(), early()]), Some(Told::Since(day)));
        // One that cannot be read and has a name is there, and the others are judged without it.
        assert_eq!(told(true, vec![some(), odd(&[])]), None);
        let named = told(true, vec![some(), odd(&["b"])]);
        assert_eq!(named, Some(Told::Since(day)));
    }

    #[test]
    fn a_reading_from_nothing_is_repeated_until_it_is_complete() {
        let next = |complete, readiness, cursor: Option<&str>, first| {
            let mut round = Round::new(complete);
            let told = Page {
                readiness,
                next_cursor: cursor.map(str::to_owned),
                ..page(&[], &[])
            };
            round.add(told).unwrap();
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

    fn listed(number: u8, entries: u64, has_more: bool, ids: &[(&str, i64)]) -> Page {
        let listing = Listing {
            number,
            entries,
            rows: ids.len() as u64,
            pending_since: None,
        };
        Page {
            listing: Some(listing),
            has_more,
            ..page(ids, &[])
        }
    }

    #[test]
    fn a_listing_is_as_long_as_it_says_and_no_row_is_on_two_of_its_pages() {
        let two = &[("a", 1), ("b", 1)];
        let mut round = Round::new(true);
        round.add(listed(0, 2, true, two)).unwrap();
        // Another listing may name what the first has named.
        round.add(listed(1, 2, true, &[("a", 1)])).unwrap();
        assert!(round.add(listed(1, 2, false, &[("a", 1)])).is_err());
        // What one says and does not list is missed when the next begins, or at the end.
        let mut round = Round::new(true);
        round.add(listed(0, 3, true, two)).unwrap();
        assert!(round.add(listed(1, 1, false, &[("a", 1)])).is_err());
        assert!(Round::new(true).add(listed(0, 3, false, two)).is_err());
        // Pages without numbers name things as often as they like.
        let mut round = Round::new(true);
        round.add(page(&[("a", 1)], &[])).unwrap();
        round.add(page(&[("a", 1)], &[])).unwrap();
    }

    #[test]
    fn a_row_twice_on_one_page_is_one_and_the_last_word_counts() {
        let mut round = Round::new(true);
        let twice = listed(0, 1, false, &[("a", 1), ("a", 2)]);
        round.add(twice).unwrap();
        let (live, _) = round.finish();
        assert_eq!((live.len(), live[0].amount), (1, 2.into()));
    }

    #[test]
    fn a_listing_of_nothing_is_believed_when_it_is_seen_again() {
        let mut round = Round::new(true);
        round.add(listed(0, 0, false, &[])).unwrap();
        let before = Some("before");
        assert_eq!(round.told(before), None);
        assert_eq!(round.next_cursor(before, false), None);
        assert_eq!(round.told(None), Some(Told::Everything));
        assert_eq!(round.next_cursor(None, true).as_deref(), Some("next"));
    }

    #[test]
    fn pending_ones_are_told_only_by_a_whole_listing_of_them() {
        let day = transaction("a", None, 1).date;
        let recent = |ids: &[(&str, i64)], rejected: u32, unreadable: &[&str]| {
            let mut page = listed(1, ids.len() as u64 + u64::from(rejected), false, ids);
            page.listing = page.listing.map(|listing| Listing {
                rows: listing.entries,
                pending_since: Some(day),
                ..listing
            });
            page.rejected = rejected;
            page.unreadable = unreadable.iter().map(|&id| id.to_owned()).collect();
            let mut round = Round::new(false);
            round.add(page).unwrap();
            round.take_pending()
        };
        assert_eq!(Round::new(false).take_pending(), None);
        let named = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
        let one = &[("a", 1)];
        assert_eq!(recent(one, 0, &[]), Some((day, named(&["a"]))));
        assert_eq!(recent(one, 1, &["b"]), Some((day, named(&["a", "b"]))));
        assert_eq!(recent(one, 1, &[]), None);
        assert_eq!(recent(&[], 0, &[]), None);
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
