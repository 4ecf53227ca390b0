//! What is left of a transaction that is gone: the tombstone in the delta feed, and the memory that lets it come back under its own id.

use sea_orm::entity::prelude::*;

/// One row of `removed_transactions`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "removed_transactions")]
pub struct Model {
    /// The id the transaction had.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose transaction it was.
    pub user_id: Uuid,
    /// The login it came by.
    pub item_id: Uuid,
    /// The provider's last id for it.
    pub provider_transaction_id: String,
    /// The transaction that stands for it now.
    pub replaced_by_id: Option<Uuid>,
    /// The feed number of its removal.
    pub seq: i64,
    /// When it went.
    pub removed_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
