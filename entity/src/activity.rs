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
    /// A sign-in with a wrong password, or while the account was locked.
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
    /// Somebody tried to change the password, or what takes it, and did not know it.
    #[sea_orm(string_value = "password_change_failed")]
    PasswordChangeFailed,
    /// Somebody who was signed in tried to delete the account and could not prove to be its person.
    #[sea_orm(string_value = "account_deletion_failed")]
    AccountDeletionFailed,
    /// A copy of all data was asked for.
    #[sea_orm(string_value = "data_export_requested")]
    DataExportRequested,
    /// A copy of all data was downloaded.
    #[sea_orm(string_value = "data_export_downloaded")]
    DataExportDownloaded,
    /// A bank was to be linked, and was not.
    #[sea_orm(string_value = "item_link_failed")]
    ItemLinkFailed,
    /// The password was set anew by mail.
    #[sea_orm(string_value = "password_reset")]
    PasswordReset,
    /// The address was proven.
    #[sea_orm(string_value = "email_verified")]
    EmailVerified,
    /// Another address was asked for.
    #[sea_orm(string_value = "email_change_requested")]
    EmailChangeRequested,
    /// Another address took the old one's place.
    #[sea_orm(string_value = "email_changed")]
    EmailChanged,
    /// The second factor was switched on.
    #[sea_orm(string_value = "totp_enabled")]
    TotpEnabled,
    /// The second factor was switched off.
    #[sea_orm(string_value = "totp_disabled")]
    TotpDisabled,
    /// A wrong code was given after a right password.
    #[sea_orm(string_value = "second_factor_failed")]
    SecondFactorFailed,
    /// A recovery code was used.
    #[sea_orm(string_value = "recovery_code_used")]
    RecoveryCodeUsed,
    /// New recovery codes took the place of the old ones.
    #[sea_orm(string_value = "recovery_codes_regenerated")]
    RecoveryCodesRegenerated,
    /// An identity was linked.
    #[sea_orm(string_value = "identity_linked")]
    IdentityLinked,
    /// An identity was unlinked.
    #[sea_orm(string_value = "identity_unlinked")]
    IdentityUnlinked,
    /// A social login or a link in the person's name, or with her address, was refused.
    #[sea_orm(string_value = "identity_refused")]
    IdentityRefused,
    /// A bank was linked.
    #[sea_orm(string_value = "item_linked")]
    ItemLinked,
    /// New credentials were given for a bank.
    #[sea_orm(string_value = "credentials_updated")]
    CredentialsUpdated,
    /// What a bank asks was answered.
    #[sea_orm(string_value = "challenge_answered")]
    ChallengeAnswered,
    /// A login was repaired.
    #[sea_orm(string_value = "item_repaired")]
    ItemRepaired,
    /// A bank needs the person.
    #[sea_orm(string_value = "item_needs_attention")]
    ItemNeedsAttention,
    /// A bank was removed.
    #[sea_orm(string_value = "item_removed")]
    ItemRemoved,
    /// The person asked for a sync.
    #[sea_orm(string_value = "sync_requested")]
    SyncRequested,
    /// A sync brought changes.
    #[sea_orm(string_value = "sync_succeeded")]
    SyncSucceeded,
    /// A sync failed for good.
    #[sea_orm(string_value = "sync_failed")]
    SyncFailed,
    /// An administrator looked at the account.
    #[sea_orm(string_value = "account_viewed")]
    AccountViewed,
    /// An administrator did something for the account that no other kind tells.
    #[sea_orm(string_value = "admin_acted")]
    AdminActed,
    /// An administrator or the operator locked the account.
    #[sea_orm(string_value = "account_locked")]
    AccountLocked,
    /// An administrator or the operator unlocked the account.
    #[sea_orm(string_value = "account_unlocked")]
    AccountUnlocked,
    /// An administrator or the operator ended all sessions.
    #[sea_orm(string_value = "sessions_ended_by_admin")]
    SessionsEndedByAdmin,
    /// The person became an administrator.
    #[sea_orm(string_value = "promoted")]
    Promoted,
    /// The person is an administrator no more.
    #[sea_orm(string_value = "demoted")]
    Demoted,
}

impl ActiveModelBehavior for ActiveModel {}
