//! The order in which an item's transactions came, changed and went.
//!
//! Entries are numbered: first the history's rows in the order they are handed out, then the changes since linking. A reader who has seen
//! `from` entries and reads up to `to` is told the *net* difference between the two states, each transaction once, where it was last
//! touched: a row that came and went in between is not mentioned, and a reader from nothing hears of no removals. So a replay alone
//! cannot tell what was taken away, as with Plaid.

use std::collections::HashMap;
use std::sync::Arc;

use super::op::Change;
use crate::bank::history::History;
use crate::bank::transaction::Transaction;

/// A transaction by the place it came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    History(u64),
    Later(String),
}

/// The changes of one item since linking.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    changes: Vec<Change>,
    touched: HashMap<Key, Vec<u64>>,
}

/// A row still to be made, or one that was written down.
#[derive(Clone, Debug)]
pub(crate) enum Row {
    History(u64),
    Written(Arc<Transaction>),
}

impl Row {
    pub(crate) fn make(&self, history: &History) -> Option<Transaction> {
        match self {
            Self::History(index) => history.row(*index),
            Self::Written(row) => Some((**row).clone()),
        }
    }
}

/// What to read: entries `at..to`, told as the difference from the state at `from`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) from: u64,
    pub(crate) at: u64,
    pub(crate) to: u64,
    pub(crate) count: usize,
}

/// One page of differences.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) added: Vec<Row>,
    pub(crate) modified: Vec<Row>,
    pub(crate) removed: Vec<(String, String)>,
    pub(crate) next: u64,
    pub(crate) more: bool,
}

impl Page {
    fn len(&self) -> usize {
        self.added.len() + self.modified.len() + self.removed.len()
    }
}

impl Ledger {
    pub(crate) fn len(&self) -> u64 {
        self.changes.len() as u64
    }

    pub(crate) fn append(&mut self, history: &History, changes: Vec<Change>) {
        for change in changes {
            let position = history.len() + self.len();
            let key = Self::key(history, change.transaction_id());
            self.touched.entry(key).or_default().push(position);
            self.changes.push(change);
        }
    }

    fn key(history: &History, transaction_id: &str) -> Key {
        history
            .index_of(transaction_id)
            .map_or_else(|| Key::Later(transaction_id.to_owned()), Key::History)
    }

    /// Reads a page. `wanted` tells of which accounts; `None` stands for all, and saves making rows only to ask.
    pub(crate) fn page(
        &self,
        history: &History,
        window: Window,
        wanted: Option<&dyn Fn(&str) -> bool>,
    ) -> Page {
        let mut page = Page {
            next: window.at,
            ..Page::default()
        };
        for position in window.at..window.to {
            let Some(difference) = self.difference(history, position, window, wanted) else {
                if !page.more {
                    page.next = position + 1;
                }
                continue;
            };
            if page.len() == window.count {
                page.more = true;
                break;
            }
            match difference {
                Difference::Added(row) => page.added.push(row),
                Difference::Modified(row) => page.modified.push(row),
                Difference::Removed(id, account) => page.removed.push((id, account)),
            }
            page.next = position + 1;
        }
        page
    }

    fn difference(
        &self,
        history: &History,
        position: u64,
        window: Window,
        wanted: Option<&dyn Fn(&str) -> bool>,
    ) -> Option<Difference> {
        let Some(later) = position.checked_sub(history.len()) else {
            let index = history.index_at(position);
            let touched = !self.touched.is_empty()
                && self.touched_within(&Key::History(index), position + 1, window.to);
            let unwanted = || {
                wanted.is_some_and(|wanted| {
                    history
                        .row(index)
                        .is_none_or(|row| !wanted(&row.account_id))
                })
            };
            return (!touched && !unwanted()).then_some(Difference::Added(Row::History(index)));
        };
        let change = self.changes.get(usize::try_from(later).ok()?)?;
        let key = Self::key(history, change.transaction_id());
        if self.touched_within(&key, position + 1, window.to)
            || wanted.is_some_and(|wanted| !wanted(change.account_id()))
        {
            return None;
        }
        let known = self.exists_at(history, &key, window.from);
        match change {
            Change::Put(row) if known => Some(Difference::Modified(Row::Written(row.clone()))),
            Change::Put(row) => Some(Difference::Added(Row::Written(row.clone()))),
            Change::Removed {
                transaction_id,
                account_id,
            } => known.then(|| Difference::Removed(transaction_id.clone(), account_id.clone())),
        }
    }

    fn touched_within(&self, key: &Key, from: u64, to: u64) -> bool {
        self.touched.get(key).is_some_and(|positions| {
            positions
                .iter()
                .any(|position| (from..to).contains(position))
        })
    }

    fn exists_at(&self, history: &History, key: &Key, from: u64) -> bool {
        match self.last_change(history, key, from) {
            Some(change) => matches!(change, Change::Put(_)),
            None => matches!(key, Key::History(index) if history.position_of(*index) < from),
        }
    }

    fn last_change(&self, history: &History, key: &Key, before: u64) -> Option<&Change> {
        let position = self
            .touched
            .get(key)?
            .iter()
            .rev()
            .find(|position| **position < before)?;
        self.changes
            .get(usize::try_from(position - history.len()).ok()?)
    }

    /// The transaction as it stands now, if it stands.
    pub(crate) fn current(&self, history: &History, transaction_id: &str) -> Option<Transaction> {
        self.current_at(history, &Self::key(history, transaction_id))
    }

    /// A history row as it stands now.
    pub(crate) fn current_of_index(&self, history: &History, index: u64) -> Option<Transaction> {
        self.current_at(history, &Key::History(index))
    }

    fn current_at(&self, history: &History, key: &Key) -> Option<Transaction> {
        match (self.last_change(history, key, u64::MAX), key) {
            (Some(Change::Put(row)), _) => Some((**row).clone()),
            (None, Key::History(index)) => history.row(*index),
            _ => None,
        }
    }

    /// Every row that is pending now, oldest entry first.
    pub(crate) fn pending(&self, history: &History) -> Vec<Transaction> {
        let from_history = history
            .pending_indexes()
            .filter_map(|index| self.current_of_index(history, index));
        let later = self
            .changes
            .iter()
            .zip(history.len()..)
            .filter_map(|(change, position)| {
                let key = Self::key(history, change.transaction_id());
                let latest = matches!(key, Key::Later(_))
                    && !self.touched_within(&key, position + 1, u64::MAX);
                latest.then(|| self.current_at(history, &key)).flatten()
            });
        from_history
            .chain(later)
            .filter(|row| row.pending)
            .collect()
    }
}

enum Difference {
    Added(Row),
    Modified(Row),
    Removed(String, String),
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use chrono::NaiveDate;
    use rust_decimal::Decimal;

    use super::*;

    fn row(id: &str) -> Transaction {
        Transaction::plain(
            id.into(),
            "account".into(),
            Decimal::ONE,
            NaiveDate::default(),
            Cow::Borrowed("row"),
        )
    }

    fn removed(id: &str) -> Change {
        Change::removed(&row(id))
    }

    fn read(ledger: &Ledger, history: &History, from: u64) -> (usize, usize, usize) {
        let to = history.len() + ledger.len();
        let page = ledger.page(
            history,
            Window {
                from,
                at: from,
                to,
                count: 500,
            },
            None,
        );
        assert!(!page.more && page.next == to);
        (page.added.len(), page.modified.len(), page.removed.len())
    }

    #[test]
    fn a_reader_hears_the_net_difference_and_a_newcomer_no_removals() {
        let rows = ["one", "two"].map(row).to_vec();
        let history = History::Listed {
            rows: Arc::new(rows),
            last_day: NaiveDate::default(),
        };
        let mut ledger = Ledger::default();
        ledger.append(
            &history,
            vec![
                Change::put(row("three")),
                Change::put(row("one")),
                removed("two"),
                removed("three"),
            ],
        );
        assert_eq!(read(&ledger, &history, 0), (1, 0, 0));
        assert_eq!(read(&ledger, &history, 2), (0, 1, 1));
        assert_eq!(read(&ledger, &history, 3), (0, 1, 2));
        assert!(ledger.current(&history, "three").is_none());
    }

    #[test]
    fn more_is_said_only_if_a_page_follows() {
        let history = History::Listed {
            rows: Arc::new(Vec::new()),
            last_day: NaiveDate::default(),
        };
        let mut ledger = Ledger::default();
        ledger.append(
            &history,
            vec![
                Change::put(row("one")),
                Change::put(row("two")),
                removed("two"),
            ],
        );
        let page = ledger.page(
            &history,
            Window {
                from: 0,
                at: 0,
                to: 3,
                count: 1,
            },
            None,
        );
        assert!(!page.more);
        assert_eq!((page.added.len(), page.next), (1, 3));
    }
}
