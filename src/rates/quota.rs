//! How many calls of the day are left, and whose they are. Counted by days of UTC, in one row for all
//! replicas, before the call is made: a process that dies in the middle has used it up. A fifth of the
//! day is people's, the rest is the server's, and neither can take from the other.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use entity::{
    rate_check::RateFault,
    rate_quota::{ActiveModel, Column, Entity, Model},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};

use crate::{app::App, database::Txn, error::Result, providers::rates::RateSource};

/// How long a person is let wait for her turn between two calls.
const PATIENCE: TimeDelta = TimeDelta::seconds(5);

/// The server's own calls come one after the other, so that no turn is further ahead.
const QUEUE: TimeDelta = TimeDelta::minutes(1);

/// Nothing is put off by more than a day. What stands further ahead was written by a clock that was wrong.
const FAR: TimeDelta = TimeDelta::days(2);

/// Whose call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// The server's own.
    Poll,
    /// A person's, who waits for it.
    Person,
}

/// What came of asking for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It may be made at this moment.
    At(DateTime<Utc>),
    /// It may not be made before this moment: because of what the source said, or because the day's
    /// calls are used up.
    NotBefore(DateTime<Utc>, Option<RateFault>),
}

/// Takes a call.
pub(super) async fn take(app: &App, source: &dyn RateSource, caller: Caller) -> Result<Turn> {
    let txn = app.db.begin().await?;
    let mut row = today(&txn, app, source).await?;
    let turn = next(app, &row, caller);
    if let Turn::At(at) = turn {
        row.used += 1;
        row.refreshed += i32::from(caller == Caller::Person);
        row.next_call_at = at + TimeDelta::from_std(source.spacing()).unwrap_or_default();
    }
    write(&txn, row).await?;
    txn.commit().await?;
    Ok(turn)
}

/// Gives a call back that was not made.
pub(super) async fn give_back(app: &App, source: &dyn RateSource, caller: Caller) -> Result<()> {
    let txn = app.db.begin().await?;
    let mut row = today(&txn, app, source).await?;
    row.used = (row.used - 1).max(0);
    row.refreshed = (row.refreshed - i32::from(caller == Caller::Person)).max(0);
    write(&txn, row).await?;
    txn.commit().await
}

/// Remembers that the source wants to be left alone until then, and why. A longer time that it has asked
/// for before stays, and is returned.
pub(super) async fn block(
    txn: &Txn,
    app: &App,
    source: &dyn RateSource,
    (until, fault): (DateTime<Utc>, RateFault),
) -> Result<DateTime<Utc>> {
    let row = today(txn, app, source).await?;
    if let Some(known) = row.blocked_until.filter(|known| *known >= until) {
        return Ok(known);
    }
    let blocked = ActiveModel {
        blocked_until: Set(Some(until)),
        blocked_by: Set(Some(fault)),
        ..Default::default()
    };
    Entity::update_many()
        .set(blocked)
        .filter(Column::Account.eq(source.account()))
        .exec(&**txn)
        .await?;
    Ok(until)
}

/// How many calls of people's are left today; nothing if there is no limit.
pub(super) async fn left(app: &App, source: &dyn RateSource) -> Result<Option<u32>> {
    let Some(reserve) = app.config.rates.reserve() else {
        return Ok(None);
    };
    let row = Entity::find_by_id(source.account());
    let row = as_of_today(row.one(app.db.read()).await?, app, source);
    let refreshed = u32::try_from(row.refreshed).unwrap_or_default();
    Ok(Some(reserve.saturating_sub(refreshed)))
}

/// When the server's own next call may be made.
pub(super) async fn open_at(app: &App, source: &dyn RateSource) -> Result<DateTime<Utc>> {
    let row = Entity::find_by_id(source.account());
    let row = row.one(app.db.read()).await?;
    let row = as_of_today(row, app, source);
    Ok(match next(app, &row, Caller::Poll) {
        Turn::At(at) | Turn::NotBefore(at, _) => at,
    })
}

/// When the next day begins, in UTC.
pub(super) fn tomorrow(now: DateTime<Utc>) -> DateTime<Utc> {
    let day = now.date_naive().checked_add_days(Days::new(1));
    day.map_or(now, |day| day.and_time(NaiveTime::MIN).and_utc())
}

/// The row of today, nobody else's until the transaction ends.
async fn today(txn: &Txn, app: &App, source: &dyn RateSource) -> Result<Model> {
    txn.lock(&format!("rate quota {}", source.account()))
        .await?;
    let row = Entity::find_by_id(source.account()).one(&**txn).await?;
    Ok(as_of_today(row, app, source))
}

fn as_of_today(row: Option<Model>, app: &App, source: &dyn RateSource) -> Model {
    let now = app.clock.now();
    let mut row = row.unwrap_or_else(|| Model {
        account: source.account().to_owned(),
        day: now.date_naive(),
        used: 0,
        refreshed: 0,
        next_call_at: now,
        blocked_until: None,
        blocked_by: None,
    });
    let today = now.date_naive();
    // A clock that goes back over midnight, or another replica's, does not begin the day anew.
    if row.day < today || row.day - today > FAR {
        (row.day, row.used, row.refreshed) = (today, 0, 0);
    }
    if row.next_call_at - now > QUEUE {
        row.next_call_at = now;
    }
    row.blocked_until = row.blocked_until.filter(|until| *until - now < FAR);
    row
}

fn next(app: &App, row: &Model, caller: Caller) -> Turn {
    let now = app.clock.now();
    if let Some(until) = row.blocked_until.filter(|until| *until > now) {
        return Turn::NotBefore(until, row.blocked_by);
    }
    let rates = &app.config.rates;
    if let Some((limit, reserve)) = rates.daily_limit.zip(rates.reserve()) {
        let (used, share) = match caller {
            Caller::Poll => (row.used - row.refreshed, limit - reserve),
            Caller::Person => (row.refreshed, reserve),
        };
        if i64::from(used) >= i64::from(share) {
            return Turn::NotBefore(tomorrow(now), None);
        }
    }
    let at = row.next_call_at.max(now);
    if caller == Caller::Person && at - now > PATIENCE {
        return Turn::NotBefore(at, None);
    }
    Turn::At(at)
}

/// Writes what was counted. What the source has asked for is written by [`block`] alone.
async fn write(txn: &Txn, row: Model) -> Result<()> {
    let row = ActiveModel {
        account: Set(row.account),
        day: Set(row.day),
        used: Set(row.used),
        refreshed: Set(row.refreshed),
        next_call_at: Set(row.next_call_at),
        ..Default::default()
    };
    let all = [
        Column::Day,
        Column::Used,
        Column::Refreshed,
        Column::NextCallAt,
    ];
    let conflict = OnConflict::column(Column::Account)
        .update_columns(all)
        .to_owned();
    Entity::insert(row)
        .on_conflict(conflict)
        .exec_without_returning(&**txn)
        .await?;
    Ok(())
}
