//! Which secret keys this database has seen: a known text sealed under each.

use sea_orm::entity::prelude::*;

/// One row of `key_checks`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key_checks")]
pub struct Model {
    /// The key's id in hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: String,
    /// The known text under that key.
    pub sealed: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
