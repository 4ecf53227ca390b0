//! News from the bank, as it arrives at somebody who follows.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    bank::{Bank, Login},
    broken,
    client::Client,
    screen::{self, chapter, done, more},
    table,
};
use crate::cli::failure::Failure;

const CHANGES: &str = "query($after: String) { transactionChanges(first: 500, after: $after) { \
    pageInfo { hasNextPage endCursor } nodes { ... on TransactionRemoved { id } ... on TransactionUpserted { \
    transaction { id date name merchantName pending direction amount { amount currency } account { name mask } } } } } }";

/// A copy of the transactions, kept with the delta feed alone.
pub(super) struct Mirror<'a> {
    ana: &'a Client,
    after: Value,
    ids: BTreeSet<String>,
}

impl Mirror<'_> {
    /// How many transactions it holds.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Brings it up to date; returns the transactions that are new or have changed.
    async fn catch_up(&mut self) -> Result<Vec<Value>, Failure> {
        let mut news = Vec::new();
        loop {
            let variables = json!({"after": self.after});
            let asked = self.ana.ask("transactionChanges", CHANGES, variables);
            let mut page = asked.await?;
            for change in page["nodes"].as_array_mut().into_iter().flatten() {
                let row = change["transaction"].take();
                if let Some(id) = row["id"].as_str() {
                    self.ids.insert(id.to_owned());
                    news.push(row);
                } else if let Some(id) = change["id"].as_str() {
                    self.ids.remove(id);
                }
            }
            self.after = page["pageInfo"]["endCursor"].take();
            if page["pageInfo"]["hasNextPage"] != true {
                return Ok(news);
            }
        }
    }
}

/// Has the bank book something, and shows it arrive. `cursor` is where the person's feed stands.
pub(super) async fn watch<'a>(
    ana: &'a Client,
    bank: &Bank,
    login: &Login,
    cursor: Value,
) -> Result<Mirror<'a>, Failure> {
    chapter(
        "Live",
        "subscription transactionsChanged, query transactionChanges",
    )?;
    let (after, ids) = (Value::Null, BTreeSet::new());
    let mut mirror = Mirror { ana, after, ids };
    mirror.catch_up().await?;
    let document =
        "subscription($after: String) { transactionsChanged(after: $after) { added modified } }";
    let variables = json!({"after": cursor});
    let mut events = ana
        .watch("transactionsChanged", document, variables)
        .await?;

    let began = Instant::now();
    let booked = bank.book(login, purchases()).await?;
    let mut arrived: Vec<Value> = Vec::new();
    while arrived.len() < booked.len() {
        events.next().await?;
        arrived.extend(mirror.catch_up().await?);
    }
    let took = began.elapsed().as_millis();
    done(format_args!(
        "the bank booked {} transactions and sent a signed webhook; they were here {took} ms later",
        booked.len()
    ))?;
    screen::table(&table::transactions(&arrived))?;

    let coffee = arrived.iter().find(|row| row["pending"] == true);
    let coffee = coffee.ok_or_else(|| broken("nothing that arrived is pending"))?;
    let first = json!({"post": booked.get(..1)});
    bank.book(login, first).await?;
    let posted = loop {
        events.next().await?;
        let news = mirror.catch_up().await?;
        if let Some(row) = news.into_iter().find(|row| row["pending"] == false) {
            break row;
        }
    };
    if posted["id"] != coffee["id"] {
        return Err(broken("the posted transaction has another id"));
    }
    done("the first one was pending, and is posted now; it kept its id")?;
    more(posted["id"].as_str().unwrap_or_default())?;
    Ok(mirror)
}

/// What the bank books, in Plaid's words and with Plaid's signs. Two are pending.
fn purchases() -> Value {
    json!({"add": [
        {"name": "THE PATIENT BARISTA", "merchant_name": "The Patient Barista", "amount": 4.80, "pending": true},
        {"name": "NIGHT TRAIN 204", "merchant_name": "Night Train", "amount": 89.00, "pending": true},
        {"name": "SALARY PLATYPUS LABS", "amount": -3150.00},
    ]})
}
