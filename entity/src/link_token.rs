//! A link session a person began: the only tie between a hosted session's end and its owner.

use sea_orm::entity::prelude::*;

/// One row of `link_tokens`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "link_tokens")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who began it.
    pub user_id: Uuid,
    /// Where.
    pub provider: super::item::Provider,
    /// The item being repaired, if it is a repair.
    pub item_id: Option<Uuid>,
    /// SHA-256 of the token, hex. Unique.
    pub token_hash: String,
    /// The token, sealed.
    pub token: Vec<u8>,
    /// Whether the provider hosts the page.
    pub hosted: bool,
    /// After this the token is dead.
    pub expires_at: DateTimeUtc,
    /// When the session ended, as told by the provider.
    pub finished_at: Option<DateTimeUtc>,
    /// When it began.
    pub created_at: DateTimeUtc,
    /// Where it was begun.
    pub address: Option<String>,
    /// What the client that began it calls itself.
    pub user_agent: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
