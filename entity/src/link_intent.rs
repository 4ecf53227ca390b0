//! One bank that is being linked by its credentials, written down before the provider is asked, so
//! that a lost answer loses nothing. The credentials are nowhere in it.

use sea_orm::entity::prelude::*;

/// One row of `link_intents`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "link_intents")]
pub struct Model {
    /// Primary key; also the id the item will have, and what the provider is told to call it by.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who asked.
    pub user_id: Uuid,
    /// Where.
    pub provider: super::item::Provider,
    /// The bank, by the provider's id.
    pub institution_code: String,
    /// The caller's key. Unique per person.
    pub idempotency_key: Option<String>,
    /// The item it became, or was already.
    pub item_id: Option<Uuid>,
    /// Its first sync.
    pub sync_job_id: Option<Uuid>,
    /// Whether the answer was an item the person already had.
    pub existing: bool,
    /// When the last attempt began.
    pub started_at: DateTimeUtc,
    /// When the answer was known.
    pub finished_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
