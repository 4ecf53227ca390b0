//! A transaction in MX's words, made from what the bank's generator says in Plaid's.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::bank::transaction::Transaction;
use crate::mx::category;
use crate::seed::Seed;

/// One row as `/transactions` lists it, but for whose it is. Keys that are always null here are given all the same, as MX gives them.
#[expect(clippy::struct_excessive_bools, reason = "the switches are MX's")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) guid: String,
    pub(crate) id: Option<String>,
    pub(crate) account_guid: String,
    pub(crate) account_id: Option<String>,
    /// Never signed; `type` says the direction. An option, for banks that tell none.
    #[serde(with = "exact")]
    pub(crate) amount: Option<Decimal>,
    pub(crate) r#type: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) date: NaiveDate,
    #[serde(with = "stamp_option")]
    pub(crate) transacted_at: Option<DateTime<Utc>>,
    #[serde(with = "stamp_option")]
    pub(crate) posted_at: Option<DateTime<Utc>>,
    #[serde(with = "stamp")]
    pub(crate) created_at: DateTime<Utc>,
    #[serde(with = "stamp")]
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) description: Option<String>,
    pub(crate) original_description: Option<String>,
    pub(crate) memo: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) category_guid: Option<String>,
    pub(crate) top_level_category: Option<String>,
    pub(crate) merchant_guid: Option<String>,
    pub(crate) merchant_category_code: Option<u32>,
    pub(crate) currency_code: Option<String>,
    pub(crate) check_number_string: Option<String>,
    #[serde(with = "exact")]
    pub(crate) latitude: Option<Decimal>,
    #[serde(with = "exact")]
    pub(crate) longitude: Option<Decimal>,
    pub(crate) is_bill_pay: bool,
    pub(crate) is_direct_deposit: bool,
    pub(crate) is_expense: bool,
    pub(crate) is_fee: bool,
    pub(crate) is_income: bool,
    pub(crate) is_international: Option<bool>,
    pub(crate) is_overdraft_fee: bool,
    pub(crate) is_payroll_advance: bool,
    pub(crate) is_recurring: Option<bool>,
    pub(crate) is_subscription: bool,
}

impl Row {
    /// What a bank's transaction looks like through MX, which first saw it `at`.
    pub(crate) fn of(made: &Transaction, at: DateTime<Utc>) -> Self {
        let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or(NaiveTime::MIN);
        let (category, top) = category::of(made.personal_finance_category.as_ref());
        let income = top == "Income";
        // MX knows no invented currencies: what the generator counts in bitcoin is cents here.
        let mut amount = made.amount.abs();
        if made.iso_currency_code.is_none() {
            let _ = amount.set_scale(2);
        }
        let transacted = made.authorized_date.unwrap_or(made.date);
        Self {
            guid: guid("TRN", Seed(0).of(&made.transaction_id)),
            id: Some(made.transaction_id.clone()),
            account_guid: made.account_id.clone(),
            account_id: None,
            amount: Some(amount),
            r#type: Some(direction(made.amount).to_owned()),
            status: Some(if made.pending { "PENDING" } else { "POSTED" }.to_owned()),
            date: made.date,
            transacted_at: Some(transacted.and_time(noon).and_utc()),
            posted_at: (!made.pending).then(|| made.date.and_time(noon).and_utc()),
            created_at: at,
            updated_at: at,
            description: Some(
                made.merchant_name
                    .as_ref()
                    .unwrap_or(&made.name)
                    .to_string(),
            ),
            original_description: Some(made.name.to_string()),
            memo: None,
            category: Some(category.to_owned()),
            category_guid: Some(guid("CAT", Seed(0).of("category").of(category))),
            top_level_category: Some(top.to_owned()),
            merchant_guid: made
                .merchant_name
                .as_ref()
                .map(|name| guid("MCH", Seed(0).of("merchant").of(name))),
            merchant_category_code: None,
            // Seen with MX: no code where it is the account's own, while the row is pending.
            currency_code: made
                .iso_currency_code
                .as_ref()
                .filter(|_| !made.pending)
                .map(ToString::to_string),
            check_number_string: made.check_number.as_ref().map(ToString::to_string),
            latitude: made.location.lat,
            longitude: made.location.lon,
            is_bill_pay: top == "Bills & Utilities",
            is_direct_deposit: income,
            is_expense: made.amount > Decimal::ZERO && top != "Transfer",
            is_fee: top == "Fees & Charges",
            is_income: income,
            is_international: None,
            is_overdraft_fee: false,
            is_payroll_advance: false,
            is_recurring: None,
            is_subscription: category == "Streaming",
        }
    }

    /// A row with nothing but what every row has: one unit, spent and posted today.
    pub(crate) fn plain(guid: String, account_guid: String, at: DateTime<Utc>) -> Self {
        let name = "ADDED BY CONTROL".into();
        let made = Transaction::plain(
            guid.clone(),
            account_guid,
            Decimal::ONE,
            at.date_naive(),
            name,
        );
        Self {
            guid,
            ..Self::of(&made, at)
        }
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.status.as_deref() == Some("PENDING")
    }

    /// The posted row that takes the place of this pending one. Nothing in it names the other: MX gives no such link.
    pub(crate) fn posted_as(&self, guid: String, at: DateTime<Utc>) -> Self {
        let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or(NaiveTime::MIN);
        let date = at.date_naive().max(self.date);
        Self {
            id: Some(format!("{guid}-posted")),
            guid,
            status: Some("POSTED".to_owned()),
            date,
            posted_at: Some(date.and_time(noon).and_utc()),
            created_at: at,
            updated_at: at,
            ..self.clone()
        }
    }
}

/// MX's word for the direction of an amount that is positive when money leaves the account.
fn direction(amount: Decimal) -> &'static str {
    if amount < Decimal::ZERO {
        "CREDIT"
    } else {
        "DEBIT"
    }
}

/// A guid of MX's kind.
pub(crate) fn guid(prefix: &str, seed: Seed) -> String {
    format!("{prefix}-{}", seed.uuid())
}

/// A moment as MX writes one: to the second, with a `Z`.
pub(crate) fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(crate) use rust_decimal::serde::arbitrary_precision_option as exact;

/// A moment in MX's form.
pub(crate) mod stamp {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(at: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&super::written(*at))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<DateTime<Utc>, D::Error> {
        DateTime::deserialize(from)
    }
}

/// A moment in MX's form, or null.
pub(crate) mod stamp_option {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the shape that serde calls for")]
    pub(crate) fn serialize<S: Serializer>(
        at: &Option<DateTime<Utc>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => to.serialize_str(&super::written(*at)),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        Option::deserialize(from)
    }
}
