//! An item's accounts as the provider reports them now. One that is reported as closed, or not any more,
//! is closed and keeps its history; one that only a transaction names gets a row, so that no money is lost.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{account, item};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use uuid::Uuid;

use crate::{
    database::Txn,
    error::Result,
    providers::{Account, AccountKind},
};

/// Writes accounts; returns the row of each by the provider's id.
pub(super) async fn write(
    txn: &Txn,
    item: &item::Model,
    reported: Vec<Account>,
    now: DateTime<Utc>,
) -> Result<HashMap<String, Uuid>> {
    let rows = account::Entity::find()
        .filter(account::Column::ItemId.eq(item.id))
        .all(&**txn)
        .await?;
    let mut known: HashMap<String, account::Model> = rows
        .into_iter()
        .map(|row| (row.provider_account_id.clone(), row))
        .collect();
    let mut ids = HashMap::new();
    for account in reported {
        let known = known.remove(&account.provider_account_id);
        let provider_id = account.provider_account_id.clone();
        ids.insert(
            provider_id,
            write_one(txn, item, known, account, now).await?,
        );
    }
    for (provider_id, row) in known {
        ids.insert(provider_id, row.id);
        if row.closed_at.is_none() {
            let mut row = row.into_active_model();
            row.closed_at = Set(Some(now));
            row.updated_at = Set(now);
            row.update(&**txn).await?;
        }
    }
    Ok(ids)
}

/// Makes rows for accounts that only transactions name.
pub(super) async fn write_unreported(
    txn: &Txn,
    item: &item::Model,
    ids: &mut HashMap<String, Uuid>,
    named: HashSet<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    for provider_id in named {
        if !ids.contains_key(provider_id) {
            tracing::warn!(item.id = %item.id, "a transaction names an account the provider does not report");
            let account = unreported(provider_id);
            ids.insert(
                provider_id.to_owned(),
                write_one(txn, item, None, account, now).await?,
            );
        }
    }
    Ok(())
}

async fn write_one(
    txn: &Txn,
    item: &item::Model,
    known: Option<account::Model>,
    account: Account,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    let id = known.as_ref().map_or_else(Uuid::now_v7, |row| row.id);
    let closed_before = known.as_ref().and_then(|row| row.closed_at);
    let amount =
        |amount: Option<rust_decimal::Decimal>| Set(amount.map(|a| a.normalize().to_string()));
    let row = account::ActiveModel {
        id: Set(id),
        user_id: Set(item.user_id),
        item_id: Set(item.id),
        provider_account_id: Set(account.provider_account_id),
        name: Set(account.name),
        official_name: Set(account.official_name),
        mask: Set(account.mask),
        kind: Set(account.kind),
        subtype: Set(account.subtype),
        currency: Set(account.currency),
        balance_current: amount(account.current),
        balance_available: amount(account.available),
        balance_limit: amount(account.limit),
        balances_at: Set(Some(account.balances_at.unwrap_or(now))),
        closed_at: Set(account.closed.then(|| closed_before.unwrap_or(now))),
        created_at: Set(known.as_ref().map_or(now, |row| row.created_at)),
        updated_at: Set(now),
    };
    if known.is_some() {
        row.reset_all().update(&**txn).await?;
    } else {
        account::Entity::insert(row)
            .exec_without_returning(&**txn)
            .await?;
    }
    Ok(id)
}

fn unreported(provider_id: &str) -> Account {
    Account {
        provider_account_id: provider_id.to_owned(),
        name: "Account".to_owned(),
        official_name: None,
        mask: None,
        kind: AccountKind::Other,
        subtype: None,
        currency: None,
        current: None,
        available: None,
        limit: None,
        balances_at: None,
        closed: false,
    }
}
