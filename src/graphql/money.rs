//! Money on the wire.

use async_graphql::SimpleObject;

use super::scalar::{CurrencyCode, Decimal};
use crate::{
    error::{Error, Result},
    money::{display, from_key},
};

/// The code ISO 4217 gives to amounts without a currency.
const NO_CURRENCY: &str = "XXX";

/// An exact amount of one currency.
#[derive(Clone, Debug, SimpleObject)]
pub struct Money {
    /// How much, exactly, with at least the decimals the currency is written with.
    pub amount: Decimal,
    /// Of what. `XXX` where the bank names no currency.
    pub currency: CurrencyCode,
}

impl Money {
    /// The amount a stored sortable form stands for.
    pub fn from_stored(key: &str, currency: Option<&str>) -> Result<Self> {
        let currency = currency.unwrap_or(NO_CURRENCY);
        let amount =
            from_key(key).ok_or_else(|| Error::internal("a stored amount that is none"))?;
        Ok(Self {
            amount: Decimal(display(amount, currency)),
            currency: CurrencyCode(currency.to_owned()),
        })
    }
}
