//! Forgetting rates nobody converts by any more. All of a pair's rates are kept for thirty days, and the
//! last of each day for ever: what was converted by the rate of a day is so converted ever after.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use entity::{
    exchange_rate::{self, Column},
    rate_check,
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    error::Result,
    jobs::{Claim, Job},
    money::Pair,
    ticker,
};

/// How long all rates are kept.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Forgets all rates but the last of each day that is over for a month.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PruneRates {}

#[async_trait]
impl Job for PruneRates {
    const KIND: &'static str = "rates.prune";
    const MAX_ATTEMPTS: i32 = 3;
    const EVERY: Option<Duration> = Some(Duration::from_hours(6));

    fn key(&self) -> String {
        "all".to_owned()
    }

    async fn run(&self, app: &App, _claim: &Claim) -> Result<()> {
        let pairs = rate_check::Entity::find().all(app.db.read()).await?;
        for check in pairs {
            prune(app, &Pair::new(&check.base, &check.quote)).await?;
        }
        Ok(())
    }
}

async fn prune(app: &App, pair: &Pair) -> Result<()> {
    let cutoff = (app.clock.now() - KEPT).date_naive();
    let days: Vec<(NaiveDate, DateTime<Utc>)> = ticker::of_pair(pair)
        .filter(Column::ProviderTime.lt(cutoff.and_time(NaiveTime::MIN).and_utc()))
        .select_only()
        .column(Column::Day)
        .column_as(Column::ProviderTime.max(), "last")
        .group_by(Column::Day)
        .having(Column::Id.count().gt(1))
        .into_tuple()
        .all(app.db.read())
        .await?;
    for (day, last) in days {
        let txn = app.db.begin().await?;
        exchange_rate::Entity::delete_many()
            .filter(Column::Base.eq(pair.base.as_str()))
            .filter(Column::Quote.eq(pair.quote.as_str()))
            .filter(Column::ProviderTime.gte(day.and_time(NaiveTime::MIN).and_utc()))
            .filter(Column::ProviderTime.lt(last))
            .exec(&*txn)
            .await?;
        txn.commit().await?;
    }
    Ok(())
}
