//! Pages of transactions. Each row is read by itself: one that cannot be true (no identifier, no exact
//! amount, no direction, no day) is left out and counted. Here MX's sign ends: its amounts have none,
//! and `type` says which way the money went.
//!
//! A posted transaction of MX's has another guid than the pending one and does not name it, so the two
//! are two: the pending one goes when it is not listed any more. Nothing is matched by guessing.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::{
    error::ProviderError,
    providers::{
        Transaction,
        http::unanswered,
        lenient::{Text, date, decimal, identifier, moment, object},
    },
};

/// From so many rows on, a page without one good row is a format we do not know.
const FORMAT_DOUBT: usize = 20;

/// A transaction as MX tells it.
/// <https://docs.mx.com/api-reference/platform-api/reference/transactions>
#[derive(Deserialize)]
struct Row<'a> {
    guid: String,
    account_guid: String,
    #[serde(borrow)]
    amount: &'a RawValue,
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    status: Text,
    #[serde(default)]
    date: Text,
    #[serde(default)]
    transacted_at: Text,
    #[serde(default)]
    posted_at: Text,
    #[serde(default)]
    description: Text,
    #[serde(default)]
    original_description: Text,
    #[serde(default)]
    category: Text,
    #[serde(default)]
    top_level_category: Text,
    #[serde(default)]
    currency_code: Text,
    #[serde(default, borrow)]
    latitude: Option<&'a RawValue>,
    #[serde(default, borrow)]
    longitude: Option<&'a RawValue>,
}

/// The rows of a page.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) read: Vec<Transaction>,
    /// How many were left out.
    pub(super) rejected: u32,
    /// The guids of those that were left out and have one.
    pub(super) unreadable: Vec<String>,
}

/// Reads the rows of a page.
pub(super) fn rows(rows: &[&RawValue]) -> Result<Rows, ProviderError> {
    let mut told = Rows::default();
    for row in rows {
        match transaction(row) {
            Ok(transaction) => told.read.push(transaction),
            Err(reason) => {
                told.rejected += 1;
                told.unreadable.extend(guid(row));
                tracing::debug!(reason, "Left out a row of MX's that cannot be true");
            }
        }
    }
    if rows.len() >= FORMAT_DOUBT && told.read.is_empty() {
        let detail = format!("none of the {} rows of a page can be read", rows.len());
        return Err(unanswered("malformed", &detail));
    }
    Ok(told)
}

fn transaction(json: &RawValue) -> Result<Transaction, &'static str> {
    let row: Row<'_> = object(json.get()).ok_or("no transaction")?;
    let amount = decimal(row.amount).ok_or("no exact amount")?;
    let transacted = row.transacted_at.as_str();
    let day = [row.date.as_str(), row.posted_at.as_str(), transacted]
        .into_iter()
        .find_map(day);
    let cleaned = row.description.0.clone();
    Ok(Transaction {
        provider_transaction_id: identifier(row.guid).ok_or("no usable id")?,
        provider_account_id: identifier(row.account_guid).ok_or("no usable account id")?,
        provider_pending_id: None,
        amount: our_sign(amount, row.kind.as_str()).ok_or("no direction")?,
        currency: row.currency_code.0,
        date: day.ok_or("no date")?,
        authorized_date: self::day(transacted),
        datetime: moment(transacted).filter(|_| transacted.contains('T')),
        name: row
            .original_description
            .0
            .or(row.description.0)
            .unwrap_or_default(),
        merchant_name: cleaned,
        category_primary: row.top_level_category.0,
        category_detailed: row.category.0,
        pending: row.status.as_str() == "PENDING",
        payment_channel: None,
        location: location(row.latitude, row.longitude),
        counterparties: None,
    })
}

/// The guid of a row of which nothing else can be read.
fn guid(json: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        guid: String,
    }
    identifier(object::<Named>(json.get())?.guid)
}

/// The day of a date or a moment.
fn day(text: &str) -> Option<chrono::NaiveDate> {
    date(text.get(..10)?)
}

/// MX's amounts have no sign; should one have it, its direction still counts.
fn our_sign(amount: Decimal, kind: &str) -> Option<Decimal> {
    let amount = amount.abs();
    match kind {
        _ if amount.is_zero() => Some(Decimal::ZERO),
        "DEBIT" => Some(-amount),
        "CREDIT" => Some(amount),
        _ => None,
    }
}

fn location(latitude: Option<&RawValue>, longitude: Option<&RawValue>) -> Option<String> {
    let degrees = |number: Option<&RawValue>| {
        let exact = decimal(number?)?.to_string();
        serde_json::from_str(&exact).ok().map(Value::Number)
    };
    let mut place = Map::new();
    for (name, degrees) in [
        ("latitude", degrees(latitude)),
        ("longitude", degrees(longitude)),
    ] {
        place.extend(degrees.map(|degrees| (name.to_owned(), degrees)));
    }
    (!place.is_empty()).then(|| Value::Object(place).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Transaction, &'static str> {
        transaction(serde_json::from_str(json).unwrap())
    }

    fn row(changes: &str) -> String {
        let row = r#"{"guid":"TRN-1","account_guid":"ACT-1","amount":61.005,"type":"DEBIT","status":"PENDING",
            "date":"2026-01-31","transacted_at":"2026-01-30T12:00:00Z","posted_at":null,"currency_code":null,
            "description":"Coffee","original_description":"COFFEE 123","category":"Coffee Shops",
            "top_level_category":"Food & Dining","latitude":40.25,"longitude":null"#;
        format!("{row}{changes}}}")
    }

    #[test]
    fn a_transaction_is_read_with_our_sign() {
        let read_one = read(&row("")).unwrap();
        assert_eq!(read_one.amount, "-61.005".parse().unwrap());
        assert_eq!(read_one.date.to_string(), "2026-01-31");
        assert_eq!(read_one.authorized_date.unwrap().to_string(), "2026-01-30");
        assert_eq!(
            (read_one.name.as_str(), read_one.pending),
            ("COFFEE 123", true)
        );
        assert_eq!(read_one.merchant_name.as_deref(), Some("Coffee"));
        assert_eq!(read_one.currency, None, "as in the account");
        assert_eq!(read_one.location.as_deref(), Some(r#"{"latitude":40.25}"#));
        for (amount, kind, ours) in [
            ("5", "CREDIT", Some("5")),
            ("-5", "DEBIT", Some("-5")),
            ("-5", "CREDIT", Some("5")),
            ("-0.0", "", Some("0")),
            ("5", "", None),
            ("5", "SIDEWAYS", None),
        ] {
            let amount = Decimal::from_str_exact(amount).unwrap();
            let ours = ours.map(|ours| Decimal::from_str_exact(ours).unwrap());
            assert_eq!(our_sign(amount, kind), ours, "{amount} {kind}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_true_costs_no_other() {
        let good: Box<RawValue> = serde_json::from_str(&row("")).unwrap();
        let bad: Box<RawValue> = serde_json::from_str(r#"{"guid":"TRN-2"}"#).unwrap();
        let nameless: Box<RawValue> = serde_json::from_str(r#"{"guid":7}"#).unwrap();
        let told = rows(&[&bad, &good, &nameless]).unwrap();
        assert_eq!((told.read.len(), told.rejected), (1, 2));
        assert_eq!(told.unreadable, ["TRN-2"]);
        assert!(rows(&[&*bad; FORMAT_DOUBT]).is_err());
        assert!(rows(&[]).unwrap().read.is_empty());
    }
}
