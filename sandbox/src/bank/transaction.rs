//! A transaction in Plaid's words. Text is borrowed from the tables where it can be, since a first sync writes a hundred thousand of these.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Text that is either in a table or owned.
pub(crate) type Text = Cow<'static, str>;

/// One row as `/transactions/sync` reports it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) transaction_id: String,
    pub(crate) account_id: String,
    #[serde(with = "rust_decimal::serde::arbitrary_precision")]
    pub(crate) amount: Decimal,
    pub(crate) iso_currency_code: Option<Text>,
    pub(crate) unofficial_currency_code: Option<Text>,
    pub(crate) date: NaiveDate,
    #[serde(default)]
    pub(crate) authorized_date: Option<NaiveDate>,
    #[serde(default)]
    pub(crate) datetime: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(crate) authorized_datetime: Option<DateTime<Utc>>,
    pub(crate) pending: bool,
    #[serde(default)]
    pub(crate) pending_transaction_id: Option<String>,
    pub(crate) name: Text,
    #[serde(default)]
    pub(crate) merchant_name: Option<Text>,
    #[serde(default)]
    pub(crate) merchant_entity_id: Option<Text>,
    #[serde(default)]
    pub(crate) logo_url: Option<Text>,
    #[serde(default)]
    pub(crate) website: Option<Text>,
    #[serde(default)]
    pub(crate) original_description: Option<Text>,
    #[serde(default = "other_channel")]
    pub(crate) payment_channel: Text,
    #[serde(default)]
    pub(crate) transaction_code: Option<Text>,
    #[serde(default = "unresolved")]
    pub(crate) transaction_type: Text,
    #[serde(default)]
    pub(crate) check_number: Option<Text>,
    #[serde(default)]
    pub(crate) account_owner: Option<Text>,
    #[serde(default)]
    pub(crate) personal_finance_category: Option<Category>,
    #[serde(default = "generic_icon")]
    pub(crate) personal_finance_category_icon_url: Text,
    #[serde(default)]
    pub(crate) counterparties: Vec<Counterparty>,
    #[serde(default)]
    pub(crate) location: Location,
    #[serde(default)]
    pub(crate) payment_meta: PaymentMeta,
}

/// Plaid's personal finance category.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Category {
    pub(crate) primary: Text,
    pub(crate) detailed: Text,
    #[serde(default)]
    pub(crate) confidence_level: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<Text>,
}

/// The other side of a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counterparty {
    pub(crate) name: Text,
    pub(crate) r#type: Text,
    #[serde(default)]
    pub(crate) website: Option<Text>,
    #[serde(default)]
    pub(crate) logo_url: Option<Text>,
    #[serde(default)]
    pub(crate) entity_id: Option<Text>,
    #[serde(default)]
    pub(crate) confidence_level: Option<Text>,
}

/// Where it happened; every key is always written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Location {
    pub(crate) address: Option<Text>,
    pub(crate) city: Option<Text>,
    pub(crate) region: Option<Text>,
    pub(crate) postal_code: Option<Text>,
    pub(crate) country: Option<Text>,
    #[serde(with = "rust_decimal::serde::arbitrary_precision_option")]
    pub(crate) lat: Option<Decimal>,
    #[serde(with = "rust_decimal::serde::arbitrary_precision_option")]
    pub(crate) lon: Option<Decimal>,
    pub(crate) store_number: Option<Text>,
}

/// The transfer's own papers; every key is always written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PaymentMeta {
    pub(crate) reference_number: Option<Text>,
    pub(crate) ppd_id: Option<Text>,
    pub(crate) payee: Option<Text>,
    pub(crate) by_order_of: Option<Text>,
    pub(crate) payer: Option<Text>,
    pub(crate) payment_method: Option<Text>,
    pub(crate) payment_processor: Option<Text>,
    pub(crate) reason: Option<Text>,
}

impl Transaction {
    /// A row with nothing but what every row has.
    pub(crate) fn plain(
        transaction_id: String,
        account_id: String,
        amount: Decimal,
        date: NaiveDate,
        name: Text,
    ) -> Self {
        Self {
            transaction_id,
            account_id,
            amount,
            iso_currency_code: Some(Cow::Borrowed("USD")),
            unofficial_currency_code: None,
            date,
            authorized_date: None,
            datetime: None,
            authorized_datetime: None,
            pending: false,
            pending_transaction_id: None,
            name,
            merchant_name: None,
            merchant_entity_id: None,
            logo_url: None,
            website: None,
            original_description: None,
            payment_channel: other_channel(),
            transaction_code: None,
            transaction_type: unresolved(),
            check_number: None,
            account_owner: None,
            personal_finance_category: None,
            personal_finance_category_icon_url: generic_icon(),
            counterparties: Vec::new(),
            location: Location::default(),
            payment_meta: PaymentMeta::default(),
        }
    }

    /// The posted row that takes the place of this pending one.
    pub(crate) fn posted_as(&self, transaction_id: String, date: NaiveDate) -> Self {
        Self {
            transaction_id,
            pending: false,
            pending_transaction_id: Some(self.transaction_id.clone()),
            authorized_date: self.authorized_date.or(Some(self.date)),
            date: date.max(self.date),
            ..self.clone()
        }
    }
}

fn other_channel() -> Text {
    Cow::Borrowed("other")
}

fn unresolved() -> Text {
    Cow::Borrowed("unresolved")
}

fn generic_icon() -> Text {
    Cow::Borrowed("https://plaid-category-icons.plaid.com/PFC_OTHER.png")
}
