//! A verified delivery from a provider, kept before it is answered.

use sea_orm::entity::prelude::*;

/// One row of `webhooks`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhooks")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who sent it.
    pub provider: super::item::Provider,
    /// Hash of what makes the delivery one of a kind. Unique.
    pub delivery_key: String,
    /// What it is about: the provider's item id, or the hash of a link token.
    pub subject: Option<String>,
    /// Its type and code, `TYPE.CODE`.
    pub code: String,
    /// The raw body, sealed.
    pub body: Vec<u8>,
    /// What became of it.
    pub state: WebhookState,
    /// Whose data it touched, once known.
    pub user_id: Option<Uuid>,
    /// When it came.
    pub received_at: DateTimeUtc,
    /// When it took effect.
    pub applied_at: Option<DateTimeUtc>,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum WebhookState {
    /// Its subject is not known yet.
    #[sea_orm(string_value = "parked")]
    Parked,
    /// It took effect.
    #[sea_orm(string_value = "applied")]
    Applied,
    /// Nothing to do for it.
    #[sea_orm(string_value = "ignored")]
    Ignored,
    /// Its subject never appeared.
    #[sea_orm(string_value = "expired")]
    Expired,
}

impl ActiveModelBehavior for ActiveModel {}
