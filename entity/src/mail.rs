//! A mail, and the token in it.

use sea_orm::entity::prelude::*;

/// One row of `mails`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mails")]
pub struct Model {
    /// Primary key, UUID version 7: of two, the greater is the newer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What it is for.
    pub kind: MailKind,
    /// Whose account it is about; absent until that is looked up.
    pub user_id: Option<Uuid>,
    /// Which registration it is about.
    pub registration_id: Option<Uuid>,
    /// The address it was asked for with.
    pub email: String,
    /// The same in the form that is compared: the token is good for this one only.
    pub email_key: String,
    /// What the token is made of, besides a key.
    pub salt: Vec<u8>,
    /// After this the token is void, and the mail is not sent any more.
    pub expires_at: DateTimeUtc,
    /// When the token was used, or taken back.
    pub used_at: Option<DateTimeUtc>,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
}

/// What a mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum MailKind {
    /// To prove the address of a registration.
    #[sea_orm(string_value = "registration")]
    Registration,
    /// To prove the address of an account.
    #[sea_orm(string_value = "verify_email")]
    VerifyEmail,
    /// To prove the next address of an account.
    #[sea_orm(string_value = "change_email")]
    ChangeEmail,
    /// To set a new password.
    #[sea_orm(string_value = "reset_password")]
    ResetPassword,
    /// Tells the old address that another is to take its place.
    #[sea_orm(string_value = "email_changing")]
    EmailChanging,
    /// Tells that the password was set anew by mail.
    #[sea_orm(string_value = "password_reset")]
    PasswordReset,
    /// Tells that an identity was linked.
    #[sea_orm(string_value = "identity_linked")]
    IdentityLinked,
    /// Tells that an identity was unlinked.
    #[sea_orm(string_value = "identity_unlinked")]
    IdentityUnlinked,
}

impl ActiveModelBehavior for ActiveModel {}
