//! What a client sees in the end, and whether it is what the bank has.

use serde_json::{Value, json};

use super::{
    bank::{Bank, Login},
    broken,
    client::Client,
    live::Mirror,
    screen::{self, chapter, count, done},
    table,
};
use crate::cli::failure::Failure;

/// Shows accounts and the latest transactions.
pub(super) async fn around(ana: &Client, item_id: &str, login: &Login) -> Result<(), Failure> {
    chapter("Accounts", "query accounts")?;
    let document = "query($ids: [ID!]) { accounts(first: 100, filter: {itemIds: $ids}) { nodes { name mask subtype \
                    balances { current { amount currency } available { amount currency } } } } }";
    let accounts = ana
        .ask("accounts", document, json!({"ids": [item_id]}))
        .await?;
    let accounts = nodes(&accounts);
    screen::table(&table::accounts(accounts))?;
    if accounts.len() != login.accounts {
        return Err(broken(format!(
            "the bank has {}, and here are {}",
            login.accounts,
            accounts.len()
        )));
    }
    chapter("Latest transactions", "query transactions")?;
    let document = "query($ids: [ID!]) { transactions(first: 10, filter: {itemIds: $ids}) { nodes { date name \
                    merchantName pending direction amount { amount currency } account { name mask } } } }";
    let latest = ana
        .ask("transactions", document, json!({"ids": [item_id]}))
        .await?;
    screen::table(&table::transactions(nodes(&latest)))
}

/// Compares three counts that nobody copied from another: the bank's own books, the full list, and
/// the mirror that was built from changes alone.
pub(super) async fn compare(
    ana: &Client,
    bank: &Bank,
    login: &Login,
    (item_id, mirror): (&str, &Mirror<'_>),
) -> Result<(), Failure> {
    chapter("Check", "against the bank's own books")?;
    let document = "query($filter: TransactionFilter) { transactions(first: 1, filter: $filter) { totalCount } }";
    let total = async |filter: Value| {
        let answer = ana.ask("transactions", document, json!({"filter": filter}));
        Ok::<_, Failure>(answer.await?["totalCount"].as_u64().unwrap_or_default())
    };
    let (here, all) = (
        total(json!({"itemIds": [item_id]})).await?,
        total(Value::Null).await?,
    );
    let (books, mirrored) = (bank.books(login).await? as u64, mirror.len() as u64);
    if here != books || all != mirrored || here == 0 {
        return Err(broken(format!(
            "the bank has {books} transactions and the list {here}; the list of all banks has {all} \
             and the mirror {mirrored}"
        )));
    }
    done(format_args!(
        "{} at the bank, as many here, and as many in a mirror built from changes alone",
        count(books, "transaction")
    ))
}

fn nodes(list: &Value) -> &[Value] {
    list["nodes"].as_array().map_or(&[], Vec::as_slice)
}
