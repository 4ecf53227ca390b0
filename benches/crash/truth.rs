//! What the rows must be: the bank's own account of an item, in our words, against what the API says,
//! once read as a list and once as a mirror of the delta feed.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, SubsecRound, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use sqlx::{Connection, Row, SqliteConnection};

use crate::support::{bank::Bank, person::Person, place::Place};

/// Every field of a transaction.
const FIELDS: &str = "id amount { amount currency } direction date authorizedDate datetime name merchantName \
    category { primary detailed } pending paymentChannel createdAt updatedAt account { name mask } \
    location { address city region postalCode country latitude longitude storeNumber } \
    counterparties { name type website logoUrl entityId }";

/// A client's copy, kept by the delta feed alone.
#[derive(Default)]
pub(crate) struct Mirror {
    cursor: Option<String>,
    pub(crate) rows: BTreeMap<String, Value>,
}

impl Mirror {
    /// Takes in what changed since the last time.
    pub(crate) async fn pull(&mut self, person: &Person) {
        let document = format!(
            "query($after: String) {{ transactionChanges(first: 500, after: $after) {{ \
             pageInfo {{ hasNextPage endCursor }} nodes {{ \
             ... on TransactionUpserted {{ transaction {{ {FIELDS} }} }} ... on TransactionRemoved {{ id }} }} }} }}"
        );
        loop {
            let mut data = person.ask(&document, json!({"after": self.cursor})).await;
            let page = data["transactionChanges"].take();
            for change in page["nodes"].as_array().unwrap() {
                match &change["transaction"] {
                    Value::Null => drop(self.rows.remove(change["id"].as_str().unwrap())),
                    row => drop(self.rows.insert(id(row), row.clone())),
                }
            }
            self.cursor = page["pageInfo"]["endCursor"].as_str().map(str::to_owned);
            if page["pageInfo"]["hasNextPage"] != true {
                return;
            }
        }
    }
}

/// Compares everything with everything; returns how many rows there are.
pub(crate) async fn compare(
    person: &Person,
    bank: &Bank,
    item: &Value,
    mirror: &mut Mirror,
) -> usize {
    let listed = list(person).await;
    let mut by_id = BTreeMap::new();
    for row in &listed {
        assert!(by_id.insert(id(row), row.clone()).is_none(), "twice: {row}");
    }
    mirror.pull(person).await;
    assert!(mirror.rows == by_id, "the delta feed tells another story");

    let speaker = bank.speaker();
    let token = json!({"access_token": item["access_token"]});
    let answer = speaker.ask("/accounts/get", token).await;
    let accounts: HashMap<&str, &Value> = answer["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| (account["account_id"].as_str().unwrap(), account))
        .collect();
    let path = format!(
        "/control/items/{}/oracle",
        item["item_id"].as_str().unwrap()
    );
    let oracle = speaker.lines(&path).await;
    let mut theirs: Vec<String> = oracle.iter().map(|row| expected(row, &accounts)).collect();
    let mut ours: Vec<String> = listed.iter().map(actual).collect();
    theirs.sort_unstable();
    ours.sort_unstable();
    if let Some((theirs, ours)) = theirs.iter().zip(&ours).find(|(a, b)| a != b) {
        panic!("the bank has\n{theirs}\nand here is\n{ours}");
    }
    assert_eq!(theirs.len(), ours.len(), "rows of the bank, rows of ours");
    ours.len()
}

/// All rows of a person, page by page.
async fn list(person: &Person) -> Vec<Value> {
    let document = format!(
        "query($after: String) {{ transactions(first: 100, after: $after) {{ \
         pageInfo {{ hasNextPage endCursor }} nodes {{ {FIELDS} }} }} }}"
    );
    let mut rows = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut data = person.ask(&document, json!({"after": after})).await;
        let page = &mut data["transactions"];
        rows.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] != true {
            return rows;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
}

fn id(row: &Value) -> String {
    row["id"].as_str().unwrap().to_owned()
}

/// A row of the bank as we promise to show it: the sign turned, what is empty absent.
fn expected(row: &Value, accounts: &HashMap<&str, &Value>) -> String {
    let amount = -row["amount"].to_string().parse::<Decimal>().unwrap();
    let account = accounts[row["account_id"].as_str().unwrap()];
    let currency = [
        &row["iso_currency_code"],
        &row["unofficial_currency_code"],
        &json!("XXX"),
    ]
    .into_iter()
    .find_map(Value::as_str)
    .unwrap()
    .to_owned();
    let merchant = text(&row["merchant_name"]);
    let name = match text(&row["name"]) {
        Value::Null => merchant.clone(),
        name => name,
    };
    let category = &row["personal_finance_category"];
    let place = &row["location"];
    let parties: Vec<Value> = row["counterparties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|party| party_of(party, "logo_url", "entity_id"))
        .collect();
    json!([
        [account["name"], account["mask"]],
        [number(&amount), currency],
        if amount.is_sign_negative() && !amount.is_zero() {
            "OUTFLOW"
        } else {
            "INFLOW"
        },
        [
            row["date"],
            row["authorized_date"],
            moment(&row["datetime"])
        ],
        [name, merchant],
        [text(&category["primary"]), text(&category["detailed"])],
        [row["pending"], text(&row["payment_channel"])],
        place_of(place, ["postal_code", "lat", "lon", "store_number"]),
        parties,
    ])
    .to_string()
}

/// A row of ours in the same order.
fn actual(row: &Value) -> String {
    let amount: Decimal = row["amount"]["amount"].as_str().unwrap().parse().unwrap();
    let names = ["postalCode", "latitude", "longitude", "storeNumber"];
    let parties: Vec<Value> = row["counterparties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|party| party_of(party, "logoUrl", "entityId"))
        .collect();
    json!([
        [row["account"]["name"], row["account"]["mask"]],
        [number(&amount), row["amount"]["currency"]],
        row["direction"],
        [row["date"], row["authorizedDate"], moment(&row["datetime"])],
        [row["name"], row["merchantName"]],
        [row["category"]["primary"], row["category"]["detailed"]],
        [row["pending"], row["paymentChannel"]],
        place_of(&row["location"], names),
        parties,
    ])
    .to_string()
}

fn number(amount: &Decimal) -> String {
    amount.normalize().to_string()
}

fn text(value: &Value) -> Value {
    match value.as_str() {
        None | Some("") => Value::Null,
        Some(text) => text.into(),
    }
}

fn moment(value: &Value) -> Value {
    value.as_str().map_or(Value::Null, |text| {
        let moment: DateTime<Utc> = text.parse().unwrap();
        moment.trunc_subsecs(6).to_rfc3339().into()
    })
}

fn place_of(place: &Value, [postal_code, latitude, longitude, store]: [&str; 4]) -> Value {
    let degrees = |name| place[name].as_f64().map(|degrees| format!("{degrees:.6}"));
    json!([
        text(&place["address"]),
        text(&place["city"]),
        text(&place["region"]),
        text(&place[postal_code]),
        text(&place["country"]),
        degrees(latitude),
        degrees(longitude),
        text(&place[store]),
    ])
}

fn party_of(party: &Value, logo: &str, entity: &str) -> Value {
    json!([
        text(&party["name"]),
        text(&party["type"]),
        text(&party["website"]),
        text(&party[logo]),
        text(&party[entity]),
    ])
}

/// Lets SQLite look over its file, once nobody has it open.
pub(crate) async fn database_is_sound(place: &Place) {
    if place.name == "sqlite" {
        let mut connection = SqliteConnection::connect(&place.url).await.unwrap();
        for check in ["PRAGMA integrity_check", "PRAGMA foreign_key_check"] {
            let rows = sqlx::query(check).fetch_all(&mut connection).await.unwrap();
            let said: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            assert!(
                said.iter().all(|line| line == "ok"),
                "{check} says {said:?}"
            );
        }
    }
}
