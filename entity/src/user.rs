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
    /// Since when a code of an authenticator app is asked for beside the password.
    pub totp_enabled_at: Option<DateTimeUtc>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// What the person may do.
    pub role: Role,
    /// Since when the person is kept from signing in.
    pub locked_at: Option<DateTimeUtc>,
    /// When the person registered.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
    /// When the account was deleted. Only the id is left of it then, until everything else is gone.
    pub deleted_at: Option<DateTimeUtc>,
}

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Role {
    /// What concerns the person alone.
    #[sea_orm(string_value = "user")]
    User,
    /// Also looking after the server and the accounts of all.
    #[sea_orm(string_value = "admin")]
    Admin,
}

impl ActiveModelBehavior for ActiveModel {}
