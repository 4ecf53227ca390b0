//! Somebody who wants to register, until the address is proven.

use sea_orm::entity::prelude::*;

/// One row of `registrations`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registrations")]
pub struct Model {
    /// Primary key, UUID version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Address as it was typed.
    pub email: String,
    /// Address in the form that is compared. Not unique: whoever proves it first has it.
    pub email_key: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// After this it is forgotten.
    pub expires_at: DateTimeUtc,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
