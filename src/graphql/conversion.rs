//! Amounts in another currency: by the rate of a day or the last one before it, never by a later one,
//! and never by a rate that is not there.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Enum, SimpleObject, dataloader::Loader};
use chrono::{Days, NaiveDate, NaiveTime};
use entity::exchange_rate::{self, Column};
use rust_decimal::Decimal as Number;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    exchange_rate::ExchangeRate,
    loaders::read_lists,
    money::Money,
    scalar::{CurrencyCode, Date, Decimal},
};
use crate::{
    app::App,
    error::{Error, Result},
    money::{Leg, Pair, Step, convert, factor, rounded, route},
    ticker,
};

/// Why an amount cannot be told in another currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ConversionProblem {
    /// The bank names no currency, or does not tell the balance.
    NoAmount,
    /// This server follows no rate between the two currencies.
    NoPair,
    /// There is no rate of that day, nor of any day before it.
    NoRate,
    /// The result has too many digits.
    OutOfRange,
}

/// Two currencies and a day.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// What amounts are in.
    pub from: String,
    /// What they are wanted in.
    pub to: String,
    /// Whose rate, in UTC.
    pub day: NaiveDate,
}

/// The way from one currency to another on a day.
#[derive(Clone, Debug)]
pub struct Conversion {
    wanted: Wanted,
    legs: Vec<(Leg, Arc<exchange_rate::Model>)>,
    steps: Vec<Step>,
}

impl Conversion {
    /// An amount as it is after the conversion, not rounded yet; nothing if it has too many digits.
    pub fn exactly(&self, amount: Number) -> Option<Number> {
        convert(amount, &self.steps)
    }

    /// The rates it is made with: none, one, or two.
    pub fn rates(&self) -> impl Iterator<Item = ExchangeRate> {
        self.legs.iter().map(|(_, rate)| ExchangeRate(rate.clone()))
    }

    fn day(&self) -> NaiveDate {
        let days = self.legs.iter().map(|(_, rate)| rate.day);
        days.min().unwrap_or(self.wanted.day)
    }

    fn source(&self) -> String {
        let mut sources: Vec<&str> = Vec::new();
        for (_, rate) in &self.legs {
            if !sources.contains(&rate.source.as_str()) {
                sources.push(&rate.source);
            }
        }
        match sources.as_slice() {
            [] => "the same currency".to_owned(),
            sources => sources.join(", "),
        }
    }
}

/// Conversions by what is wanted.
#[derive(Debug)]
pub struct Conversions(pub App);

impl Loader<Wanted> for Conversions {
    type Value = Result<Conversion, ConversionProblem>;
    type Error = Error;

    async fn load(&self, keys: &[Wanted]) -> Result<HashMap<Wanted, Self::Value>> {
        conversions(&self.0, keys).await
    }
}

/// Finds the ways for many amounts at once, with one statement for all their rates.
pub async fn conversions(
    app: &App,
    keys: &[Wanted],
) -> Result<HashMap<Wanted, Result<Conversion, ConversionProblem>>> {
    let pairs = &app.config.rates.pairs;
    let ways: Vec<(&Wanted, Option<Vec<Leg>>)> = keys
        .iter()
        .map(|wanted| (wanted, route(pairs, &wanted.from, &wanted.to)))
        .collect();
    let mut asked: Vec<(Pair, NaiveDate)> = Vec::new();
    for (wanted, legs) in &ways {
        for leg in legs.iter().flatten() {
            let one = (leg.pair.clone(), wanted.day);
            if !asked.contains(&one) {
                asked.push(one);
            }
        }
    }
    let rates = rates_of(app, asked).await?;
    let mut found = HashMap::new();
    for (wanted, legs) in ways {
        found.insert(wanted.clone(), conversion(wanted, legs, &rates)?);
    }
    Ok(found)
}

type Rates = HashMap<(Pair, NaiveDate), Arc<exchange_rate::Model>>;

/// The last rate of each pair on each day, or before it.
async fn rates_of(app: &App, asked: Vec<(Pair, NaiveDate)>) -> Result<Rates> {
    let last = |(pair, day): &(Pair, NaiveDate)| {
        let next = day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
        ticker::of_pair(pair)
            .filter(Column::ProviderTime.lt(next.and_time(NaiveTime::MIN).and_utc()))
            .order_by_desc(Column::ProviderTime)
            .limit(1)
    };
    let lists = read_lists(app.db.read(), asked.iter().map(last).collect()).await?;
    let rates = asked.into_iter().zip(lists);
    let rates = rates.filter_map(|(key, rows)| Some((key, Arc::new(rows.into_iter().next()?))));
    Ok(rates.collect())
}

fn conversion(
    wanted: &Wanted,
    legs: Option<Vec<Leg>>,
    rates: &Rates,
) -> Result<Result<Conversion, ConversionProblem>> {
    let Some(legs) = legs else {
        return Ok(Err(ConversionProblem::NoPair));
    };
    let (mut with_rates, mut steps) = (Vec::new(), Vec::new());
    for leg in legs {
        let Some(rate) = rates.get(&(leg.pair.clone(), wanted.day)) else {
            return Ok(Err(ConversionProblem::NoRate));
        };
        steps.push((rate.rate.parse().map_err(Error::internal)?, leg.inverted));
        with_rates.push((leg, rate.clone()));
    }
    Ok(Ok(Conversion {
        wanted: wanted.clone(),
        legs: with_rates,
        steps,
    }))
}

/// Balances in another currency than the bank's, with the rates they were converted by.
#[derive(Clone, Debug, SimpleObject)]
pub struct ConvertedBalances {
    /// The currency that was asked for.
    pub currency: CurrencyCode,
    /// `current`, converted and rounded half to even: to the decimals of ISO 4217, or to eight where
    /// it does not know the currency.
    pub current: Option<Money>,
    /// `available`, converted and rounded alike.
    pub available: Option<Money>,
    /// `limit`, converted and rounded alike.
    pub limit: Option<Money>,
    /// What one unit of the account's currency is in `currency`, to 16 decimals. Amounts are not
    /// converted by this rounded number but by `rates`.
    pub rate: Option<Decimal>,
    /// The day of the rate: that of the balance in UTC, or the last day before it that has one. Of two
    /// rates the older's.
    pub rate_date: Option<Date>,
    /// Who told the rate.
    pub source: Option<String>,
    /// The rates themselves: one; two where the way leads through a third currency; none where it is
    /// the same currency. A rate whose `quote` is the account's currency is used as its inverse.
    pub rates: Vec<ExchangeRate>,
    /// Why an amount is absent here that is there in the account's own currency.
    pub unavailable_reason: Option<ConversionProblem>,
}

impl ConvertedBalances {
    /// Why there are none.
    pub fn unavailable(currency: CurrencyCode, reason: ConversionProblem) -> Self {
        Self {
            currency,
            current: None,
            available: None,
            limit: None,
            rate: None,
            rate_date: None,
            source: None,
            rates: Vec::new(),
            unavailable_reason: Some(reason),
        }
    }

    /// What a conversion makes of balances, in their order of the schema.
    pub fn of(conversion: &Conversion, balances: [Option<Number>; 3]) -> Self {
        let currency = CurrencyCode(conversion.wanted.to.clone());
        let mut reason = None;
        let [current, available, limit] = balances.map(|amount| {
            let converted = conversion.exactly(amount?);
            if converted.is_none() {
                reason = Some(ConversionProblem::OutOfRange);
            }
            Some(money(converted?, &currency.0))
        });
        Self {
            current,
            available,
            limit,
            rate: factor(&conversion.steps).map(|factor| Decimal(factor.to_string())),
            rate_date: Some(Date(conversion.day())),
            source: Some(conversion.source()),
            rates: conversion.rates().collect(),
            unavailable_reason: reason,
            currency,
        }
    }
}

/// An exact amount as it is shown.
fn money(amount: Number, currency: &str) -> Money {
    Money::new(rounded(amount, currency), Some(currency))
}
