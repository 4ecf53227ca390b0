//! Accounts and their balances. Only the identifier is required: an account that were left out for an
//! odd balance would be taken for closed. MX's balances have our sign: what is owed is positive.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::wire::Flag;
use crate::providers::{
    Account, AccountKind,
    lenient::{Text, decimal, identifier, moment, object},
};

/// How much of an account's number is kept.
const MASK: usize = 4;

/// An account as MX tells it. <https://docs.mx.com/api-reference/platform-api/reference/accounts>
#[derive(Deserialize)]
struct Row<'a> {
    guid: String,
    #[serde(default)]
    name: Text,
    #[serde(default)]
    nickname: Text,
    #[serde(default)]
    account_number: Text,
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    subtype: Text,
    #[serde(default, borrow)]
    balance: Option<&'a RawValue>,
    #[serde(default, borrow)]
    available_balance: Option<&'a RawValue>,
    #[serde(default, borrow)]
    available_credit: Option<&'a RawValue>,
    #[serde(default, borrow)]
    credit_limit: Option<&'a RawValue>,
    #[serde(default)]
    currency_code: Text,
    #[serde(default)]
    is_closed: Flag,
    #[serde(default)]
    imported_at: Text,
}

/// Reads an account; nothing if it cannot be told from others.
pub(super) fn account(json: &RawValue) -> Option<Account> {
    let row: Row<'_> = object(json.get())?;
    let provider_account_id = identifier(row.guid)?;
    let amount = |number: Option<&RawValue>| number.and_then(decimal);
    let available: Option<Decimal> =
        amount(row.available_balance).or_else(|| amount(row.available_credit));
    let name = row.nickname.0.or_else(|| row.name.0.clone());
    Some(Account {
        provider_account_id,
        name: name.unwrap_or_else(|| "Account".to_owned()),
        official_name: row.name.0,
        mask: mask(row.account_number.as_str()),
        kind: kind(row.kind.as_str()),
        subtype: row.subtype.0.or(row.kind.0).map(|word| word.to_lowercase()),
        currency: row.currency_code.0,
        current: amount(row.balance),
        available,
        limit: amount(row.credit_limit),
        balances_at: moment(row.imported_at.as_str()),
        closed: row.is_closed.0,
    })
}

/// The end of a number, which MX gives in full at some banks.
fn mask(number: &str) -> Option<String> {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_alphanumeric).collect();
    let end = &digits[digits.len().saturating_sub(MASK)..];
    (!end.is_empty()).then(|| end.iter().collect())
}

/// MX adds types at will; what we do not know is `other`.
fn kind(word: &str) -> AccountKind {
    match word {
        "CASH" | "CHECKING" | "SAVINGS" | "PREPAID" => AccountKind::Depository,
        "CREDIT_CARD" | "LINE_OF_CREDIT" | "CHECKING_LINE_OF_CREDIT" => AccountKind::Credit,
        "LOAN" | "MORTGAGE" => AccountKind::Loan,
        "INVESTMENT" => AccountKind::Investment,
        _ => AccountKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Account> {
        account(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn an_account_is_read_with_its_balances() {
        let account = read(
            r#"{"guid":"ACT-1","name":"Checking","nickname":null,"account_number":"000-123 4567","type":"CREDIT_CARD",
                "balance":1000.005,"available_balance":null,"available_credit":12,"credit_limit":5000,
                "currency_code":"USD","is_closed":false,"imported_at":"2026-01-05T00:00:00Z"}"#,
        );
        let account = account.unwrap();
        assert_eq!(account.kind, AccountKind::Credit);
        assert_eq!(account.mask.as_deref(), Some("4567"));
        assert_eq!(account.current, Some("1000.005".parse().unwrap()));
        assert_eq!(account.available, Some(Decimal::from(12)));
        assert_eq!(account.subtype.as_deref(), Some("credit_card"));
        assert!(account.balances_at.is_some());
    }

    #[test]
    fn an_odd_account_is_still_an_account_and_a_closed_one_too() {
        let odd = read(r#"{"guid":"ACT-1","balance":"12","type":{},"is_closed":null}"#).unwrap();
        assert_eq!((odd.name.as_str(), odd.current), ("Account", None));
        assert_eq!((odd.kind, odd.mask), (AccountKind::Other, None));
        let closed = read(r#"{"guid":"ACT-1","name":"Old","is_closed":true}"#).unwrap();
        assert!(closed.closed && !odd.closed && closed.name == "Old");
        assert!(read(r#"{"name":"nobody"}"#).is_none());
    }
}
