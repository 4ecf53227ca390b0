//! The accounts a test user holds.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::transaction::Text;
use crate::seed::Seed;

/// An account as `/accounts/get` reports it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) account_id: String,
    pub(crate) balances: Balances,
    pub(crate) mask: Option<Text>,
    pub(crate) name: Text,
    pub(crate) official_name: Option<Text>,
    pub(crate) r#type: Text,
    pub(crate) subtype: Option<Text>,
    pub(crate) holder_category: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) persistent_account_id: Option<String>,
}

/// What an account holds or owes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Balances {
    #[serde(with = "rust_decimal::serde::arbitrary_precision_option")]
    pub(crate) available: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::arbitrary_precision_option")]
    pub(crate) current: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::arbitrary_precision_option")]
    pub(crate) limit: Option<Decimal>,
    pub(crate) iso_currency_code: Option<Text>,
    pub(crate) unofficial_currency_code: Option<Text>,
}

impl Account {
    /// Whether money goes in and out of it from day to day.
    pub(crate) fn is_everyday(&self) -> bool {
        matches!(&*self.r#type, "depository" | "credit")
    }

    pub(crate) fn is(&self, kind: &str, subtype: &str) -> bool {
        self.r#type == kind && self.subtype.as_deref() == Some(subtype)
    }
}

/// Digits, and how many of them are behind the point.
type Exact = (i64, u32);

struct Pattern {
    names: (&'static str, &'static str),
    mask: &'static str,
    kind: (&'static str, &'static str),
    available: Option<Exact>,
    current: Exact,
    limit: Option<Exact>,
}

const fn pattern(
    names: (&'static str, &'static str),
    mask: &'static str,
    kind: (&'static str, &'static str),
    balances: (Option<Exact>, Exact, Option<Exact>),
) -> Pattern {
    Pattern {
        names,
        mask,
        kind,
        available: balances.0,
        current: balances.1,
        limit: balances.2,
    }
}

const EVERYONE: [Pattern; 8] = [
    pattern(
        ("Plaid Checking", "Plaid Gold Standard 0% Interest Checking"),
        "0000",
        ("depository", "checking"),
        (Some((100, 0)), (110, 0), None),
    ),
    pattern(
        ("Plaid Saving", "Plaid Silver Standard 0.1% Interest Saving"),
        "1111",
        ("depository", "savings"),
        (Some((200, 0)), (210, 0), None),
    ),
    pattern(
        (
            "Plaid Credit Card",
            "Plaid Diamond 12.5% APR Interest Credit Card",
        ),
        "3333",
        ("credit", "credit card"),
        (None, (410, 0), Some((2000, 0))),
    ),
    pattern(
        (
            "Plaid Money Market",
            "Plaid Platinum Standard 1.85% Interest Money Market",
        ),
        "4444",
        ("depository", "money market"),
        (Some((43_200, 0)), (43_200, 0), None),
    ),
    pattern(
        ("Plaid IRA", "Plaid Retirement Account"),
        "5555",
        ("investment", "ira"),
        (None, (3_209_876, 4), None),
    ),
    pattern(
        ("Plaid 401k", "Plaid 401(k) Plan"),
        "6666",
        ("investment", "401k"),
        (None, (236_319_805, 4), None),
    ),
    pattern(
        ("Plaid Student Loan", "Plaid Student Loan"),
        "7777",
        ("loan", "student"),
        (None, (65_262, 0), None),
    ),
    pattern(
        ("Plaid Mortgage", "Plaid Fixed 30 Year Mortgage"),
        "8888",
        ("loan", "mortgage"),
        (None, (5_630_206, 2), None),
    ),
];

const LATER: Pattern = pattern(
    ("Plaid Cash Management", "Plaid Growth Cash Management"),
    "9002",
    ("depository", "cash management"),
    (Some((12_060, 0)), (12_060, 0), None),
);

/// The eight accounts every ordinary test user has.
pub(crate) fn everyone(seed: Seed, currency: &Text, lasting_ids: bool) -> Vec<Account> {
    EVERYONE
        .iter()
        .map(|pattern| open(pattern, seed, currency, lasting_ids))
        .collect()
}

/// The account that turns up at the bank after linking.
pub(crate) fn newcomer(seed: Seed, currency: &Text, lasting_ids: bool) -> Account {
    open(&LATER, seed, currency, lasting_ids)
}

fn open(pattern: &Pattern, seed: Seed, currency: &Text, lasting_ids: bool) -> Account {
    let money = |(number, scale)| Decimal::new(number, scale);
    Account {
        account_id: seed.of(pattern.mask).id(37),
        balances: Balances {
            available: pattern.available.map(money),
            current: Some(money(pattern.current)),
            limit: pattern.limit.map(money),
            iso_currency_code: Some(currency.clone()),
            unofficial_currency_code: None,
        },
        mask: Some(Cow::Borrowed(pattern.mask)),
        name: Cow::Borrowed(pattern.names.0),
        official_name: Some(Cow::Borrowed(pattern.names.1)),
        r#type: Cow::Borrowed(pattern.kind.0),
        subtype: Some(Cow::Borrowed(pattern.kind.1)),
        holder_category: Cow::Borrowed("personal"),
        persistent_account_id: lasting_ids.then(|| lasting_id(pattern.mask)),
    }
}

/// The same at every link of the same login, unlike the account id.
fn lasting_id(mask: &str) -> String {
    Seed(0)
        .of("persistent account")
        .of(mask)
        .id(64)
        .to_lowercase()
}
