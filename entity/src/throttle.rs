//! How much of an allowance is used up.

use sea_orm::entity::prelude::*;

/// One row of `throttles`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "throttles")]
pub struct Model {
    /// What is allowed to whom, hashed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// When all of it is there again, in milliseconds since 1970 by the database's clock.
    pub free_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
