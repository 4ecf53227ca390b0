//! The transactions a bank already holds when an item is linked.
//!
//! Row `n` is a pure function of the item's seed and `n`: a hundred thousand rows cost no memory and any page is made directly.
//! Rows are counted from the oldest; Plaid hands out the last thirty days first, and `index_at` knows that order.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{Days, NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::calendar::{self, Payer, Recurring};
use super::purchase;
use super::transaction::{Category, Counterparty, PaymentMeta, Text, Transaction};
use crate::seed::Seed;

/// Days of the first, quick part of an item's history.
pub(crate) const INITIAL_DAYS: u64 = 30;

/// How a generated history is laid out. Small enough to be written into the state file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) count: u64,
    pub(crate) days: u64,
    pub(crate) last_day: NaiveDate,
    pub(crate) pending: u64,
    pub(crate) currency: Text,
    pub(crate) checking: String,
    pub(crate) saving: String,
    pub(crate) card: String,
}

/// An item's history: made on demand, or listed by a custom user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum History {
    Planned(Plan),
    Listed {
        rows: Arc<Vec<Transaction>>,
        last_day: NaiveDate,
    },
}

impl History {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Planned(plan) => plan.count,
            Self::Listed { rows, .. } => rows.len() as u64,
        }
    }

    /// Rows of the first update, those of the last thirty days.
    pub(crate) fn initial_len(&self) -> u64 {
        match self {
            Self::Planned(plan) => plan.count - plan.first_within(INITIAL_DAYS),
            Self::Listed { rows, last_day } => {
                let since = last_day
                    .checked_sub_days(Days::new(INITIAL_DAYS))
                    .unwrap_or(*last_day);
                rows.iter().filter(|row| row.date > since).count() as u64
            }
        }
    }

    /// The row handed out at `position`: the last thirty days, oldest first, then everything before them.
    pub(crate) fn index_at(&self, position: u64) -> u64 {
        let initial = self.initial_len();
        let older = self.len() - initial;
        if position < initial {
            older + position
        } else {
            position - initial
        }
    }

    pub(crate) fn position_of(&self, index: u64) -> u64 {
        let initial = self.initial_len();
        let older = self.len() - initial;
        if index >= older {
            index - older
        } else {
            index + initial
        }
    }

    pub(crate) fn row(&self, index: u64) -> Option<Transaction> {
        match self {
            Self::Planned(plan) => (index < plan.count).then(|| plan.row(index)),
            Self::Listed { rows, .. } => rows.get(usize::try_from(index).ok()?).cloned(),
        }
    }

    /// Whether a row the bank held at linking belongs to one of these accounts only.
    pub(crate) fn touches_only(&self, account_ids: &[&str]) -> bool {
        match self {
            Self::Planned(plan) => [&plan.checking, &plan.saving, &plan.card]
                .iter()
                .all(|id| account_ids.contains(&id.as_str())),
            Self::Listed { .. } => false,
        }
    }

    pub(crate) fn index_of(&self, transaction_id: &str) -> Option<u64> {
        match self {
            Self::Planned(plan) => plan
                .ids()
                .index_of(transaction_id)
                .filter(|index| *index < plan.count),
            Self::Listed { rows, .. } => rows
                .iter()
                .position(|row| row.transaction_id == transaction_id)
                .map(|index| index as u64),
        }
    }

    /// Rows that may still be pending; all others are known to be posted.
    pub(crate) fn pending_indexes(&self) -> std::ops::Range<u64> {
        match self {
            Self::Planned(plan) => plan.count.saturating_sub(plan.pending)..plan.count,
            Self::Listed { rows, .. } => 0..rows.len() as u64,
        }
    }
}

impl Plan {
    fn ids(&self) -> Seed {
        Seed(self.seed).of("transaction")
    }

    fn day_of(&self, index: u64) -> u64 {
        u64::try_from(u128::from(index) * u128::from(self.days) / u128::from(self.count.max(1)))
            .unwrap_or(0)
    }

    /// The oldest row that is less than `days` old.
    fn first_within(&self, days: u64) -> u64 {
        let day = self.days.saturating_sub(days);
        u64::try_from(
            (u128::from(day) * u128::from(self.count)).div_ceil(u128::from(self.days.max(1))),
        )
        .unwrap_or(0)
    }

    fn row(&self, index: u64) -> Transaction {
        let day = self.day_of(index);
        let slot = index - self.first_within(self.days - day).min(index);
        let days_back = self.days - 1 - day;
        let date = self
            .last_day
            .checked_sub_days(Days::new(days_back))
            .unwrap_or(self.last_day);
        // Counted from the last day, so that asking for more history adds rows and changes none.
        let chance = Seed(self.seed).of("row").at(days_back << 32 | slot);
        let id = self.ids().indexed_id(index);
        let mut row = match calendar::due_on(date, slot) {
            Some(recurring) => self.recurring(id, recurring, date),
            None => self.everyday(id, chance, date),
        };
        if index >= self.count.saturating_sub(self.pending) {
            row.pending = true;
            row.authorized_date = Some(row.date);
        }
        row
    }

    fn everyday(&self, id: String, chance: Seed, date: NaiveDate) -> Transaction {
        let by_card = chance.at(1).below(10) < 6;
        let account = if by_card { &self.card } else { &self.checking };
        purchase::everyday(id, account.clone(), chance, date, &self.currency)
    }

    /// A purchase that appears after linking, for refreshes and for rows a test adds.
    pub(crate) fn fresh(&self, id: String, chance: Seed, date: NaiveDate) -> Transaction {
        Transaction {
            pending: true,
            authorized_date: Some(date),
            ..self.everyday(id, chance, date)
        }
    }

    fn recurring(&self, id: String, due: &'static Recurring, date: NaiveDate) -> Transaction {
        let account = match due.on {
            Payer::Checking => &self.checking,
            Payer::Saving => &self.saving,
            Payer::Card => &self.card,
        };
        let mut row = Transaction::plain(
            id,
            account.clone(),
            Decimal::new(due.cents, 2),
            date,
            Cow::Borrowed(due.name),
        );
        row.iso_currency_code = Some(self.currency.clone());
        if due.code == "cashback" {
            row.amount = Decimal::new(due.cents, 8);
            row.iso_currency_code = None;
            row.unofficial_currency_code = Some(Cow::Borrowed("BTC"));
        }
        row.authorized_date = date.checked_sub_signed(TimeDelta::days(1));
        row.merchant_name = due.merchant.map(Cow::Borrowed);
        row.website = due.website.map(Cow::Borrowed);
        row.transaction_code = Some(Cow::Borrowed(due.code));
        row.transaction_type = Cow::Borrowed("special");
        row.check_number = due
            .name
            .strip_prefix("Check ")
            .and_then(|rest| rest.split(' ').next())
            .map(Cow::Borrowed);
        row.personal_finance_category = Some(category(due.primary, due.detailed));
        row.personal_finance_category_icon_url = purchase::icon(due.primary);
        row.counterparties = due
            .merchant
            .map(|name| counterparty(name, due))
            .into_iter()
            .collect();
        row.payment_meta = papers(due);
        row
    }
}

fn papers(due: &'static Recurring) -> PaymentMeta {
    if due.code != "direct debit" {
        return PaymentMeta::default();
    }
    PaymentMeta {
        ppd_id: due
            .name
            .rsplit_once("ID: ")
            .map(|(_, id)| Cow::Borrowed(id)),
        payee: due.merchant.filter(|_| due.cents > 0).map(Cow::Borrowed),
        payer: due.merchant.filter(|_| due.cents < 0).map(Cow::Borrowed),
        payment_method: Some(Cow::Borrowed("ACH")),
        ..PaymentMeta::default()
    }
}

fn category(primary: &'static str, detailed: &'static str) -> Category {
    Category {
        primary: Cow::Borrowed(primary),
        detailed: Cow::Borrowed(detailed),
        confidence_level: Some(Cow::Borrowed("VERY_HIGH")),
        version: None,
    }
}

fn counterparty(name: &'static str, due: &'static Recurring) -> Counterparty {
    Counterparty {
        name: Cow::Borrowed(name),
        r#type: Cow::Borrowed(due.counterparty),
        website: due.website.map(Cow::Borrowed),
        logo_url: None,
        entity_id: Some(Cow::Owned(Seed(0).of(name).id(37))),
        confidence_level: Some(Cow::Borrowed("HIGH")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(count: u64, days: u64) -> Plan {
        Plan {
            seed: 1,
            count,
            days,
            last_day: NaiveDate::from_ymd_opt(2026, 3, 31).unwrap(),
            pending: 0,
            currency: Cow::Borrowed("USD"),
            checking: "checking".into(),
            saving: "saving".into(),
            card: "card".into(),
        }
    }

    #[test]
    fn more_history_adds_rows_and_changes_none() {
        let short = History::Planned(plan(180, 90));
        let long = History::Planned(plan(1460, 730));
        for back in 1..=180 {
            let (few, many) = (
                short.row(180 - back).unwrap(),
                long.row(1460 - back).unwrap(),
            );
            assert_eq!(
                (few.date, few.amount, few.name),
                (many.date, many.amount, many.name)
            );
        }
    }

    #[test]
    fn every_row_has_one_position_and_the_newest_come_first() {
        let history = History::Planned(plan(1000, 365));
        let initial = history.initial_len();
        assert!((80..=84).contains(&initial), "{initial}");
        for position in 0..1000 {
            let index = history.index_at(position);
            assert_eq!(history.position_of(index), position);
            let id = history.row(index).unwrap().transaction_id;
            assert_eq!(history.index_of(&id), Some(index));
        }
        assert!(
            history.row(history.index_at(0)).unwrap().date
                > history.row(history.index_at(initial)).unwrap().date
        );
    }

    #[test]
    fn thirty_days_hold_pay_and_rent_of_one_amount() {
        let history = History::Planned(plan(180, 90));
        let rows: Vec<_> = (0..180).filter_map(|index| history.row(index)).collect();
        let pay: Vec<_> = rows
            .iter()
            .filter(|row| row.name.contains("PAYROLL"))
            .collect();
        assert!(
            pay.len() >= 6
                && pay
                    .iter()
                    .all(|row| row.amount == pay[0].amount && row.amount < Decimal::ZERO)
        );
        assert_eq!(
            rows.iter().filter(|row| row.name.contains("RENT")).count(),
            3
        );
    }
}
