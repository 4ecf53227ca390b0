//! One movement of money: one row for life, from pending to posted.

use sea_orm::entity::prelude::*;

/// One row of `transactions`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "transactions")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose transaction it is.
    pub user_id: Uuid,
    /// The login it came by.
    pub item_id: Uuid,
    /// The account it is in.
    pub account_id: Uuid,
    /// The provider's present id for it. Unique per item.
    pub provider_transaction_id: String,
    /// The provider's id for it while it was pending.
    pub provider_pending_id: Option<String>,
    /// Signed amount in sortable form (see `money::to_key`); negative leaves the account.
    pub amount: String,
    /// Currency code.
    pub currency: String,
    /// The day it counts for.
    pub date: Date,
    /// The day the person made it.
    pub authorized_date: Option<Date>,
    /// The moment, where the bank tells it.
    pub datetime: Option<DateTimeUtc>,
    /// The bank's text.
    pub name: String,
    /// The merchant, cleaned up.
    pub merchant_name: Option<String>,
    /// Broad category.
    pub category_primary: Option<String>,
    /// Fine category.
    pub category_detailed: Option<String>,
    /// Whether it may still change or vanish.
    pub pending: bool,
    /// How it was paid, in the provider's words.
    pub payment_channel: Option<String>,
    /// Where it happened, JSON text.
    pub location: Option<String>,
    /// Who else took part, JSON text.
    pub counterparties: Option<String>,
    /// Lower-case text that searches look in.
    pub search: String,
    /// The feed number of its last change.
    pub seq: i64,
    /// When we first saw it.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
