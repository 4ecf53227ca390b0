//! Writing transactions and their tombstones, in statements of many rows.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{item, removed_transaction, transaction};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use uuid::Uuid;

use super::{
    accounts,
    plan::{Plan, Removal, Upsert},
};
use crate::{database::Txn, error::Result, money, providers::Transaction};

/// Rows in one statement: 23 columns each, under SQLite's limit of 32,766 values.
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
    let mut upserts = plan.upserts.into_iter();
    loop {
        let rows: Vec<transaction::ActiveModel> = upserts
            .by_ref()
            .take(CHUNK)
            .filter_map(|upsert| row(item, upsert, &account_ids, stamp))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        transaction::Entity::insert_many(rows)
            .on_conflict(overwrite())
            .exec_without_returning(&**txn)
            .await?;
    }
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
        currency: Set(transaction.currency),
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

/// The lower-case text that searches look in.
fn search_text(transaction: &Transaction) -> String {
    let mut text = transaction.name.to_lowercase();
    if let Some(merchant) = &transaction.merchant_name {
        text.push('\n');
        text.push_str(&merchant.to_lowercase());
    }
    text
}

/// Everything of a row is overwritten but whose it is and since when we have it.
fn overwrite() -> OnConflict {
    use transaction::Column as Row;
    OnConflict::column(Row::Id)
        .update_columns([
            Row::AccountId,
            Row::ProviderTransactionId,
            Row::ProviderPendingId,
            Row::Amount,
            Row::Currency,
            Row::Date,
            Row::AuthorizedDate,
            Row::Datetime,
            Row::Name,
            Row::MerchantName,
            Row::CategoryPrimary,
            Row::CategoryDetailed,
            Row::Pending,
            Row::PaymentChannel,
            Row::Location,
            Row::Counterparties,
            Row::Search,
            Row::Seq,
            Row::UpdatedAt,
        ])
        .to_owned()
}
