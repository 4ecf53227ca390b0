//! One signed-in device. No token is stored: `docs/decisions.md` tells how they are derived.

use sea_orm::entity::prelude::*;

/// One row of `sessions`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Primary key; access tokens name it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose session it is.
    pub user_id: Uuid,
    /// Random bytes that enter every refresh token of this session.
    pub salt: Vec<u8>,
    /// How often the refresh token was rotated; only the token of this generation is current.
    pub generation: i64,
    /// When the current generation began.
    pub rotated_at: DateTimeUtc,
    /// After this the session is over unless it was refreshed.
    pub expires_at: DateTimeUtc,
    /// After this the session is over whatever happens.
    pub ends_at: DateTimeUtc,
    /// What the client called itself when it last signed in or refreshed.
    pub user_agent: Option<String>,
    /// Where the client last signed in or refreshed from.
    pub address: Option<String>,
    /// The network of that address. It tells whether somebody was there before, where addresses change.
    pub network: Option<String>,
    /// The network the person signed in from.
    pub first_network: Option<String>,
    /// When the person signed in.
    pub created_at: DateTimeUtc,
    /// When the session was ended early.
    pub revoked_at: Option<DateTimeUtc>,
    /// Why it was ended early.
    pub revoked_reason: Option<RevokedReason>,
}

/// Why a session was ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum RevokedReason {
    /// The person logged out of this device.
    #[sea_orm(string_value = "logout")]
    Logout,
    /// The person logged out of all devices.
    #[sea_orm(string_value = "logout_everywhere")]
    LogoutEverywhere,
    /// The person ended it from another device.
    #[sea_orm(string_value = "ended")]
    Ended,
    /// The person changed the password on another device.
    #[sea_orm(string_value = "password_changed")]
    PasswordChanged,
    /// A refresh token that had been replaced was used again.
    #[sea_orm(string_value = "refresh_reuse")]
    RefreshReuse,
    /// The person deleted the account.
    #[sea_orm(string_value = "account_deleted")]
    AccountDeleted,
    /// An administrator or the operator ended it.
    #[sea_orm(string_value = "ended_by_admin")]
    EndedByAdmin,
    /// The account was locked.
    #[sea_orm(string_value = "locked")]
    Locked,
}

impl ActiveModelBehavior for ActiveModel {}
