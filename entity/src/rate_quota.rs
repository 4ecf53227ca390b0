//! How many calls of a day are used up, for one key.

use sea_orm::entity::prelude::*;

use crate::rate_check::RateFault;

/// One row of `rate_quotas`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rate_quotas")]
pub struct Model {
    /// Whose calls they are: a hash of the address and the key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    /// Which day, in UTC.
    pub day: Date,
    /// Calls made on that day.
    pub used: i32,
    /// Of these, how many people asked for.
    pub refreshed: i32,
    /// When the next call may be made.
    pub next_call_at: DateTimeUtc,
    /// Until when the source has asked us to stay away.
    pub blocked_until: Option<DateTimeUtc>,
    /// What it said then.
    pub blocked_by: Option<RateFault>,
}

impl ActiveModelBehavior for ActiveModel {}
