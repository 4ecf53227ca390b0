//! What a bank asks a person before it lets her in. There until it is answered or not asked any more.

use sea_orm::entity::prelude::*;

/// One row of `challenges`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "challenges")]
pub struct Model {
    /// The item whose bank asks. Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub item_id: Uuid,
    /// Who is asked.
    pub user_id: Uuid,
    /// The questions, a list. Never an answer.
    pub questions: Json,
    /// When the bank is expected to wait no longer.
    pub expires_at: DateTimeUtc,
    /// When we saw them first.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
