//! Finding the rows a round may touch, and deciding with them.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use entity::{item, removed_transaction, transaction};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{
    fold::{Round, Told},
    plan::{Known, KnownRows, Plan, plan},
    write::is_same,
};
use crate::{database::Txn, error::Result, providers::Transaction};

/// Ids in one statement.
const CHUNK: usize = 1_000;

/// What a round means for an item's rows.
pub(super) async fn decide(
    txn: &Txn,
    item: &item::Model,
    accounts: &HashMap<String, Uuid>,
    mut round: Round,
) -> Result<Plan> {
    let told = round.told(item.sync_cursor.as_deref());
    let (pending, unreadable) = (round.take_pending(), round.take_unreadable());
    let (live, mut removed) = round.finish();
    if let Some(told) = told {
        let gone = unnamed(txn, item, told, &live).await?;
        removed.extend(gone.into_iter().filter(|id| !unreadable.contains(id)));
    }
    if let Some((since, named)) = pending {
        removed.extend(vanished(txn, item, since, &named).await?);
    }
    let known = if is_empty(txn, item).await? {
        KnownRows::default()
    } else {
        look_up(txn, item, accounts, &live, &removed).await?
    };
    Ok(plan(live, &removed, known))
}

/// A round from nothing names all there is, so what it does not name is gone.
async fn unnamed(
    txn: &Txn,
    item: &item::Model,
    told: Told,
    live: &[Transaction],
) -> Result<Vec<String>> {
    let mut ours = transaction::Entity::find()
        .select_only()
        .column(transaction::Column::ProviderTransactionId)
        .filter(transaction::Column::ItemId.eq(item.id));
    if let Told::Since(oldest) = told {
        ours = ours.filter(transaction::Column::Date.gte(oldest));
    }
    let ours: Vec<String> = ours.into_tuple().all(&**txn).await?;
    let named: HashSet<&str> = live
        .iter()
        .map(|t| t.provider_transaction_id.as_str())
        .collect();
    Ok(ours
        .into_iter()
        .filter(|id| !named.contains(id.as_str()))
        .collect())
}

/// Pending transactions of ours since a day that the provider does not name any more.
async fn vanished(
    txn: &Txn,
    item: &item::Model,
    since: NaiveDate,
    named: &HashSet<String>,
) -> Result<Vec<String>> {
    let ours: Vec<String> = transaction::Entity::find()
        .select_only()
        .column(transaction::Column::ProviderTransactionId)
        .filter(transaction::Column::ItemId.eq(item.id))
        // Word for word the condition of the index, or SQLite does not see that it fits.
        .filter(Expr::cust("pending = TRUE"))
        .filter(transaction::Column::Date.gte(since))
        .into_tuple()
        .all(&**txn)
        .await?;
    Ok(ours.into_iter().filter(|id| !named.contains(id)).collect())
}

async fn is_empty(txn: &Txn, item: &item::Model) -> Result<bool> {
    let row = transaction::Entity::find()
        .select_only()
        .column(transaction::Column::Id)
        .filter(transaction::Column::ItemId.eq(item.id))
        .into_tuple::<Uuid>()
        .one(&**txn)
        .await?;
    let tombstone = removed_transaction::Entity::find()
        .select_only()
        .column(removed_transaction::Column::Id)
        .filter(removed_transaction::Column::ItemId.eq(item.id))
        .into_tuple::<Uuid>()
        .one(&**txn)
        .await?;
    Ok(row.is_none() && tombstone.is_none())
}

/// Reads the rows that are named, some at a time: of a whole history only what matching needs is kept.
async fn look_up(
    txn: &Txn,
    item: &item::Model,
    accounts: &HashMap<String, Uuid>,
    live: &[Transaction],
    removed: &HashSet<String>,
) -> Result<KnownRows> {
    use removed_transaction::Column as Gone;
    use transaction::Column as Row;
    let mut ids: HashSet<&str> = removed.iter().map(String::as_str).collect();
    let mut news: HashMap<&str, &Transaction> = HashMap::with_capacity(live.len());
    for transaction in live {
        news.insert(&transaction.provider_transaction_id, transaction);
        ids.insert(&transaction.provider_transaction_id);
        ids.extend(transaction.provider_pending_id.as_deref());
    }
    let ids: Vec<&str> = ids.into_iter().collect();
    let mut known = KnownRows::default();
    for ids in ids.chunks(CHUNK) {
        for column in [Row::ProviderTransactionId, Row::ProviderPendingId] {
            let rows = transaction::Entity::find()
                .filter(Row::ItemId.eq(item.id))
                .filter(column.is_in(ids.iter().copied()))
                .all(&**txn)
                .await?;
            for row in rows {
                let told = news.get(row.provider_transaction_id.as_str());
                known.add_row(Known {
                    id: row.id,
                    same: told.is_some_and(|told| is_same(&row, told, accounts)),
                    provider_transaction_id: row.provider_transaction_id,
                    provider_pending_id: row.provider_pending_id,
                    created_at: row.created_at,
                });
            }
        }
        let tombstones: Vec<(String, Uuid)> = removed_transaction::Entity::find()
            .select_only()
            .columns([Gone::ProviderTransactionId, Gone::Id])
            .filter(Gone::ItemId.eq(item.id))
            .filter(Gone::ProviderTransactionId.is_in(ids.iter().copied()))
            .filter(Gone::ReplacedById.is_null())
            .into_tuple()
            .all(&**txn)
            .await?;
        for (provider_id, id) in tombstones {
            known.add_tombstone(provider_id, id);
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::everywhere;

    #[tokio::test]
    async fn pending_ones_are_found_without_reading_the_rest() {
        everywhere(async |app| {
            let item = item::Model {
                id: Uuid::now_v7(),
                user_id: Uuid::now_v7(),
                provider: item::Provider::Mx,
                provider_item_id: String::new(),
                institution_id: None,
                access_token: Vec::new(),
                link_status: item::LinkStatus::Success,
                link_error: None,
                link_message: None,
                person_can_help: false,
                transactions_status: item::TransactionsStatus::Complete,
                consent_expires_at: None,
                new_accounts: false,
                sync_cursor: None,
                last_synced_at: None,
                sync_due_at: None,
                failed_syncs: 0,
                removed_at: None,
                created_at: app.clock.now(),
                updated_at: app.clock.now(),
            };
            let txn = app.db.begin().await.unwrap();
            app.take_statements();
            let (since, named) = (NaiveDate::default(), HashSet::new());
            vanished(&txn, &item, since, &named).await.unwrap();
            let statements = app.take_statements();
            drop(txn);
            let plan = app.plan(&statements[0], true).await;
            assert!(plan.contains("ix_transactions_pending"), "{plan}");
        })
        .await;
    }
}
