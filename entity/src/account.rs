//! One account at a bank.

use sea_orm::entity::prelude::*;

/// One row of `accounts`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "accounts")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose account it is.
    pub user_id: Uuid,
    /// The login it is reached by.
    pub item_id: Uuid,
    /// The id the provider gave it. Unique per item.
    pub provider_account_id: String,
    /// Name for people.
    pub name: String,
    /// The bank's own name for it.
    pub official_name: Option<String>,
    /// The last few characters of its number.
    pub mask: Option<String>,
    /// What sort of account it is.
    pub kind: AccountKind,
    /// Finer sort, in the provider's words.
    pub subtype: Option<String>,
    /// Currency of its balances.
    pub currency: Option<String>,
    /// Current balance, exact decimal text.
    pub balance_current: Option<String>,
    /// Available balance, exact decimal text.
    pub balance_available: Option<String>,
    /// Credit limit, exact decimal text.
    pub balance_limit: Option<String>,
    /// When the balances were told.
    pub balances_at: Option<DateTimeUtc>,
    /// When the provider stopped reporting it.
    pub closed_at: Option<DateTimeUtc>,
    /// When we first saw it.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
}

/// What sort of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum AccountKind {
    /// Money held: checking, savings.
    #[sea_orm(string_value = "depository")]
    Depository,
    /// A card.
    #[sea_orm(string_value = "credit")]
    Credit,
    /// Money owed.
    #[sea_orm(string_value = "loan")]
    Loan,
    /// Securities.
    #[sea_orm(string_value = "investment")]
    Investment,
    /// Anything else.
    #[sea_orm(string_value = "other")]
    Other,
}

impl ActiveModelBehavior for ActiveModel {}
