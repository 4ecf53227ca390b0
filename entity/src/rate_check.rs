//! How the asking for a pair's rate stands.

use sea_orm::entity::prelude::*;

/// One row of `rate_checks`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rate_checks")]
pub struct Model {
    /// What is priced.
    #[sea_orm(primary_key, auto_increment = false)]
    pub base: String,
    /// What it is priced in.
    #[sea_orm(primary_key, auto_increment = false)]
    pub quote: String,
    /// Whom it was asked of: a hash of the address and the key.
    pub account: String,
    /// When it is asked for again.
    pub due_at: DateTimeUtc,
    /// When it was last told.
    pub checked_at: Option<DateTimeUtc>,
    /// When it was last not told.
    pub failed_at: Option<DateTimeUtc>,
    /// Why it was not told, if that was the last answer.
    pub fault: Option<RateFault>,
    /// How often it was not told in a row.
    pub failures: i32,
}

/// Why a rate was not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum RateFault {
    /// The day's calls are used up.
    #[sea_orm(string_value = "daily_limit")]
    DailyLimit,
    /// The calls came too fast.
    #[sea_orm(string_value = "too_fast")]
    TooFast,
    /// The source does not know the pair, or what was asked of it.
    #[sea_orm(string_value = "pair")]
    Pair,
    /// The source does not take the key, or not for this.
    #[sea_orm(string_value = "key")]
    Key,
    /// The source answered with nothing.
    #[sea_orm(string_value = "empty")]
    Empty,
    /// There was no whole answer.
    #[sea_orm(string_value = "unanswered")]
    Unanswered,
    /// The answer cannot be true.
    #[sea_orm(string_value = "malformed")]
    Malformed,
}

impl ActiveModelBehavior for ActiveModel {}
