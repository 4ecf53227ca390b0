//! One login at one bank.

use sea_orm::entity::prelude::*;

/// One row of `items`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "items")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose bank it is.
    pub user_id: Uuid,
    /// Who connects us.
    pub provider: Provider,
    /// The id the provider gave it. Unique per provider.
    pub provider_item_id: String,
    /// The bank.
    pub institution_id: Option<Uuid>,
    /// The provider's token, sealed.
    pub access_token: Vec<u8>,
    /// Health of the login.
    pub link_status: LinkStatus,
    /// The provider's code for what is wrong with the login.
    pub link_error: Option<String>,
    /// What is wrong with the login, in the provider's sentence for people.
    pub link_message: Option<String>,
    /// Whether signing in anew may mend a login whose health is `error`.
    pub person_can_help: bool,
    /// How far the transactions are.
    pub transactions_status: TransactionsStatus,
    /// When the person must renew consent, if a date is known.
    pub consent_expires_at: Option<DateTimeUtc>,
    /// Whether the bank has accounts the person has not shared yet.
    pub new_accounts: bool,
    /// Where the next sync begins; absent before the first.
    pub sync_cursor: Option<String>,
    /// When a sync last committed.
    pub last_synced_at: Option<DateTimeUtc>,
    /// When the sweep looks at it; absent while only its owner can help, or nobody.
    pub sync_due_at: Option<DateTimeUtc>,
    /// How many syncs have failed for good since the last that succeeded.
    pub failed_syncs: i32,
    /// When the person removed the bank; the row stays until the provider has let go of it.
    pub removed_at: Option<DateTimeUtc>,
    /// When the bank was linked.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
}

/// Who connects us to banks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Provider {
    /// Plaid.
    #[sea_orm(string_value = "plaid")]
    Plaid,
    /// MX.
    #[sea_orm(string_value = "mx")]
    Mx,
}

/// Health of a login at a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum LinkStatus {
    /// The provider is still signing in.
    #[sea_orm(string_value = "processing")]
    Processing,
    /// All is well.
    #[sea_orm(string_value = "success")]
    Success,
    /// User name or password is wrong.
    #[sea_orm(string_value = "invalid_credentials")]
    InvalidCredentials,
    /// The bank asks a question.
    #[sea_orm(string_value = "challenged")]
    Challenged,
    /// The person must sign in at the bank again.
    #[sea_orm(string_value = "login_required")]
    LoginRequired,
    /// Access is gone for good; only a new link helps.
    #[sea_orm(string_value = "disconnected")]
    Disconnected,
    /// Something else is wrong.
    #[sea_orm(string_value = "error")]
    Error,
}

/// How far an item's transactions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum TransactionsStatus {
    /// The provider is still collecting history.
    #[sea_orm(string_value = "downloading")]
    Downloading,
    /// All history the provider has is here.
    #[sea_orm(string_value = "complete")]
    Complete,
    /// The last sync failed for good.
    #[sea_orm(string_value = "failed")]
    Failed,
}

impl ActiveModelBehavior for ActiveModel {}
