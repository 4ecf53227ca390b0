//! What a round means for the rows we have: pure, so that every order of events can be tested.
//!
//! * A transaction we know by its present id keeps its row.
//! * A posted one that names its pending one takes over that row, live or removed meanwhile: same id.
//! * The pending one has then no row of its own: news of it is dropped.
//! * A posting that the bank takes back gives the row back to the pending one, if that is named again.
//! * Where both have a row already, the pending one's stays, and the other points to it.
//! * What was removed and comes back under the same provider id gets its old id back.
//! * What is told again as we have it is left alone: it is no news, and nobody is told.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::providers::Transaction;

/// A row we have, as far as matching needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: Uuid,
    pub(super) provider_transaction_id: String,
    pub(super) provider_pending_id: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    /// Whether the round tells of it what it says already.
    pub(super) same: bool,
}

/// The rows and tombstones a round may touch, by the provider's ids.
#[derive(Debug, Default)]
pub(super) struct KnownRows {
    by_id: HashMap<String, Known>,
    /// Pending ids, each with the id of the posted transaction that took its row over.
    superseded: HashMap<String, String>,
    tombstones: HashMap<String, Uuid>,
}

impl KnownRows {
    pub(super) fn add_row(&mut self, row: Known) {
        if let Some(pending) = &row.provider_pending_id {
            let posted = row.provider_transaction_id.clone();
            self.superseded.insert(pending.clone(), posted);
        }
        self.by_id.insert(row.provider_transaction_id.clone(), row);
    }

    /// Pending ids whose posted transaction this round leaves alive.
    fn superseded_by_living(&self, removed: &HashSet<String>) -> impl Iterator<Item = String> {
        let living = self
            .superseded
            .iter()
            .filter(|(_, posted)| !removed.contains(*posted));
        living.map(|(pending, _)| pending.clone())
    }

    /// The row of a transaction: its own, or the one its posting took over and gives back.
    fn take(&mut self, provider_id: &str) -> Option<Known> {
        let own = self.by_id.remove(provider_id);
        own.or_else(|| self.by_id.remove(self.superseded.get(provider_id)?))
    }

    pub(super) fn add_tombstone(&mut self, provider_id: String, id: Uuid) {
        self.tombstones.insert(provider_id, id);
    }
}

/// A row to write.
#[derive(Debug)]
pub(super) struct Upsert {
    pub(super) id: Uuid,
    /// When we first saw it; absent for a new row.
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) transaction: Transaction,
}

/// A row to take away.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Removal {
    pub(super) id: Uuid,
    pub(super) provider_transaction_id: String,
    pub(super) replaced_by_id: Option<Uuid>,
}

/// What to do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) upserts: Vec<Upsert>,
    pub(super) removals: Vec<Removal>,
    /// Tombstones whose transaction lives again.
    pub(super) revived: Vec<Uuid>,
    pub(super) added: usize,
    pub(super) modified: usize,
}

/// Decides.
pub(super) fn plan(
    live: Vec<Transaction>,
    removed: &HashSet<String>,
    mut known: KnownRows,
) -> Plan {
    let mut plan = Plan::default();
    // Posted ones first claim the rows of their pending ones, so that the order of pages is nothing.
    let taken: HashSet<String> = live
        .iter()
        .filter(|t| t.provider_pending_id.as_ref() != Some(&t.provider_transaction_id))
        .filter_map(|transaction| transaction.provider_pending_id.clone())
        .chain(known.superseded_by_living(removed))
        .collect();
    for transaction in live {
        if !taken.contains(&transaction.provider_transaction_id) {
            plan.place(transaction, &mut known);
        }
    }
    let mut removals: Vec<&String> = removed.iter().collect();
    removals.sort();
    for provider_id in removals {
        if let Some(row) = known.by_id.remove(provider_id) {
            plan.removals.push(Removal {
                id: row.id,
                provider_transaction_id: row.provider_transaction_id,
                replaced_by_id: None,
            });
        }
    }
    plan
}

impl Plan {
    fn place(&mut self, transaction: Transaction, known: &mut KnownRows) {
        let own = known.take(&transaction.provider_transaction_id);
        let pending = transaction
            .provider_pending_id
            .as_ref()
            .and_then(|id| known.by_id.remove(id));
        let (id, created_at) = match (own, pending) {
            (Some(own), Some(pending)) => {
                self.removals.push(Removal {
                    id: own.id,
                    provider_transaction_id: own.provider_transaction_id,
                    replaced_by_id: Some(pending.id),
                });
                (pending.id, Some(pending.created_at))
            }
            (Some(row), None)
                if row.same
                    && row.provider_transaction_id == transaction.provider_transaction_id =>
            {
                return;
            }
            (Some(row), None) | (None, Some(row)) => (row.id, Some(row.created_at)),
            (None, None) => (
                self.revive(&transaction, known)
                    .unwrap_or_else(Uuid::now_v7),
                None,
            ),
        };
        if created_at.is_some() {
            self.modified += 1;
        } else {
            self.added += 1;
        }
        self.upserts.push(Upsert {
            id,
            created_at,
            transaction,
        });
    }

    fn revive(&mut self, transaction: &Transaction, known: &mut KnownRows) -> Option<Uuid> {
        let pending = transaction.provider_pending_id.as_ref();
        let id = pending
            .and_then(|id| known.tombstones.remove(id))
            .or_else(|| {
                known
                    .tombstones
                    .remove(&transaction.provider_transaction_id)
            })?;
        self.revived.push(id);
        Some(id)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::NaiveDate;

    use super::*;

    pub(in crate::sync) fn transaction(
        id: &str,
        pending_of: Option<&str>,
        amount: i64,
    ) -> Transaction {
        Transaction {
            provider_transaction_id: id.to_owned(),
            provider_pending_id: pending_of.map(str::to_owned),
            provider_account_id: "account".to_owned(),
            amount: amount.into(),
            currency: Some("USD".to_owned()),
            date: NaiveDate::from_ymd_opt(2026, 1, 31).unwrap(),
            authorized_date: None,
            datetime: None,
            name: id.to_owned(),
            merchant_name: None,
            category_primary: None,
            category_detailed: None,
            pending: false,
            payment_channel: None,
            location: None,
            counterparties: None,
        }
    }

    fn row(id: u128, provider_id: &str, pending_id: Option<&str>) -> Known {
        Known {
            id: Uuid::from_u128(id),
            provider_transaction_id: provider_id.to_owned(),
            provider_pending_id: pending_id.map(str::to_owned),
            created_at: DateTime::UNIX_EPOCH,
            same: false,
        }
    }

    fn same(id: u128, provider_id: &str, pending_id: Option<&str>) -> Known {
        Known {
            same: true,
            ..row(id, provider_id, pending_id)
        }
    }

    fn known(rows: &[Known]) -> KnownRows {
        let mut known = KnownRows::default();
        rows.iter().cloned().for_each(|row| known.add_row(row));
        known
    }

    fn ids(plan: &Plan) -> Vec<(u128, &str)> {
        let id = |upsert: &Upsert| upsert.id.as_u128();
        plan.upserts
            .iter()
            .map(|u| (id(u), u.transaction.provider_transaction_id.as_str()))
            .collect()
    }

    fn set(ids: &[&str]) -> HashSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_posted_transaction_takes_over_the_row_of_its_pending_one() {
        let plan = plan(
            vec![transaction("posted", Some("pending"), 2)],
            &set(&["pending"]),
            known(&[row(1, "pending", None)]),
        );
        assert_eq!(ids(&plan), [(1, "posted")]);
        assert!(plan.removals.is_empty());
        assert_eq!((plan.added, plan.modified), (0, 1));
    }

    #[test]
    fn it_does_so_whatever_comes_first() {
        // The posted one came in an earlier sync; now the pending one is changed, then removed.
        let rows = [row(1, "posted", Some("pending"))];
        let late = plan(
            vec![transaction("pending", None, 1)],
            &set(&[]),
            known(&rows),
        );
        assert!(late.upserts.is_empty() && late.removals.is_empty());
        let gone = plan(vec![], &set(&["pending"]), known(&rows));
        assert!(gone.upserts.is_empty() && gone.removals.is_empty());
        // Both are in one round, the pending one still alive.
        let both = vec![
            transaction("pending", None, 1),
            transaction("posted", Some("pending"), 2),
        ];
        assert_eq!(ids(&plan_new(both)), [(1, "posted")]);
    }

    fn plan_new(live: Vec<Transaction>) -> Plan {
        let mut made = plan(live, &set(&[]), KnownRows::default());
        for (n, upsert) in made.upserts.iter_mut().enumerate() {
            upsert.id = Uuid::from_u128(n as u128 + 1);
        }
        made
    }

    #[test]
    fn a_pending_one_removed_days_before_lends_its_id_all_the_same() {
        let mut rows = KnownRows::default();
        rows.add_tombstone("pending".to_owned(), Uuid::from_u128(7));
        let plan = plan(
            vec![transaction("posted", Some("pending"), 2)],
            &set(&[]),
            rows,
        );
        assert_eq!(ids(&plan), [(7, "posted")]);
        assert_eq!(plan.revived, [Uuid::from_u128(7)]);
        assert_eq!((plan.added, plan.modified), (1, 0));
    }

    #[test]
    fn a_posting_that_is_taken_back_gives_the_row_back() {
        let plan = plan(
            vec![transaction("pending", None, 1)],
            &set(&["posted"]),
            known(&[row(1, "posted", Some("pending"))]),
        );
        assert_eq!(ids(&plan), [(1, "pending")]);
        assert!(plan.removals.is_empty());
    }

    #[test]
    fn where_both_have_a_row_the_pending_ones_stays() {
        let rows = known(&[row(1, "pending", None), row(2, "posted", None)]);
        let plan = plan(
            vec![transaction("posted", Some("pending"), 2)],
            &set(&[]),
            rows,
        );
        assert_eq!(ids(&plan), [(1, "posted")]);
        let gone = Removal {
            id: Uuid::from_u128(2),
            provider_transaction_id: "posted".to_owned(),
            replaced_by_id: Some(Uuid::from_u128(1)),
        };
        assert_eq!(plan.removals, [gone]);
    }

    #[test]
    fn what_is_told_again_as_it_is_is_left_alone() {
        let posted = || transaction("posted", Some("pending"), 2);
        let again = plan(
            vec![posted(), transaction("a", None, 1)],
            &set(&[]),
            known(&[same(1, "posted", Some("pending")), row(2, "a", None)]),
        );
        assert_eq!(ids(&again), [(2, "a")]);
        assert_eq!((again.added, again.modified), (0, 1));
        assert!(again.removals.is_empty());
        // Where the pending one has a row too, that one stays: the posted one's goes though it is as told.
        let rows = known(&[row(1, "pending", None), same(2, "posted", None)]);
        let both = plan(vec![posted()], &set(&[]), rows);
        assert_eq!(ids(&both), [(1, "posted")]);
        assert_eq!(both.removals.len(), 1);
        // A posting that is taken back changes its row, whatever was told of it.
        let rows = known(&[same(1, "posted", Some("pending"))]);
        let pending = vec![transaction("pending", None, 1)];
        let back = plan(pending, &set(&["posted"]), rows);
        assert_eq!(ids(&back), [(1, "pending")]);
    }

    #[test]
    fn two_alike_that_do_not_name_each_other_stay_two() {
        let plan = plan(
            vec![transaction("b", None, 5)],
            &set(&[]),
            known(&[row(1, "a", None)]),
        );
        assert_eq!(plan.added, 1);
        assert_ne!(plan.upserts[0].id, Uuid::from_u128(1));
    }

    #[test]
    fn removing_what_we_never_had_is_nothing() {
        let plan = plan(vec![], &set(&["x"]), KnownRows::default());
        assert!(plan.removals.is_empty());
    }

    #[test]
    fn what_is_removed_goes_and_what_comes_back_has_its_id() {
        let gone = plan(vec![], &set(&["a"]), known(&[row(1, "a", None)]));
        assert_eq!(gone.removals.len(), 1);
        let mut rows = KnownRows::default();
        rows.add_tombstone("a".to_owned(), Uuid::from_u128(1));
        let back = plan(vec![transaction("a", None, 5)], &set(&[]), rows);
        assert_eq!(ids(&back), [(1, "a")]);
    }
}
