//! What administrators looked at and did. Rows are added and forgotten, and never changed but to take out who has
//! deleted her account.

use sea_orm::entity::prelude::*;

/// One row of `admin_accesses`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "admin_accesses")]
pub struct Model {
    /// Primary key, UUID version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who it was; absent for the operator at the command line.
    pub admin_id: Option<Uuid>,
    /// The field or the command.
    pub action: String,
    /// Its arguments as JSON. Never a secret.
    pub arguments: String,
    /// Whom it concerned, if one person alone.
    pub user_id: Option<Uuid>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Where the client connected from.
    pub address: Option<String>,
    /// When.
    pub at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
