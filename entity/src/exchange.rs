//! One public token turned into an item, remembered so that asking twice gives one answer.

use sea_orm::entity::prelude::*;

/// One row of `exchanges`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "exchanges")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who asked.
    pub user_id: Uuid,
    /// SHA-256 of the public token, hex. Unique per person.
    pub public_token_hash: String,
    /// The caller's key. Unique per person.
    pub idempotency_key: Option<String>,
    /// What the link session told of the login, if its session is known.
    pub preview: Option<Json>,
    /// The provider's id of the item it made, until the item is stored.
    pub provider_item_id: Option<String>,
    /// The token that opens it, sealed, until the item is stored.
    pub access_token: Option<Vec<u8>>,
    /// The item it became.
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
