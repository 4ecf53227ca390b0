//! Accounts and their balances. Only the identifier is required: an account that were left out for
//! an odd balance would be taken for closed.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Text, decimal, identifier, moment, object};
use crate::providers::{Account, AccountKind};

/// An account as Plaid tells it. <https://plaid.com/docs/api/accounts/#accounts-get-response-accounts>
#[derive(Deserialize)]
struct Row<'a> {
    account_id: String,
    #[serde(default)]
    name: Text,
    #[serde(default)]
    official_name: Text,
    #[serde(default)]
    mask: Text,
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    subtype: Text,
    #[serde(default, borrow)]
    balances: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Balances<'a> {
    #[serde(default, borrow)]
    current: Option<&'a RawValue>,
    #[serde(default, borrow)]
    available: Option<&'a RawValue>,
    #[serde(default, borrow)]
    limit: Option<&'a RawValue>,
    #[serde(default)]
    iso_currency_code: Text,
    #[serde(default)]
    unofficial_currency_code: Text,
    #[serde(default)]
    last_updated_datetime: Text,
}

/// Reads one account; nothing if it cannot be told from others.
pub(super) fn account(json: &RawValue) -> Option<Account> {
    let row: Row<'_> = object(json.get())?;
    let provider_account_id = identifier(row.account_id)?;
    let balances: Balances<'_> = row
        .balances
        .and_then(|json| object(json.get()))
        .unwrap_or_default();
    Some(Account {
        provider_account_id,
        name: row
            .name
            .0
            .or_else(|| row.official_name.0.clone())
            .unwrap_or_else(|| "Account".to_owned()),
        official_name: row.official_name.0,
        mask: row.mask.0,
        kind: kind(row.kind.as_str()),
        subtype: row.subtype.0,
        current: amount(balances.current),
        available: amount(balances.available),
        limit: amount(balances.limit),
        balances_at: moment(balances.last_updated_datetime.as_str()),
        currency: balances
            .iso_currency_code
            .0
            .or(balances.unofficial_currency_code.0),
        closed: false,
    })
}

/// A balance keeps Plaid's sign, which is ours: held is positive, and so is owed on a card or loan.
fn amount(number: Option<&RawValue>) -> Option<Decimal> {
    number.and_then(decimal)
}

/// Plaid adds types at will; what we do not know is `other`. `brokerage` is what older Plaid accounts
/// are told for investments.
fn kind(word: &str) -> AccountKind {
    match word {
        "depository" => AccountKind::Depository,
        "credit" => AccountKind::Credit,
        "loan" => AccountKind::Loan,
        "investment" | "brokerage" => AccountKind::Investment,
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
            r#"{"account_id":"a1","name":"Plaid Checking","official_name":null,"mask":"0000",
                "type":"credit","subtype":"credit card","persistent_account_id":"p","balances":
                {"current":410,"available":null,"limit":2000.005,"iso_currency_code":"USD",
                 "unofficial_currency_code":null,"last_updated_datetime":"2026-01-05T00:00:00Z"}}"#,
        )
        .unwrap();
        assert_eq!(account.kind, AccountKind::Credit);
        assert_eq!(account.current, Some(Decimal::from(410)));
        assert_eq!(account.available, None);
        assert_eq!(account.limit, Some("2000.005".parse().unwrap()));
        assert_eq!(account.currency.as_deref(), Some("USD"));
        assert!(account.balances_at.is_some());
    }

    #[test]
    fn an_odd_account_is_still_an_account() {
        for odd in [
            r#"{"account_id":"a1"}"#,
            r#"{"account_id":"a1","name":null,"balances":null,"type":"payroll","subtype":null}"#,
            r#"{"account_id":"a1","name":7,"balances":[1],"type":{}}"#,
            r#"{"account_id":"a1","balances":{"current":"12","available":1e400,"limit":true}}"#,
        ] {
            let account = read(odd).unwrap();
            assert_eq!(account.name, "Account");
            assert_eq!(account.kind, AccountKind::Other);
            assert_eq!((account.current, account.available), (None, None));
        }
        for nameless in [
            "null",
            "5",
            "{}",
            r#"{"account_id":null}"#,
            r#"{"account_id":""}"#,
        ] {
            assert!(read(nameless).is_none(), "{nameless}");
        }
    }

    #[test]
    fn money_of_no_state_keeps_its_name() {
        let json =
            r#"{"account_id":"a1","balances":{"unofficial_currency_code":"DOGE","current":-0.00}}"#;
        let account = read(json).unwrap();
        assert_eq!(account.currency.as_deref(), Some("DOGE"));
        assert_eq!(account.current.unwrap().to_string(), "0");
    }
}
