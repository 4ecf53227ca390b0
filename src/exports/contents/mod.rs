//! What is in an archive: a file for each table that tells something of a person, with the names of the
//! schema and its ids. A table with people's rows that is not here, and a column that no field tells, is in the
//! list of a test, with the reason.

use sea_orm::ActiveEnum;
use uuid::Uuid;

use super::{cell::Cell, table::Records};
use crate::{graphql::id as ids, money};

mod banks;
mod linking;
mod people;
#[cfg(test)]
mod tests;

use banks::banks;
use linking::linking;
use people::people;

/// Every file.
pub(super) fn files() -> Vec<Box<dyn Records>> {
    let mut files = people();
    files.extend(banks());
    files.extend(linking());
    files
}

macro_rules! of {
    ($table:ident) => {
        |user_id| $table::Entity::find().filter($table::Column::UserId.eq(user_id))
    };
}

use of;

/// An id as clients know it.
fn id(prefix: &str, row: Uuid) -> Cell {
    ids::encode(prefix, row).0.into()
}

fn some_id(prefix: &str, row: Option<Uuid>) -> Cell {
    row.map(|row| id(prefix, row)).into()
}

/// A value of an enum as the schema writes it.
fn word<T: ActiveEnum<Value = String>>(value: &T) -> Cell {
    value.to_value().to_uppercase().into()
}

/// An amount in our sign: what leaves the account is negative.
fn amount(key: &str, currency: &str) -> Cell {
    let amount = money::from_key(key).map(|amount| money::display(amount, currency));
    amount.map(Cell::Decimal).into()
}

/// A balance as it is stored, which is exact text already.
fn decimal(text: Option<&String>) -> Cell {
    text.cloned().map(Cell::Decimal).into()
}

/// What is stored as the text of a JSON value.
fn structured(text: Option<&String>) -> Cell {
    let value = text.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    value.into()
}
