//! Removing a bank. For its owner it is gone at once, with its accounts and transactions; clients
//! that mirror them get a tombstone for each. The provider is told by a job that does not give up,
//! since a login nobody can see any more would still be billed.

use std::time::Duration;

use async_trait::async_trait;
use entity::{
    activity::ActivityKind,
    exchange,
    feed_event::EventKind,
    item::{self, LinkStatus},
    removed_transaction, transaction,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    prelude::{Expr, Json},
    sea_query::LockType,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    activity::{self, Entry},
    app::App,
    database::Txn,
    error::{Error, ErrorClass, ProviderError, Result},
    feed,
    graphql::id,
    jobs::{Claim, Job, When, enqueue},
    sync,
    viewer::{ClientInfo, Owned, Viewer},
};

/// How long a refusal that does not pass by itself is left alone.
const SELDOM: Duration = Duration::from_hours(6);

/// Rows in one statement: under SQLite's limit of 32,766 values.
const CHUNK: usize = 2_000;

/// Removes an item of the viewer; returns its row id.
pub async fn remove_item(
    app: &App,
    viewer: Viewer,
    client: &ClientInfo,
    item_id: &str,
) -> Result<Uuid> {
    let unknown = || Error::not_found("itemId", "item");
    let row_id = id::decode(id::ITEM, item_id).ok_or_else(unknown)?;
    let now = app.clock.now();
    let mut txn = app.db.begin().await?;
    let rows = item::Entity::owned_by(viewer)
        .filter(item::Column::Id.eq(row_id))
        .lock(LockType::NoKeyUpdate);
    let item = rows.one(&*txn).await?.ok_or_else(unknown)?;
    // Item, syncs, jobs, and the feed last: as everybody else takes them.
    let cancelled = sync::cancel(&txn, item.id, now).await?;
    let job = RemoveItem::of(&item);
    enqueue(&mut txn, app, &job, When::default()).await?;
    let seq = feed::next(&mut txn, viewer.user_id).await?;
    let mut changes = vec![(EventKind::Item, row_id)];
    changes.extend(cancelled.into_iter().map(|id| (EventKind::SyncJob, id)));
    if bury(&txn, app, &item, seq).await? {
        changes.push((EventKind::Transactions, row_id));
    }
    entity::account::Entity::delete_many()
        .filter(entity::account::Column::ItemId.eq(item.id))
        .exec(&*txn)
        .await?;
    sync::forget(&txn, row_id).await?;
    // What its link session told of its accounts goes with them.
    exchange::Entity::update_many()
        .col_expr(exchange::Column::Preview, Expr::value(None::<Json>))
        .filter(exchange::Column::UserId.eq(viewer.user_id))
        .filter(exchange::Column::ItemId.eq(row_id))
        .exec(&*txn)
        .await?;
    let mut row = item.into_active_model();
    row.removed_at = Set(Some(now));
    row.updated_at = Set(now);
    row.link_status = Set(LinkStatus::Disconnected);
    row.sync_cursor = Set(None);
    row.sync_due_at = Set(None);
    row.update(&*txn).await?;
    feed::append(&txn, viewer.user_id, seq, now, &changes).await?;
    let entry = Entry {
        item_id: Some(row_id),
        ..Entry::of(viewer.user_id, ActivityKind::ItemRemoved, client)
    };
    activity::record(&*txn, now, entry).await?;
    txn.commit().await?;
    Ok(row_id)
}

/// Takes an item's transactions away and leaves a tombstone for each; whether there were any.
async fn bury(txn: &Txn, app: &App, item: &item::Model, seq: i64) -> Result<bool> {
    let now = app.clock.now();
    let gone: Vec<(Uuid, String)> = transaction::Entity::find()
        .select_only()
        .columns([
            transaction::Column::Id,
            transaction::Column::ProviderTransactionId,
        ])
        .filter(transaction::Column::ItemId.eq(item.id))
        .into_tuple()
        .all(&**txn)
        .await?;
    for gone in gone.chunks(CHUNK) {
        let tombstones = gone
            .iter()
            .map(|(id, provider_id)| removed_transaction::ActiveModel {
                id: Set(*id),
                user_id: Set(item.user_id),
                item_id: Set(item.id),
                provider_transaction_id: Set(provider_id.clone()),
                replaced_by_id: Set(None),
                seq: Set(seq),
                removed_at: Set(now),
            });
        removed_transaction::Entity::insert_many(tombstones)
            .exec_without_returning(&**txn)
            .await?;
    }
    transaction::Entity::delete_many()
        .filter(transaction::Column::ItemId.eq(item.id))
        .exec(&**txn)
        .await?;
    Ok(!gone.is_empty())
}

/// Gives a removed item up at the provider, then forgets its token.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RemoveItem {
    /// Which item.
    pub item_id: Uuid,
    /// Whose it was.
    pub user_id: Uuid,
    /// The bank it is at, if known.
    #[serde(default)]
    pub institution_id: Option<Uuid>,
}

impl RemoveItem {
    /// The removal of an item.
    pub(super) fn of(item: &item::Model) -> Self {
        Self {
            item_id: item.id,
            user_id: item.user_id,
            institution_id: item.institution_id,
        }
    }
}

#[async_trait]
impl Job for RemoveItem {
    const KIND: &'static str = "linking.remove";
    /// Some ten days of outage, or four months of what only the operator can mend.
    const MAX_ATTEMPTS: i32 = 500;

    fn key(&self) -> String {
        self.item_id.to_string()
    }

    fn user_id(&self) -> Option<Uuid> {
        Some(self.user_id)
    }

    fn concurrency_key(&self) -> Option<String> {
        self.institution_id.map(|id| id.to_string())
    }

    async fn run(&self, app: &App, claim: &Claim) -> Result<()> {
        let rows = item::Entity::find().filter(item::Column::Id.eq(self.item_id));
        let Some(item) = rows.one(app.db.read()).await? else {
            return Ok(());
        };
        if item.access_token.is_empty() {
            return Ok(());
        }
        let removed = remove(app, &item).await;
        removed.map_err(|error| asked_again(item.id, error))?;
        let mut txn = app.db.begin().await?;
        let mut row = item.into_active_model();
        row.access_token = Set(Vec::new());
        row.update(&*txn).await?;
        claim.succeed(&mut txn, app).await?;
        txn.commit().await
    }
}

async fn remove(app: &App, item: &item::Model) -> Result<()> {
    let access_token = sync::access_token(app, item)?;
    Ok(app.provider(item.provider)?.remove(&access_token).await?)
}

/// Only the provider's word ends a removal, so every refusal is asked again about; one that does not
/// pass by itself seldom, since somebody has to do something first. So is a provider that is switched off,
/// and a token that `SECRET_KEY` does not open.
pub(super) fn asked_again(id: Uuid, error: Error) -> Error {
    if error.is_transient() {
        return error;
    }
    tracing::warn!(
        removed = %id, error = error.chain(),
        "the provider does not let go of a removed bank or person, which may cost money until it does; PLAID_ENV or \
         MX_ENV and the credentials must be those it was linked with, see `passbook doctor`; trying again \
         in {} hours",
        SELDOM.as_secs() / 3600
    );
    let told = ProviderError {
        class: ErrorClass::Retry(Some(SELDOM)),
        code: "not_let_go".to_owned(),
        display_message: None,
        request_id: None,
        detail: error.chain(),
    };
    told.into()
}
