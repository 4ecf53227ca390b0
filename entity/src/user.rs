//! A person who signs in.

use sea_orm::entity::prelude::*;

/// One row of `users`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Primary key, UUID version 7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Address as the person typed it.
    pub email: String,
    /// Address in the form that is compared: trimmed and lower-case. Unique.
    pub email_key: String,
    /// When it was proven that the person reads what is sent to the address.
    pub email_verified_at: Option<DateTimeUtc>,
    /// Argon2id in PHC form; empty for a person who has none and signs in by an identity alone.
    pub password_hash: String,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// When the person registered.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
