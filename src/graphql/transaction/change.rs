//! What a client that mirrors transactions has to do.

use async_graphql::{ID, SimpleObject, Union};
use entity::{removed_transaction, transaction};
use uuid::Uuid;

use super::Transaction;
use crate::graphql::id;

/// One step that brings a mirror of the transactions up to date.
#[derive(Clone, Debug, Union)]
pub enum TransactionChange {
    /// Store it.
    Upserted(TransactionUpserted),
    /// Delete it.
    Removed(TransactionRemoved),
}

/// A transaction that is new or has changed: store it under its id.
#[derive(Clone, Debug, SimpleObject)]
pub struct TransactionUpserted {
    /// The transaction as it is now.
    pub transaction: Transaction,
}

/// A transaction that is gone: delete what you stored under this id, if anything.
#[derive(Clone, Debug, SimpleObject)]
pub struct TransactionRemoved {
    /// The id it had.
    pub id: ID,
    /// The transaction that stands for it now, if there is one.
    pub replaced_by_id: Option<ID>,
    #[graphql(skip)]
    place: (i64, Uuid),
}

impl TransactionChange {
    /// Where the change stands in the feed: its number, and the row's id for the rows of one number.
    pub fn place(&self) -> (i64, Uuid) {
        match self {
            Self::Upserted(change) => (change.transaction.0.seq, change.transaction.0.id),
            Self::Removed(change) => change.place,
        }
    }
}

impl From<transaction::Model> for TransactionChange {
    fn from(row: transaction::Model) -> Self {
        let transaction = Transaction::from(row);
        Self::Upserted(TransactionUpserted { transaction })
    }
}

impl From<removed_transaction::Model> for TransactionChange {
    fn from(row: removed_transaction::Model) -> Self {
        Self::Removed(TransactionRemoved {
            id: id::encode(id::TRANSACTION, row.id),
            replaced_by_id: row.replaced_by_id.map(|by| id::encode(id::TRANSACTION, by)),
            place: (row.seq, row.id),
        })
    }
}
