//! Which transactions a client asks for: read, checked, and said in SQL.

use async_graphql::{ID, InputObject};
use chrono::NaiveDate;
use entity::transaction::Column;
use sea_orm::{ColumnTrait, Condition, sea_query::LikeExpr};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    graphql::{
        id,
        scalar::{Date, Decimal},
    },
    money::to_key,
};

const MAX_CATEGORIES: usize = 100;
const MAX_TEXT: usize = 200;

/// Which transactions; all conditions must hold. A condition left out holds for every transaction,
/// an empty list for none.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TransactionFilter {
    /// In one of these accounts; at most 250. An id that is not one of yours matches nothing.
    pub account_ids: Option<Vec<ID>>,
    /// In an account of one of these items; at most 250. An id that is not one of yours matches
    /// nothing.
    pub item_ids: Option<Vec<ID>>,
    /// The conditions that go for a single account too.
    #[graphql(flatten)]
    pub of_account: AccountTransactionFilter,
}

/// Which transactions of an account; all conditions must hold. A condition left out holds for every
/// transaction, an empty list for none.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AccountTransactionFilter {
    /// Dated within this range.
    pub date: Option<DateRange>,
    /// With an amount within this range.
    pub amount: Option<AmountRange>,
    /// With this text in the bank's text or the merchant's name, upper and lower case alike; at most
    /// 200 characters. Nothing in it is a wildcard.
    pub text: Option<String>,
    /// Pending, or not.
    pub pending: Option<bool>,
    /// In one of these categories, broad or fine; at most 100.
    pub categories: Option<Vec<String>>,
}

/// A range of days. Both ends belong to it, and either may be left open.
#[derive(Clone, Copy, Debug, Default, InputObject)]
pub struct DateRange {
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub to: Option<Date>,
}

/// A range of signed amounts: purchases are negative. Both ends belong to it, and either may be left
/// open. Numbers are compared, whatever their currency: filter by account for one currency.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AmountRange {
    /// The least amount.
    pub min: Option<Decimal>,
    /// The greatest amount.
    pub max: Option<Decimal>,
}

/// A filter that passed its checks. Two equal ones ask for the same rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Criteria {
    /// Set for the list of one account.
    pub account: Option<Uuid>,
    accounts: Option<Vec<Uuid>>,
    items: Option<Vec<Uuid>>,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    min: Option<String>,
    max: Option<String>,
    text: Option<String>,
    pending: Option<bool>,
    categories: Option<Vec<String>>,
}

impl TransactionFilter {
    /// Checks the filter.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that names the field and the remedy.
    pub fn check(self) -> Result<Criteria> {
        Ok(Criteria {
            accounts: id::decode_all("accountIds", id::ACCOUNT, self.account_ids)?,
            items: id::decode_all("itemIds", id::ITEM, self.item_ids)?,
            ..self.of_account.check()?
        })
    }
}

impl AccountTransactionFilter {
    /// Checks the filter.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that names the field and the remedy.
    pub fn check(self) -> Result<Criteria> {
        let date = self.date.unwrap_or_default();
        let (from, to) = (date.from.map(|day| day.0), date.to.map(|day| day.0));
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            let text = format!("`filter.date.from` ({from}) is after `filter.date.to` ({to}).");
            return Err(Error::BadInput(text));
        }
        let amount = self.amount.unwrap_or_default();
        let (min, max) = (key(amount.min.as_ref())?, key(amount.max.as_ref())?);
        if min.is_some() && max.is_some() && min > max {
            let text = "`filter.amount.min` is greater than `filter.amount.max`.";
            return Err(Error::BadInput(text.to_owned()));
        }
        let categories = self.categories.as_ref().map_or(0, Vec::len);
        if categories > MAX_CATEGORIES {
            let text = format!(
                "`filter.categories` has {categories} entries: pass at most {MAX_CATEGORIES}."
            );
            return Err(Error::BadInput(text));
        }
        Ok(Criteria {
            from,
            to,
            min,
            max,
            text: text(self.text)?,
            pending: self.pending,
            categories: self.categories,
            ..Criteria::default()
        })
    }
}

impl Criteria {
    /// The same within one account.
    #[must_use]
    pub fn of_account(mut self, account: Uuid) -> Self {
        self.account = Some(account);
        self
    }

    /// The criteria in SQL.
    pub fn condition(&self) -> Condition {
        let either = |list: &Vec<String>| {
            Condition::any()
                .add(Column::CategoryPrimary.is_in(list))
                .add(Column::CategoryDetailed.is_in(list))
        };
        Condition::all()
            .add_option(self.account.map(|id| Column::AccountId.eq(id)))
            .add_option(
                self.accounts
                    .as_ref()
                    .map(|ids| Column::AccountId.is_in(ids.iter().copied())),
            )
            .add_option(
                self.items
                    .as_ref()
                    .map(|ids| Column::ItemId.is_in(ids.iter().copied())),
            )
            .add_option(self.from.map(|day| Column::Date.gte(day)))
            .add_option(self.to.map(|day| Column::Date.lte(day)))
            .add_option(self.min.as_deref().map(|min| Column::Amount.gte(min)))
            .add_option(self.max.as_deref().map(|max| Column::Amount.lte(max)))
            .add_option(
                self.text
                    .as_deref()
                    .map(|text| Column::Search.like(containing(text))),
            )
            .add_option(self.pending.map(|pending| Column::Pending.eq(pending)))
            .add_option(self.categories.as_ref().map(either))
    }
}

fn key(amount: Option<&Decimal>) -> Result<Option<String>> {
    let parse = |amount: &Decimal| amount.0.parse().map(to_key).map_err(Error::internal);
    amount.map(parse).transpose()
}

fn text(text: Option<String>) -> Result<Option<String>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > MAX_TEXT {
        let text = format!("`filter.text` is too long: pass at most {MAX_TEXT} characters.");
        return Err(Error::BadInput(text));
    }
    if text.contains('\0') {
        let text = "`filter.text` contains a NUL character, which no transaction does.";
        return Err(Error::BadInput(text.to_owned()));
    }
    Ok(Some(text.to_lowercase()))
}

/// A pattern that matches the text itself and nothing by accident.
fn containing(text: &str) -> LikeExpr {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(filter: TransactionFilter) -> String {
        filter.check().unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let day = |text: &str| Some(Date(text.parse().unwrap()));
        let of = |of_account| TransactionFilter {
            of_account,
            ..TransactionFilter::default()
        };
        let date = Some(DateRange {
            from: day("2026-02-01"),
            to: day("2026-01-31"),
        });
        let backwards = of(AccountTransactionFilter {
            date,
            ..AccountTransactionFilter::default()
        });
        assert!(refused(backwards).contains("filter.date.from"));
        let decimal = |text: &str| Some(Decimal(text.to_owned()));
        let amount = Some(AmountRange {
            min: decimal("-1"),
            max: decimal("-10"),
        });
        let backwards = of(AccountTransactionFilter {
            amount,
            ..AccountTransactionFilter::default()
        });
        assert!(refused(backwards).contains("filter.amount.min"));
        for bad in ["x".repeat(201), "a\0b".to_owned()] {
            let text = Some(bad);
            let bad = of(AccountTransactionFilter {
                text,
                ..AccountTransactionFilter::default()
            });
            assert!(refused(bad).contains("filter.text"));
        }
        let many = TransactionFilter {
            account_ids: Some(vec![ID::from("acct_x"); 251]),
            ..TransactionFilter::default()
        };
        assert!(refused(many).contains("at most 250"));
    }

    #[test]
    fn ids_of_nothing_are_a_list_of_nothing_and_no_list_is_everything() {
        let filter = TransactionFilter {
            item_ids: Some(vec![ID::from("item_x"), ID::from("")]),
            ..TransactionFilter::default()
        };
        let criteria = filter.check().unwrap();
        assert_eq!((criteria.items, criteria.accounts), (Some(vec![]), None));
    }
}
