//! The secret a person's authenticator app shares with us.

use sea_orm::entity::prelude::*;

/// One row of `totps`. It counts once `users.totp_enabled_at` is set.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "totps")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is. Unique.
    pub user_id: Uuid,
    /// The secret, sealed.
    pub secret: Vec<u8>,
    /// The step of the newest code that was taken: it and those before it are used up.
    pub last_step: i64,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
