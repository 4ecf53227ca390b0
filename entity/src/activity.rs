//! The person's own log.

use sea_orm::entity::prelude::*;

/// One row of `activities`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "activities")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose log it is.
    pub user_id: Uuid,
    /// What happened.
    pub kind: ActivityKind,
    /// The bank it was about.
    pub item_id: Option<Uuid>,
    /// A word more, such as the bank's name.
    pub detail: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Where the client connected from.
    pub address: Option<String>,
    /// When.
    pub at: DateTimeUtc,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ActivityKind {
    /// The person registered.
    #[sea_orm(string_value = "registered")]
    Registered,
    /// A sign-in.
    #[sea_orm(string_value = "signed_in")]
    SignedIn,
    /// A sign-in with a wrong password.
    #[sea_orm(string_value = "sign_in_failed")]
    SignInFailed,
    /// A sign-out.
    #[sea_orm(string_value = "signed_out")]
    SignedOut,
    /// A sign-out of all devices.
    #[sea_orm(string_value = "signed_out_everywhere")]
    SignedOutEverywhere,
    /// The person ended a session from another device.
    #[sea_orm(string_value = "session_ended")]
    SessionEnded,
    /// A session was ended because its refresh token was used twice.
    #[sea_orm(string_value = "session_revoked")]
    SessionRevoked,
    /// The name or the birthday was changed.
    #[sea_orm(string_value = "profile_updated")]
    ProfileUpdated,
    /// The password was changed.
    #[sea_orm(string_value = "password_changed")]
    PasswordChanged,
    /// Somebody tried to change the password and did not know it.
    #[sea_orm(string_value = "password_change_failed")]
    PasswordChangeFailed,
    /// An identity was linked.
    #[sea_orm(string_value = "identity_linked")]
    IdentityLinked,
    /// An identity was unlinked.
    #[sea_orm(string_value = "identity_unlinked")]
    IdentityUnlinked,
    /// What came back from an issuer in the person's name was not acceptable.
    #[sea_orm(string_value = "identity_refused")]
    IdentityRefused,
    /// A bank was linked.
    #[sea_orm(string_value = "item_linked")]
    ItemLinked,
    /// A login was repaired.
    #[sea_orm(string_value = "item_repaired")]
    ItemRepaired,
    /// A bank needs the person.
    #[sea_orm(string_value = "item_needs_attention")]
    ItemNeedsAttention,
    /// A bank was removed.
    #[sea_orm(string_value = "item_removed")]
    ItemRemoved,
    /// A sync brought changes.
    #[sea_orm(string_value = "sync_succeeded")]
    SyncSucceeded,
    /// A sync failed for good.
    #[sea_orm(string_value = "sync_failed")]
    SyncFailed,
}

impl ActiveModelBehavior for ActiveModel {}
