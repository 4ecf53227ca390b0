//! What a person finds behind a login at a bank: his accounts, and the history that came with them.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::NaiveDate;

use super::accounts::{self, Account};
use super::history::{History, Plan};
use super::institutions::Institution;
use super::login::Person;
use super::transaction::Text;
use crate::seed::Seed;

const FULL_DAYS: u64 = 730;

/// Accounts of one login, before any is chosen.
pub(crate) fn accounts(person: &Person, bank: &Institution, seed: Seed) -> Vec<Account> {
    let currency: Text = Cow::Borrowed(bank.currency);
    match person {
        Person::Custom(user) => user.open(seed).0,
        _ => accounts::everyone(seed.of("accounts"), &currency, bank.lasting_ids),
    }
}

/// An account that appears later at the same login.
pub(crate) fn newcomer(bank: &Institution, seed: Seed) -> Account {
    accounts::newcomer(
        seed.of("accounts"),
        &Cow::Borrowed(bank.currency),
        bank.lasting_ids,
    )
}

/// The transactions of one login, `days` back from `today`, for the accounts given.
pub(crate) fn history(
    person: &Person,
    held: &[Account],
    seed: Seed,
    days: u64,
    today: NaiveDate,
) -> History {
    if let Person::Custom(user) = person {
        let since = today
            .checked_sub_days(chrono::Days::new(days))
            .unwrap_or(today);
        let rows = user
            .open(seed)
            .1
            .into_iter()
            .filter(|row| row.date > since)
            .collect();
        return History::Listed {
            rows: Arc::new(rows),
            last_day: today,
        };
    }
    let days = days.clamp(1, FULL_DAYS);
    let (count, days, pending) = match person {
        Person::Bulk(count) => (*count, days, 0),
        Person::Dynamic => (50, 180, 8),
        Person::Recent => (2 * days.min(90), days.min(90), 0),
        Person::Static | Person::Custom(_) => (2 * days, days, 0),
    };
    let extent = Extent {
        count,
        days,
        pending,
    };
    plan(held, seed, extent, today)
}

/// How much a bank holds at linking.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) count: u64,
    pub(crate) days: u64,
    /// Of these, the newest so many are pending.
    pub(crate) pending: u64,
}

/// A generated history over the everyday accounts among `held`.
pub(crate) fn plan(held: &[Account], seed: Seed, extent: Extent, today: NaiveDate) -> History {
    let payers: Vec<&Account> = held
        .iter()
        .filter(|account| account.is_everyday())
        .collect();
    let account = |kind: &str, subtype: &str| {
        let found = payers
            .iter()
            .find(|account| account.is(kind, subtype))
            .or(payers.first());
        found
            .map(|account| account.account_id.clone())
            .unwrap_or_default()
    };
    History::Planned(Plan {
        seed: seed.of("history").0,
        count: if payers.is_empty() { 0 } else { extent.count },
        days: extent.days,
        last_day: today,
        pending: extent.pending,
        currency: payers
            .first()
            .and_then(|account| account.balances.iso_currency_code.clone())
            .unwrap_or(Cow::Borrowed("USD")),
        checking: account("depository", "checking"),
        saving: account("depository", "savings"),
        card: account("credit", "credit card"),
    })
}
