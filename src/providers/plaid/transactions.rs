//! Pages of transactions. Each row is read by itself: one that cannot be true (no identifier, no
//! exact amount, no day) is left out and counted, and the rest of its page survives. Here Plaid's
//! sign ends: it says positive for money that leaves, we say negative.
//! Refused: reading a page into JSON values first. That alone takes longer than all that is done here,
//! and one broken text would cost the page.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{
    lenient::{Text, date, decimal, identifier, moment, object},
    wire::SyncPage,
};
use crate::{
    error::{ErrorClass, ProviderError},
    providers::{NO_CURRENCY, Page, Readiness, Transaction},
};

/// From so many rows on, a page without one good row is not a page of bad rows but a format we do
/// not know. Taking it would pass over everything in it for ever.
const FORMAT_DOUBT: usize = 20;

/// A transaction as Plaid tells it.
/// <https://plaid.com/docs/api/products/transactions/#transactions-sync-response-added>
#[derive(Deserialize)]
struct Row<'a> {
    transaction_id: String,
    account_id: String,
    #[serde(borrow)]
    amount: &'a RawValue,
    date: Text,
    pending: bool,
    #[serde(default)]
    iso_currency_code: Text,
    #[serde(default)]
    unofficial_currency_code: Text,
    #[serde(default)]
    authorized_date: Text,
    #[serde(default)]
    datetime: Text,
    #[serde(default)]
    pending_transaction_id: Text,
    #[serde(default)]
    name: Text,
    #[serde(default)]
    merchant_name: Text,
    #[serde(default)]
    payment_channel: Text,
    #[serde(default, borrow)]
    personal_finance_category: Option<&'a RawValue>,
    #[serde(default, borrow)]
    location: Option<&'a RawValue>,
    #[serde(default, borrow)]
    counterparties: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Gone {
    transaction_id: String,
}

#[derive(Default, Deserialize)]
struct Category {
    #[serde(default)]
    primary: Text,
    #[serde(default)]
    detailed: Text,
}

#[derive(Deserialize)]
struct Location<'a> {
    #[serde(default)]
    address: Text,
    #[serde(default)]
    city: Text,
    #[serde(default)]
    region: Text,
    #[serde(default)]
    postal_code: Text,
    #[serde(default)]
    country: Text,
    #[serde(default, borrow)]
    lat: Option<&'a RawValue>,
    #[serde(default, borrow)]
    lon: Option<&'a RawValue>,
    #[serde(default)]
    store_number: Text,
}

#[derive(Deserialize)]
struct Counterparty {
    #[serde(default)]
    name: Text,
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    website: Text,
    #[serde(default)]
    logo_url: Text,
    #[serde(default)]
    entity_id: Text,
    #[serde(default)]
    confidence_level: Text,
}

/// Reads the rows of a page.
pub(super) fn page(wire: SyncPage<'_>) -> Result<Page, ProviderError> {
    let mut upserts = Vec::with_capacity(wire.added.len() + wire.modified.len());
    let mut removed = Vec::with_capacity(wire.removed.len());
    let mut rejected = 0_u32;
    for row in wire.added.iter().chain(&wire.modified) {
        match transaction(row) {
            Ok(transaction) => upserts.push(transaction),
            Err(reason) => reject(&mut rejected, reason),
        }
    }
    for row in &wire.removed {
        match gone(row) {
            Ok(id) => removed.push(id),
            Err(reason) => reject(&mut rejected, reason),
        }
    }
    let rows = wire.added.len() + wire.modified.len() + wire.removed.len();
    if rows >= FORMAT_DOUBT && upserts.is_empty() && removed.is_empty() {
        return Err(unknown_format(rows));
    }
    let next_cursor = (!wire.next_cursor.is_empty()).then_some(wire.next_cursor);
    Ok(Page {
        readiness: readiness(
            wire.transactions_update_status.as_str(),
            next_cursor.as_deref(),
        ),
        // Without a cursor there is no way on, whatever is claimed.
        has_more: wire.has_more && next_cursor.is_some(),
        upserts,
        removed,
        rejected,
        next_cursor,
        unreadable: Vec::new(),
        listing: None,
    })
}

fn reject(rejected: &mut u32, reason: &'static str) {
    *rejected += 1;
    tracing::debug!(reason, "Left out a row of Plaid's that cannot be true");
}

fn unknown_format(rows: usize) -> ProviderError {
    ProviderError {
        class: ErrorClass::Retry(None),
        code: "malformed".to_owned(),
        display_message: None,
        request_id: None,
        detail: format!("none of the {rows} rows of a page can be read"),
    }
}

/// An empty cursor says that Plaid has nothing yet, whatever the status says. Statuses that we do not
/// know promise no history. <https://plaid.com/docs/api/products/transactions/#transactionssync>
fn readiness(status: &str, next_cursor: Option<&str>) -> Readiness {
    match (next_cursor, status) {
        (None, _) | (_, "NOT_READY") => Readiness::NotReady,
        (_, "HISTORICAL_UPDATE_COMPLETE") => Readiness::Complete,
        _ => Readiness::Recent,
    }
}

fn gone(json: &RawValue) -> Result<String, &'static str> {
    let row: Gone = object(json.get()).ok_or("removed without an id")?;
    identifier(row.transaction_id).ok_or("no usable id")
}

fn transaction(json: &RawValue) -> Result<Transaction, &'static str> {
    let row: Row<'_> = object(json.get()).ok_or("no transaction")?;
    let category = part::<Category>(row.personal_finance_category).unwrap_or_default();
    let name = row.name.0.or_else(|| row.merchant_name.0.clone());
    Ok(Transaction {
        provider_transaction_id: identifier(row.transaction_id).ok_or("no usable id")?,
        provider_account_id: identifier(row.account_id).ok_or("no usable account id")?,
        provider_pending_id: row.pending_transaction_id.0,
        amount: our_sign(decimal(row.amount).ok_or("no exact amount")?),
        currency: Some(currency(
            row.iso_currency_code,
            row.unofficial_currency_code,
        )),
        date: date(row.date.as_str()).ok_or("no date")?,
        authorized_date: date(row.authorized_date.as_str()),
        datetime: moment(row.datetime.as_str()),
        name: name.unwrap_or_default(),
        merchant_name: row.merchant_name.0,
        category_primary: category.primary.0,
        category_detailed: category.detailed.0,
        pending: row.pending,
        payment_channel: row.payment_channel.0,
        location: part::<Location<'_>>(row.location).and_then(location),
        counterparties: row.counterparties.and_then(counterparties),
    })
}

/// Reads a part of a row that the row can do without.
fn part<'a, T: Deserialize<'a>>(json: Option<&'a RawValue>) -> Option<T> {
    object(json?.get())
}

/// Positive leaves the account at Plaid; negative does with us. There is no negative zero.
fn our_sign(amount: Decimal) -> Decimal {
    if amount.is_zero() { amount } else { -amount }
}

/// At most one of the codes is set; the unofficial one is for what no state issues.
fn currency(iso: Text, unofficial: Text) -> String {
    iso.0
        .or(unofficial.0)
        .unwrap_or_else(|| NO_CURRENCY.to_owned())
}

fn location(place: Location<'_>) -> Option<String> {
    let text = |text: Text| text.0.map(Value::String);
    let degrees = |number: Option<&RawValue>| {
        let exact = decimal(number?)?.to_string();
        serde_json::from_str(&exact).ok().map(Value::Number)
    };
    json_object([
        ("address", text(place.address)),
        ("city", text(place.city)),
        ("region", text(place.region)),
        ("postalCode", text(place.postal_code)),
        ("country", text(place.country)),
        ("latitude", degrees(place.lat)),
        ("longitude", degrees(place.lon)),
        ("storeNumber", text(place.store_number)),
    ])
    .map(|known| known.to_string())
}

fn counterparties(list: &RawValue) -> Option<String> {
    let rows: Vec<&RawValue> = serde_json::from_str(list.get()).ok()?;
    let each = rows.iter().filter_map(|row| object(row.get()));
    let named = each.filter(|party: &Counterparty| party.name.0.is_some());
    let list: Vec<Value> = named.filter_map(counterparty).collect();
    (!list.is_empty()).then(|| Value::Array(list).to_string())
}

fn counterparty(party: Counterparty) -> Option<Value> {
    let text = |text: Text| text.0.map(Value::String);
    json_object([
        ("name", text(party.name)),
        ("type", text(party.kind)),
        ("website", text(party.website)),
        ("logoUrl", text(party.logo_url)),
        ("entityId", text(party.entity_id)),
        ("confidenceLevel", text(party.confidence_level)),
    ])
}

/// A JSON object of what is known; nothing if nothing is.
fn json_object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Option<Value> {
    let known = fields
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let known: Map<String, Value> = known.collect();
    (!known.is_empty()).then_some(Value::Object(known))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FULL: &str = r#"{"transaction_id":"t1","account_id":"a1","amount":89.4,"pending":false,
        "iso_currency_code":"USD","unofficial_currency_code":null,"date":"2026-09-24",
        "authorized_date":"2026-09-22","datetime":"2026-09-24T11:01:01Z","name":"SQ *Purchase",
        "merchant_name":"Walmart","payment_channel":"in store","pending_transaction_id":"p1",
        "personal_finance_category":{"primary":"GENERAL_MERCHANDISE","detailed":"GENERAL_MERCHANDISE_SUPERSTORES"},
        "location":{"address":"13425 Community Rd","city":"Poway","region":"CA","postal_code":"92064",
                    "country":"US","lat":32.959068,"lon":-117.037666,"store_number":null},
        "counterparties":[{"name":"Walmart","type":"merchant","website":"walmart.com","logo_url":null,
                           "entity_id":"O5W5","confidence_level":"VERY_HIGH"}, {"name":null}, 7],
        "payment_meta":{"payee":null},"category":null,"a field of tomorrow":[{}]}"#;

    /// The page with these rows in `added`.
    fn added(rows: &str) -> Page {
        let json = format!(
            r#"{{"added":[{rows}],"modified":[],"removed":[],"next_cursor":"c","has_more":true,
                "transactions_update_status":"HISTORICAL_UPDATE_COMPLETE","request_id":"r"}}"#
        );
        page(serde_json::from_str(&json).unwrap()).unwrap()
    }

    /// A good row with one field set to other JSON.
    fn with(field: &str, json: &str) -> String {
        let mut row: Map<String, Value> = serde_json::from_str(FULL).unwrap();
        row.insert(field.to_owned(), serde_json::from_str(json).unwrap());
        Value::Object(row).to_string()
    }

    #[test]
    fn a_transaction_is_read_whole() {
        let page = added(FULL);
        let [row] = &page.upserts[..] else {
            panic!("{page:?}")
        };
        assert_eq!(row.amount.to_string(), "-89.4");
        assert_eq!(row.currency.as_deref(), Some("USD"));
        assert_eq!(row.provider_pending_id.as_deref(), Some("p1"));
        assert_eq!(row.category_primary.as_deref(), Some("GENERAL_MERCHANDISE"));
        assert_eq!(
            row.location
                .as_ref()
                .map(|text| serde_json::from_str(text).unwrap()),
            Some(
                json!({"address":"13425 Community Rd","city":"Poway","region":"CA","postalCode":"92064",
                        "country":"US","latitude":32.959_068,"longitude":-117.037_666})
            )
        );
        assert_eq!(
            row.counterparties
                .as_ref()
                .map(|text| serde_json::from_str(text).unwrap()),
            Some(
                json!([{"name":"Walmart","type":"merchant","website":"walmart.com",
                         "entityId":"O5W5","confidenceLevel":"VERY_HIGH"}])
            )
        );
        assert_eq!((page.rejected, page.readiness), (0, Readiness::Complete));
    }

    #[test]
    fn money_that_leaves_is_negative_and_zero_has_no_sign() {
        for (plaid, ours) in [
            ("12.5", "-12.5"),
            ("-500", "500"),
            ("-0.00", "0"),
            ("0.0", "0"),
            ("1e15", "-1000000000000000"),
            ("0.005", "-0.005"),
        ] {
            let page = added(&FULL.replace("89.4", plaid));
            assert_eq!(page.upserts[0].amount.to_string(), ours, "{plaid}");
        }
    }

    #[test]
    fn one_bad_row_costs_no_other() {
        let mut bad: Vec<String> = ["null", "7", "{}", "[]", "\"row\""]
            .map(str::to_owned)
            .to_vec();
        for (field, json) in [
            ("transaction_id", "null"),
            ("transaction_id", "\"\""),
            ("transaction_id", "\"a\\u0000b\""),
            ("account_id", "7"),
            ("amount", "null"),
            ("amount", "\"12.50\""),
            ("amount", "{}"),
            ("date", "\"2026-02-30\""),
            ("date", "\"\""),
            ("date", "null"),
            ("pending", "null"),
            ("pending", "\"false\""),
        ] {
            bad.push(with(field, json));
        }
        let digits = "9".repeat(200);
        bad.extend(["1e400", &digits].map(|amount| FULL.replace("89.4", amount)));
        for row in &bad {
            let page = added(&format!("{FULL},{row},{FULL}"));
            assert_eq!((page.upserts.len(), page.rejected), (2, 1), "{row}");
            assert_eq!(page.next_cursor.as_deref(), Some("c"));
        }
    }

    #[test]
    fn a_row_can_do_without_the_rest() {
        let page = added(
            r#"{"transaction_id":"t","account_id":"a","amount":1,"date":"0001-01-01","pending":true},
               {"transaction_id":"u","account_id":"a","amount":1,"date":"9999-12-31","pending":true,
                "name":5,"location":[],"counterparties":{},"personal_finance_category":"X",
                "datetime":"soon","authorized_date":7,"iso_currency_code":null,"payment_channel":[1]}"#,
        );
        assert_eq!((page.upserts.len(), page.rejected), (2, 0));
        for row in page.upserts {
            let told = (row.currency.as_deref(), row.name.as_str());
            assert_eq!(told, (Some("XXX"), ""));
            assert_eq!((row.location, row.counterparties), (None, None));
        }
    }

    #[test]
    fn texts_are_fit_for_the_database() {
        let page = added(&with(
            "name",
            &format!("\"a\\u0000{}\"", "\u{202e}😀".repeat(10_000)),
        ));
        let name = &page.upserts[0].name;
        assert!(!name.contains('\0') && name.len() <= 4096 && name.contains('😀'));
        let nulls = r#"{"address":null,"city":"","lat":null}"#;
        assert_eq!(added(&with("location", nulls)).upserts[0].location, None);
        assert_eq!(
            added(&with("unofficial_currency_code", "\"BTC\"")).upserts[0].currency,
            Some("USD".to_owned())
        );
    }

    #[test]
    fn depth_is_not_a_way_in() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let row = FULL.replace(r#"{"payee":null}"#, &deep);
        let page = added(&format!("{row},{FULL}"));
        assert_eq!(page.upserts.len() + page.rejected as usize, 2);
    }

    #[test]
    fn a_page_of_nothing_but_nonsense_is_refused() {
        let wire = |rows: usize| {
            let rows = vec!["{}"; rows].join(",");
            format!(
                r#"{{"added":[{rows}],"modified":[],"removed":[],"next_cursor":"c","has_more":false}}"#
            )
        };
        let read = |json: &str| page(serde_json::from_str(json).unwrap());
        assert_eq!(read(&wire(FORMAT_DOUBT)).unwrap_err().code, "malformed");
        assert_eq!(read(&wire(FORMAT_DOUBT - 1)).unwrap().rejected, 19);
    }

    #[test]
    fn readiness_follows_cursor_and_status() {
        for (cursor, status, expected) in [
            ("", "HISTORICAL_UPDATE_COMPLETE", Readiness::NotReady),
            ("c", "NOT_READY", Readiness::NotReady),
            ("c", "INITIAL_UPDATE_COMPLETE", Readiness::Recent),
            ("c", "HISTORICAL_UPDATE_COMPLETE", Readiness::Complete),
            ("c", "TRANSACTIONS_UPDATE_STATUS_UNKNOWN", Readiness::Recent),
            ("c", "OF_TOMORROW", Readiness::Recent),
        ] {
            let json = format!(
                r#"{{"added":[],"modified":[],"removed":[{{"transaction_id":"x"}},{{}}],"has_more":true,
                    "next_cursor":"{cursor}","transactions_update_status":"{status}"}}"#
            );
            let page = page(serde_json::from_str(&json).unwrap()).unwrap();
            assert_eq!(page.readiness, expected, "{cursor} {status}");
            assert_eq!(page.has_more, !cursor.is_empty());
            assert_eq!((page.removed, page.rejected), (vec!["x".to_owned()], 1));
        }
    }
}
