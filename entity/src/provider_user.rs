//! What a provider that keeps people apart calls a person of ours.

use sea_orm::entity::prelude::*;

/// One row of `provider_users`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_users")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Where.
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: super::item::Provider,
    /// The provider's id of the person. Unique per provider.
    pub provider_user_id: String,
    /// When the provider made it.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
