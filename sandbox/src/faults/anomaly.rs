//! Odd data in an otherwise sound page: what real banks have been seen to send, and a little worse.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// An oddity, planted on the first row of a page: of those added, with Plaid; of those listed, with MX.
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
    /// The amount is -12.34: for Plaid a refund, for MX a sign where there should be none.
    NegativeAmount,
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
    /// There is always more: `has_more` is true with the cursor standing still, or another page is promised.
    Endless,
}

/// What a face calls the list, and the fields that oddities are planted in.
struct Words {
    list: &'static str,
    id: &'static str,
    account: &'static str,
    name: &'static str,
    currency: &'static str,
}

const PLAID: Words = Words {
    list: "added",
    id: "transaction_id",
    account: "account_id",
    name: "name",
    currency: "iso_currency_code",
};

const MX: Words = Words {
    list: "transactions",
    id: "guid",
    account: "account_guid",
    name: "description",
    currency: "currency_code",
};

/// The body with the oddity in it; nothing if there is no place for it.
pub(crate) fn plant(anomaly: Anomaly, body: &[u8]) -> Option<Vec<u8>> {
    let mut page: Value = serde_json::from_slice(body).ok()?;
    let words = if page.get(MX.list).is_some() {
        MX
    } else {
        PLAID
    };
    match anomaly {
        Anomaly::Endless if words.list == MX.list => {
            let next = page["pagination"]["current_page"].as_u64()? + 1;
            page["pagination"]["total_pages"] = next.into();
        }
        Anomaly::Endless => page["has_more"] = true.into(),
        Anomaly::RemoveUnknown => {
            let ghost = serde_json::json!({ "transaction_id": "nobodyEverHeardOfThisTransaction00001", "account_id": "nobodyEverHeardOfThisAccount000000001" });
            page.get_mut("removed")?.as_array_mut()?.push(ghost);
        }
        Anomaly::ModifyUnknown => {
            let mut ghost = page[words.list].get(0)?.clone();
            ghost[words.id] = "nobodyEverHeardOfThisTransaction00002".into();
            page.get_mut("modified")?.as_array_mut()?.push(ghost);
        }
        Anomaly::SameIdTwice => {
            let mut twin = page[words.list].get(0)?.clone();
            twin[words.name] = "THE SAME ID AGAIN".into();
            page[words.list].as_array_mut()?.push(twin);
        }
        _ => spoil(page[words.list].get_mut(0)?, anomaly, &words),
    }
    serde_json::to_vec(&page).ok()
}

fn spoil(row: &mut Value, anomaly: Anomaly, words: &Words) {
    let number =
        |text: &str| serde_json::from_str::<Number>(text).map_or(Value::Null, Value::Number);
    let (field, value) = match anomaly {
        Anomaly::UnknownAccount => (
            words.account,
            "nobodyEverHeardOfThisAccount000000001".into(),
        ),
        Anomaly::HugeAmount => ("amount", number("1000000000000000")),
        Anomaly::EndlessAmount => ("amount", number(&"7".repeat(200))),
        Anomaly::NegativeZeroAmount => ("amount", number("-0.00")),
        Anomaly::NegativeAmount => ("amount", number("-12.34")),
        Anomaly::HalfCentAmount => ("amount", number("0.005")),
        Anomaly::NullAmount => ("amount", Value::Null),
        Anomaly::TextAmount => ("amount", "12.34".into()),
        Anomaly::ExponentAmount => ("amount", number("1e3")),
        Anomaly::NulName => (words.name, "NUL\u{0}IN\u{0}NAME".into()),
        Anomaly::LongName => (words.name, "long ".repeat(13_108).into()),
        Anomaly::RightToLeftName => (words.name, "\u{202e}متجر\u{2066} שלום \u{200f}🏦".into()),
        Anomaly::FirstDate => ("date", "0001-01-01".into()),
        Anomaly::LastDate => ("date", "9999-12-31".into()),
        Anomaly::NoDate => ("date", "2026-02-30".into()),
        Anomaly::UnknownCurrency => (words.currency, "XXX".into()),
        Anomaly::NoCurrency => {
            if let Some(unofficial) = row.get_mut("unofficial_currency_code") {
                *unofficial = Value::Null;
            }
            (words.currency, Value::Null)
        }
        _ if words.list == MX.list => {
            row["type"] = "SIDEWAYS".into();
            row["category"] = "Unheard Of".into();
            ("status", "SOMEDAY".into())
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
