//! Rates and checks as rows.

use chrono::{DateTime, Utc};
use entity::{
    exchange_rate::{self, Column as Rate},
    rate_check::{self, Column as Check, RateFault},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::OnConflict,
};
use uuid::Uuid;

use crate::{
    app::App,
    database::{Hint, Txn},
    error::Result,
    money::Pair,
    providers::rates::{INVENTED, Quote, RateSource},
    ticker,
};

/// How the asking for pairs stands, as far as any was asked for.
pub async fn checks(db: &impl ConnectionTrait, pairs: &[Pair]) -> Result<Vec<rate_check::Model>> {
    let any = pairs
        .iter()
        .fold(Condition::any(), |any, pair| any.add(of(pair)));
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    Ok(rate_check::Entity::find().filter(any).all(db).await?)
}

/// How the asking for one pair stands.
pub(super) async fn check(
    db: &impl ConnectionTrait,
    pair: &Pair,
) -> Result<Option<rate_check::Model>> {
    Ok(rate_check::Entity::find().filter(of(pair)).one(db).await?)
}

fn of(pair: &Pair) -> Condition {
    Condition::all()
        .add(Check::Base.eq(pair.base.as_str()))
        .add(Check::Quote.eq(pair.quote.as_str()))
}

/// Keeps what the source has told and when it is asked again; returns the newest rate of the pair.
pub(super) async fn keep(
    app: &App,
    source: &dyn RateSource,
    pair: &Pair,
    quote: Quote,
) -> Result<exchange_rate::Model> {
    let mut txn = app.db.begin().await?;
    // Two that keep at once would take one number.
    txn.lock(&format!("rate {pair}")).await?;
    let latest = ticker::latest(&*txn, pair).await?;
    let reached = latest.as_ref().map_or(0, |latest| latest.seq);
    let latest = without_invented(&txn, source, pair, latest).await?;
    let seq = number(&quote, latest.as_ref(), reached);
    let kept = insert(&txn, app, source, (pair, &quote, seq)).await?;
    let now = app.clock.now();
    let due_at = now + app.config.rates.stretched();
    let check = rate_check::ActiveModel {
        due_at: Set(due_at),
        checked_at: Set(Some(now)),
        fault: Set(None),
        failures: Set(0),
        ..blank(source, pair)
    };
    let told = [
        Check::Account,
        Check::DueAt,
        Check::CheckedAt,
        Check::Fault,
        Check::Failures,
    ];
    note(&txn, check, told).await?;
    if kept.seq > reached {
        txn.hint(Hint::Rate(pair.clone(), kept.seq));
    }
    txn.commit().await?;
    Ok(latest
        .filter(|latest| latest.provider_time > kept.provider_time)
        .unwrap_or(kept))
}

/// The newest rate there is once nothing of the pair is invented any more, if the source tells real
/// ones: neither today's amounts nor those of a day that is over stay converted by what nobody pays.
async fn without_invented(
    txn: &Txn,
    source: &dyn RateSource,
    pair: &Pair,
    latest: Option<exchange_rate::Model>,
) -> Result<Option<exchange_rate::Model>> {
    let invented = latest.as_ref().is_some_and(|row| row.source == INVENTED);
    if !invented || source.name() == INVENTED {
        return Ok(latest);
    }
    exchange_rate::Entity::delete_many()
        .filter(Rate::Base.eq(pair.base.as_str()))
        .filter(Rate::Quote.eq(pair.quote.as_str()))
        .filter(Rate::Source.eq(INVENTED))
        .exec(&**txn)
        .await?;
    ticker::latest(&**txn, pair).await
}

fn text(number: rust_decimal::Decimal) -> String {
    number.normalize().to_string()
}

/// The number of a rate: the pair's next one, above all that were told, if no other rate is newer. What
/// is told again of a moment is news only if it is something else.
fn number(quote: &Quote, latest: Option<&exchange_rate::Model>, reached: i64) -> i64 {
    let told = (text(quote.rate), quote.bid.map(text), quote.ask.map(text));
    let same = |row: &exchange_rate::Model| {
        let (rate, bid, ask) = &told;
        row.seq == reached
            && row.provider_time == quote.at
            && (&row.rate, &row.bid, &row.ask) == (rate, bid, ask)
    };
    match latest {
        Some(latest) if same(latest) => latest.seq,
        // It comes late, and is nobody's newest.
        Some(latest) if latest.provider_time > quote.at => 0,
        _ => reached + 1,
    }
}

/// A rate of a new moment is a new row. What is told again of a moment replaces what was told of it.
async fn insert(
    txn: &Txn,
    app: &App,
    source: &dyn RateSource,
    (pair, quote, seq): (&Pair, &Quote, i64),
) -> Result<exchange_rate::Model> {
    let row = exchange_rate::ActiveModel {
        id: Set(Uuid::now_v7()),
        base: Set(pair.base.clone()),
        quote: Set(pair.quote.clone()),
        rate: Set(text(quote.rate)),
        bid: Set(quote.bid.map(text)),
        ask: Set(quote.ask.map(text)),
        day: Set(quote.at.date_naive()),
        provider_time: Set(quote.at),
        fetched_at: Set(app.clock.now()),
        source: Set(source.name().to_owned()),
        seq: Set(seq),
    };
    let told = [
        Rate::Rate,
        Rate::Bid,
        Rate::Ask,
        Rate::FetchedAt,
        Rate::Source,
        Rate::Seq,
    ];
    let conflict = OnConflict::columns([Rate::Base, Rate::Quote, Rate::ProviderTime])
        .update_columns(told)
        .to_owned();
    let insert = exchange_rate::Entity::insert(row).on_conflict(conflict);
    Ok(insert.exec_with_returning(&**txn).await?)
}

/// Remembers that the source has told nothing. When it is asked again is said only by the server's own
/// calls: a person's failure does not put them off.
pub(super) async fn failed(
    txn: &Txn,
    app: &App,
    source: &dyn RateSource,
    (pair, fault, due_at): (&Pair, RateFault, Option<DateTime<Utc>>),
) -> Result<()> {
    let now = app.clock.now();
    let before = check(&**txn, pair).await?;
    let failures = before.as_ref().map_or(0, |check| check.failures);
    let due = due_at.or_else(|| before.map(|check| check.due_at));
    let row = rate_check::ActiveModel {
        due_at: Set(due.unwrap_or(now)),
        failed_at: Set(Some(now)),
        fault: Set(Some(fault)),
        failures: Set(failures + i32::from(due_at.is_some())),
        ..blank(source, pair)
    };
    let told = [
        Check::Account,
        Check::DueAt,
        Check::FailedAt,
        Check::Fault,
        Check::Failures,
    ];
    note(txn, row, told).await
}

fn blank(source: &dyn RateSource, pair: &Pair) -> rate_check::ActiveModel {
    rate_check::ActiveModel {
        base: Set(pair.base.clone()),
        quote: Set(pair.quote.clone()),
        account: Set(source.account().to_owned()),
        checked_at: Set(None),
        failed_at: Set(None),
        fault: Set(None),
        ..Default::default()
    }
}

async fn note<const N: usize>(
    txn: &Txn,
    row: rate_check::ActiveModel,
    told: [Check; N],
) -> Result<()> {
    let conflict = OnConflict::columns([Check::Base, Check::Quote])
        .update_columns(told)
        .to_owned();
    rate_check::Entity::insert(row)
        .on_conflict(conflict)
        .exec_without_returning(&**txn)
        .await?;
    Ok(())
}
