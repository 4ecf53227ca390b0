//! An account a person has elsewhere, and signs in with here.

use sea_orm::entity::prelude::*;

/// One row of `identities`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identities")]
pub struct Model {
    /// Primary key, UUID version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is here.
    pub user_id: Uuid,
    /// The provider's name in the settings when it was linked.
    pub provider: String,
    /// Who vouches for it. Unique together with `subject`.
    pub issuer: String,
    /// Who the person is there; the issuer never gives it to anybody else.
    pub subject: String,
    /// Her address there when it was linked. It decides nothing.
    pub email: Option<String>,
    /// When it was linked.
    pub linked_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
