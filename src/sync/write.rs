//! Writing transactions and their tombstones, in statements of many rows. The statement that writes
//! transactions is put together here: building it from parts for every chunk takes a third of the
//! time of a first sync.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    item, removed_transaction,
    transaction::{self, Column as Row},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait,
    IdenStatic, Iterable, QueryFilter, Statement, Value,
};
use uuid::Uuid;

use super::{
    accounts,
    plan::{Plan, Removal, Upsert},
};
use crate::{
    database::Txn,
    error::Result,
    money,
    providers::{NO_CURRENCY, Transaction},
};

/// Ids or tombstones in one statement.
const CHUNK: usize = 1_000;

/// What every row written now is stamped with.
#[derive(Clone, Copy)]
pub(super) struct Stamp {
    pub(super) seq: i64,
    pub(super) now: DateTime<Utc>,
}

/// Carries a plan out.
pub(super) async fn write(
    txn: &Txn,
    item: &item::Model,
    plan: Plan,
    mut account_ids: HashMap<String, Uuid>,
    stamp: Stamp,
) -> Result<()> {
    let named = plan
        .upserts
        .iter()
        .map(|u| u.transaction.provider_account_id.as_str())
        .collect();
    accounts::write_unreported(txn, item, &mut account_ids, named, stamp.now).await?;
    remove(txn, item, plan.removals, stamp).await?;
    for ids in plan.revived.chunks(CHUNK) {
        removed_transaction::Entity::delete_many()
            .filter(removed_transaction::Column::Id.is_in(ids.iter().copied()))
            .exec(&**txn)
            .await?;
    }
    let rows = plan.upserts.into_iter();
    let rows = rows.filter_map(|upsert| row(item, upsert, &account_ids, stamp));
    overwrite(txn, rows).await
}

/// Transactions in one statement, 23 values each. SQLite is quickest with few. PostgreSQL takes
/// 65,535 values, and with sqlx 0.9.0 every large statement waits 40 ms for the network
/// (<https://github.com/launchbadge/sqlx/issues/4335>), so there are as few as can be.
fn at_once(backend: DbBackend) -> usize {
    match backend {
        DbBackend::Postgres => 2_500,
        _ => 100,
    }
}

/// Writes rows, new ones and known ones. While the database works on one statement, the next is
/// made.
async fn overwrite(txn: &Txn, rows: impl Iterator<Item = transaction::ActiveModel>) -> Result<()> {
    let backend = txn.get_database_backend();
    let full = upsert(backend, at_once(backend));
    let mut rows = rows.peekable();
    let mut next = || {
        rows.peek()?;
        let values: Vec<Value> = rows
            .by_ref()
            .take(at_once(backend))
            .flat_map(|mut row| Row::iter().filter_map(move |column| row.take(column).into_value()))
            .collect();
        let count = values.len() / Row::iter().len();
        let sql = if count == at_once(backend) {
            full.clone()
        } else {
            upsert(backend, count)
        };
        Some(Statement::from_sql_and_values(backend, sql, values))
    };
    let mut ready = next();
    while let Some(statement) = ready {
        let (written, following) =
            tokio::join!(biased; txn.execute_raw(statement), async { next() });
        written?;
        ready = following;
    }
    Ok(())
}

/// The statement that writes so many rows. Everything of a known one is overwritten but whose it is
/// and since when we have it.
fn upsert(backend: DbBackend, rows: usize) -> String {
    let columns: Vec<&str> = Row::iter().map(|column| column.as_str()).collect();
    // SQLite would look each numbered place up among all others.
    let place = |number: usize| match backend {
        DbBackend::Postgres => format!("${number}"),
        _ => "?".to_owned(),
    };
    let row = |n: usize| {
        let numbers = n * columns.len() + 1..=(n + 1) * columns.len();
        let places: Vec<String> = numbers.map(place).collect();
        format!("({})", places.join(", "))
    };
    let kept =
        |column: &Row| matches!(column, Row::Id | Row::UserId | Row::ItemId | Row::CreatedAt);
    let changed: Vec<String> = Row::iter()
        .filter(|column| !kept(column))
        .map(|column| format!("{0} = excluded.{0}", column.as_str()))
        .collect();
    format!(
        "INSERT INTO transactions ({}) VALUES {} ON CONFLICT (id) DO UPDATE SET {}",
        columns.join(", "),
        (0..rows).map(row).collect::<Vec<_>>().join(", "),
        changed.join(", "),
    )
}

async fn remove(txn: &Txn, item: &item::Model, removals: Vec<Removal>, stamp: Stamp) -> Result<()> {
    for removals in removals.chunks(CHUNK) {
        transaction::Entity::delete_many()
            .filter(transaction::Column::Id.is_in(removals.iter().map(|removal| removal.id)))
            .exec(&**txn)
            .await?;
        let tombstones = removals
            .iter()
            .map(|removal| removed_transaction::ActiveModel {
                id: Set(removal.id),
                user_id: Set(item.user_id),
                item_id: Set(item.id),
                provider_transaction_id: Set(removal.provider_transaction_id.clone()),
                replaced_by_id: Set(removal.replaced_by_id),
                seq: Set(stamp.seq),
                removed_at: Set(stamp.now),
            });
        removed_transaction::Entity::insert_many(tombstones)
            .exec_without_returning(&**txn)
            .await?;
    }
    Ok(())
}

/// The row of a transaction. Its account has a row by now: reported ones and named ones alike.
fn row(
    item: &item::Model,
    upsert: Upsert,
    account_ids: &HashMap<String, Uuid>,
    stamp: Stamp,
) -> Option<transaction::ActiveModel> {
    let Upsert {
        id,
        created_at,
        transaction,
    } = upsert;
    let account_id = *account_ids.get(&transaction.provider_account_id)?;
    let search = search_text(&transaction);
    Some(transaction::ActiveModel {
        id: Set(id),
        user_id: Set(item.user_id),
        item_id: Set(item.id),
        account_id: Set(account_id),
        provider_transaction_id: Set(transaction.provider_transaction_id),
        provider_pending_id: Set(transaction.provider_pending_id),
        amount: Set(money::to_key(transaction.amount)),
        currency: Set(transaction
            .currency
            .unwrap_or_else(|| NO_CURRENCY.to_owned())),
        date: Set(transaction.date),
        authorized_date: Set(transaction.authorized_date),
        datetime: Set(transaction.datetime),
        name: Set(transaction.name),
        merchant_name: Set(transaction.merchant_name),
        category_primary: Set(transaction.category_primary),
        category_detailed: Set(transaction.category_detailed),
        pending: Set(transaction.pending),
        payment_channel: Set(transaction.payment_channel),
        location: Set(transaction.location),
        counterparties: Set(transaction.counterparties),
        search: Set(search),
        seq: Set(stamp.seq),
        created_at: Set(created_at.unwrap_or(stamp.now)),
        updated_at: Set(stamp.now),
    })
}

/// Whether a row says already what the provider tells: writing it would change nothing.
pub(super) fn is_same(
    row: &transaction::Model,
    told: &Transaction,
    account_ids: &HashMap<String, Uuid>,
) -> bool {
    // Each field by name, so that one that is added is not forgotten here.
    let Transaction {
        provider_transaction_id,
        provider_pending_id,
        provider_account_id,
        amount,
        currency,
        date,
        authorized_date,
        datetime,
        name,
        merchant_name,
        category_primary,
        category_detailed,
        pending,
        payment_channel,
        location,
        counterparties,
    } = told;
    account_ids.get(provider_account_id) == Some(&row.account_id)
        && *provider_transaction_id == row.provider_transaction_id
        && *provider_pending_id == row.provider_pending_id
        && money::to_key(*amount) == row.amount
        && currency.as_deref().unwrap_or(NO_CURRENCY) == row.currency
        && (*date, *authorized_date, *datetime) == (row.date, row.authorized_date, row.datetime)
        && (name, merchant_name) == (&row.name, &row.merchant_name)
        && *category_primary == row.category_primary
        && *category_detailed == row.category_detailed
        && (*pending, payment_channel) == (row.pending, &row.payment_channel)
        && (location, counterparties) == (&row.location, &row.counterparties)
}

/// The lower-case text that searches look in.
fn search_text(transaction: &Transaction) -> String {
    let mut text = transaction.name.to_lowercase();
    if let Some(merchant) = &transaction.merchant_name {
        text.push('\n');
        text.push_str(&merchant.to_lowercase());
    }
    text
}
