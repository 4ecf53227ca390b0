//! Odd data in an otherwise sound page: what real banks have been seen to send, and a little worse.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// An oddity, planted on the first added row of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Anomaly {
    /// The row comes twice under one id.
    SameIdTwice,
    /// The row belongs to an account nobody heard of.
    UnknownAccount,
    /// The amount is 1000000000000000.
    HugeAmount,
    /// The amount has two hundred digits.
    EndlessAmount,
    /// The amount is written as -0.00.
    NegativeZeroAmount,
    /// The amount is half a cent.
    HalfCentAmount,
    /// The amount is null.
    NullAmount,
    /// The amount is text.
    TextAmount,
    /// The amount is written as 1e3.
    ExponentAmount,
    /// Words in closed-looking lists that nobody knows.
    UnknownWords,
    /// The name holds a NUL.
    NulName,
    /// The name is 64 KiB long.
    LongName,
    /// The name is written from right to left, with marks that turn the text around it.
    RightToLeftName,
    /// The date is the first of the year 1.
    FirstDate,
    /// The date is the last of the year 9999.
    LastDate,
    /// The date is no date.
    NoDate,
    /// Neither currency is given.
    NoCurrency,
    /// The currency is `XXX`.
    UnknownCurrency,
    /// A removal of an id nobody heard of.
    RemoveUnknown,
    /// A modification of an id nobody heard of.
    ModifyUnknown,
    /// `has_more` is true for ever, with the cursor standing still.
    Endless,
}

/// The body with the oddity in it; nothing if there is no place for it.
pub(crate) fn plant(anomaly: Anomaly, body: &[u8]) -> Option<Vec<u8>> {
    let mut page: Value = serde_json::from_slice(body).ok()?;
    match anomaly {
        Anomaly::Endless => page["has_more"] = true.into(),
        Anomaly::RemoveUnknown => {
            let ghost = serde_json::json!({ "transaction_id": "nobodyEverHeardOfThisTransaction00001", "account_id": "nobodyEverHeardOfThisAccount000000001" });
            page["removed"].as_array_mut()?.push(ghost);
        }
        Anomaly::ModifyUnknown => {
            let mut ghost = page["added"].get(0)?.clone();
            ghost["transaction_id"] = "nobodyEverHeardOfThisTransaction00002".into();
            page["modified"].as_array_mut()?.push(ghost);
        }
        Anomaly::SameIdTwice => {
            let mut twin = page["added"].get(0)?.clone();
            twin["name"] = "THE SAME ID AGAIN".into();
            page["added"].as_array_mut()?.push(twin);
        }
        _ => spoil(page["added"].get_mut(0)?, anomaly),
    }
    serde_json::to_vec(&page).ok()
}

fn spoil(row: &mut Value, anomaly: Anomaly) {
    let number =
        |text: &str| serde_json::from_str::<Number>(text).map_or(Value::Null, Value::Number);
    let (field, value) = match anomaly {
        Anomaly::UnknownAccount => ("account_id", "nobodyEverHeardOfThisAccount000000001".into()),
        Anomaly::HugeAmount => ("amount", number("1000000000000000")),
        Anomaly::EndlessAmount => ("amount", number(&"7".repeat(200))),
        Anomaly::NegativeZeroAmount => ("amount", number("-0.00")),
        Anomaly::HalfCentAmount => ("amount", number("0.005")),
        Anomaly::NullAmount => ("amount", Value::Null),
        Anomaly::TextAmount => ("amount", "12.34".into()),
        Anomaly::ExponentAmount => ("amount", number("1e3")),
        Anomaly::NulName => ("name", "NUL\u{0}IN\u{0}NAME".into()),
        Anomaly::LongName => ("name", "long ".repeat(13_108).into()),
        Anomaly::RightToLeftName => ("name", "\u{202e}متجر\u{2066} שלום \u{200f}🏦".into()),
        Anomaly::FirstDate => ("date", "0001-01-01".into()),
        Anomaly::LastDate => ("date", "9999-12-31".into()),
        Anomaly::NoDate => ("date", "2026-02-30".into()),
        Anomaly::UnknownCurrency => ("iso_currency_code", "XXX".into()),
        Anomaly::NoCurrency => {
            row["unofficial_currency_code"] = Value::Null;
            ("iso_currency_code", Value::Null)
        }
        _ => {
            row["transaction_code"] = "telepathy".into();
            row["personal_finance_category"] =
                serde_json::json!({ "primary": "UNHEARD_OF", "detailed": "UNHEARD_OF_THINGS" });
            ("payment_channel", "by pigeon".into())
        }
    };
    row[field] = value;
}
