//! `user_custom`: accounts and transactions described in JSON where the password goes.
//! Only what bears on accounts and transactions is read; identity, numbers, liabilities and holdings are accepted and ignored.

use std::borrow::Cow;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::accounts::{Account, Balances};
use super::transaction::Transaction;
use crate::seed::Seed;

const LARGEST: usize = 55_000;

/// A person described by a developer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct CustomUser {
    #[serde(default)]
    override_accounts: Vec<CustomAccount>,
    #[serde(default)]
    force_error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct CustomAccount {
    r#type: String,
    #[serde(default)]
    subtype: Option<String>,
    #[serde(default, with = "rust_decimal::serde::arbitrary_precision_option")]
    starting_balance: Option<Decimal>,
    #[serde(default, with = "rust_decimal::serde::arbitrary_precision_option")]
    force_available_balance: Option<Decimal>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    meta: Meta,
    #[serde(default)]
    transactions: Vec<CustomRow>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Meta {
    name: Option<String>,
    official_name: Option<String>,
    mask: Option<String>,
    #[serde(with = "rust_decimal::serde::arbitrary_precision_option")]
    limit: Option<Decimal>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct CustomRow {
    date_transacted: NaiveDate,
    date_posted: NaiveDate,
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    amount: Decimal,
    description: String,
    #[serde(default)]
    currency: Option<String>,
}

/// Reads the password; an unreadable one is refused as wrong credentials, as Plaid does.
pub(crate) fn parse(password: &str) -> Result<(CustomUser, Option<String>), String> {
    let refused = || "INVALID_CREDENTIALS".to_owned();
    if password.len() > LARGEST {
        return Err(refused());
    }
    if password == "pass_good" || password.is_empty() {
        return Ok((
            CustomUser {
                override_accounts: Vec::new(),
                force_error: None,
            },
            None,
        ));
    }
    let user: CustomUser = serde_json::from_str(password).map_err(|_| refused())?;
    let force_error = user
        .force_error
        .as_deref()
        .map(|code| code.trim_start_matches("error_").to_ascii_uppercase());
    Ok((user, force_error))
}

impl CustomUser {
    /// The accounts and every row, oldest first.
    pub(crate) fn open(&self, seed: Seed) -> (Vec<Account>, Vec<Transaction>) {
        let mut rows = Vec::new();
        let accounts = self
            .override_accounts
            .iter()
            .zip(0_u64..)
            .map(|(custom, n)| custom.open(seed.at(n), &mut rows))
            .collect();
        rows.sort_by_key(|row| row.date);
        (accounts, rows)
    }
}

impl CustomAccount {
    fn open(&self, seed: Seed, rows: &mut Vec<Transaction>) -> Account {
        let account_id = seed.of("account").id(37);
        let currency = self.currency.clone().unwrap_or_else(|| "USD".into());
        let subtype = self.subtype.clone().unwrap_or_else(|| "checking".into());
        for (row, n) in self.transactions.iter().zip(0_u64..) {
            rows.push(row.open(seed.of("row").indexed_id(n), &account_id, &currency));
        }
        let current = self.starting_balance.unwrap_or_else(|| Decimal::from(1000));
        let name = self
            .meta
            .name
            .clone()
            .unwrap_or_else(|| format!("Plaid {subtype}"));
        let mask = self
            .meta
            .mask
            .clone()
            .unwrap_or_else(|| format!("{:04}", seed.of("mask").below(10_000)));
        let official_name = self.meta.official_name.clone().map(Cow::Owned);
        let available = self
            .force_available_balance
            .or_else(|| (self.r#type == "depository").then_some(current));
        Account {
            account_id,
            balances: Balances {
                available,
                current: Some(current),
                limit: self.meta.limit,
                iso_currency_code: Some(Cow::Owned(currency)),
                unofficial_currency_code: None,
            },
            mask: Some(Cow::Owned(mask)),
            name: Cow::Owned(name),
            official_name,
            r#type: Cow::Owned(self.r#type.clone()),
            subtype: Some(Cow::Owned(subtype)),
            holder_category: Cow::Borrowed("personal"),
            persistent_account_id: None,
        }
    }
}

impl CustomRow {
    fn open(&self, id: String, account_id: &str, currency: &str) -> Transaction {
        let name = Cow::Owned(self.description.clone());
        let mut row = Transaction::plain(
            id,
            account_id.to_owned(),
            self.amount,
            self.date_posted,
            name,
        );
        row.authorized_date = Some(self.date_transacted);
        row.original_description = Some(Cow::Owned(self.description.clone()));
        row.iso_currency_code = Some(Cow::Owned(
            self.currency.clone().unwrap_or_else(|| currency.to_owned()),
        ));
        row
    }
}
