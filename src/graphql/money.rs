//! Money on the wire.

use async_graphql::SimpleObject;

use super::scalar::{CurrencyCode, Decimal};
use crate::{money::display, providers::NO_CURRENCY};

/// An exact amount of one currency.
#[derive(Clone, Debug, SimpleObject)]
pub struct Money {
    /// How much, exactly, with at least the decimals the currency is written with.
    pub amount: Decimal,
    /// Of what. `XXX` where the bank names no currency.
    pub currency: CurrencyCode,
}

impl Money {
    /// An amount with its currency, if there is one.
    pub fn new(amount: rust_decimal::Decimal, currency: Option<&str>) -> Self {
        let currency = currency.unwrap_or(NO_CURRENCY);
        Self {
            amount: Decimal(display(amount, currency)),
            currency: CurrencyCode(currency.to_owned()),
        }
    }
}
