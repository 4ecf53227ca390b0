//! What one currency cost in another at a moment.

use sea_orm::entity::prelude::*;

/// One row of `exchange_rates`. A pair has one row for each moment its source tells of.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "exchange_rates")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What is priced.
    pub base: String,
    /// What it is priced in.
    pub quote: String,
    /// The price of one unit, exact decimal text.
    pub rate: String,
    /// What buyers offer, exact decimal text.
    pub bid: Option<String>,
    /// What sellers ask, exact decimal text.
    pub ask: Option<String>,
    /// The day of the source's time, in UTC.
    pub day: Date,
    /// The moment it held, as the source says.
    pub provider_time: DateTimeUtc,
    /// When we last heard it.
    pub fetched_at: DateTimeUtc,
    /// Who said it.
    pub source: String,
    /// The pair's number of this change: the newest row has the highest.
    pub seq: i64,
}

impl ActiveModelBehavior for ActiveModel {}
