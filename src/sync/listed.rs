//! The pages of a listing that have numbers: whether they fit together. What is added or removed between
//! two of them moves rows from one to the next, and some may move past whoever reads.

use std::collections::HashSet;

use crate::providers::{Listing, Page};

/// What a listing has named so far.
#[derive(Debug, Default)]
pub(super) struct Listed {
    listing: Option<Listing>,
    ids: HashSet<String>,
    /// Rows that were left out of which nobody knows which they are.
    nameless: u64,
    /// Rows as they were sent.
    rows: u64,
}

impl Listed {
    /// Whether it is this listing.
    pub(super) fn is(&self, listing: Listing) -> bool {
        self.listing
            .is_some_and(|known| known.number == listing.number)
    }

    /// Takes in its next page. A row that comes twice on one page is one: only a row that an earlier page
    /// had has moved.
    pub(super) fn add(&mut self, listing: Listing, page: &Page) -> Result<(), &'static str> {
        let read = page.upserts.iter().map(|row| &row.provider_transaction_id);
        let named = || read.clone().chain(&page.unreadable);
        if named().any(|id| self.ids.contains(id)) {
            return Err("a row is on two pages, so rows have moved between pages");
        }
        self.ids.extend(named().cloned());
        let left_out = page.unreadable.len() as u64;
        self.nameless += u64::from(page.rejected).saturating_sub(left_out);
        self.rows += listing.rows;
        self.listing = Some(listing);
        Ok(())
    }

    /// Whether it has as many rows as it says. One that comes twice may be counted twice or once.
    pub(super) fn is_whole(&self) -> Result<(), &'static str> {
        let said = self.listing.map_or(0, |listing| listing.entries);
        let distinct = self.ids.len() as u64 + self.nameless;
        if (distinct..=self.rows).contains(&said) {
            return Ok(());
        }
        Err("a listing does not have as many rows as it says")
    }
}
