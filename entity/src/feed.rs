//! The counter of one person's change feed.

use sea_orm::entity::prelude::*;

/// One row of `feeds`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feeds")]
pub struct Model {
    /// Whose feed it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// The last number taken.
    pub seq: i64,
    /// Events up to and including this number are gone.
    pub pruned_seq: i64,
}

impl ActiveModelBehavior for ActiveModel {}
