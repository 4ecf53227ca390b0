//! Making an item of a login that an exchange has kept, or giving it up: because the person has the
//! same login already, or because no item can be made of it.

use chrono::{DateTime, Utc};
use entity::{
    activity::ActivityKind,
    exchange,
    feed_event::EventKind,
    item::{self, LinkStatus, TransactionsStatus},
    sync_job::SyncTrigger,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{
    RemoveItem,
    duplicate::{self, Preview},
    keep::kept,
    notice,
};
use crate::{
    activity::{self, Entry},
    app::App,
    database::Txn,
    error::{Error, Result},
    feed,
    jobs::{When, enqueue},
    providers::{Linked, ProviderKind},
    sync,
    viewer::{ClientInfo, is_here},
};

/// What an exchange came to.
#[derive(Debug, Default)]
struct Outcome {
    item_id: Option<Uuid>,
    sync_job_id: Option<Uuid>,
    existing: bool,
}

/// Stores the item, asks for its first sync and lets early webhooks take effect, all in one; or
/// finds that the person has the login already, and gives the second one up.
pub(super) async fn store(
    app: &App,
    row: &exchange::Model,
    client: &ClientInfo,
) -> Result<exchange::Model> {
    let mut txn = app.db.begin().await?;
    let (row, known) = open(&txn, row).await?;
    if row.finished_at.is_some() {
        return Ok(row);
    }
    let linked = kept(app, &row)?;
    let user_id = row.user_id;
    let outcome = match known {
        // A provider that exchanges a token twice gives the same item: keep it, with the newer token.
        Some(item) => renew(app, &mut txn, item, user_id, &linked).await?,
        // Who has left meanwhile gets no bank any more.
        None if !is_here(&*txn, user_id).await? => {
            bury(&mut txn, app, user_id, &linked).await?;
            Outcome::default()
        }
        None => match existing(&txn, &row).await? {
            Some(item) => {
                bury(&mut txn, app, user_id, &linked).await?;
                Outcome {
                    item_id: Some(item.id),
                    sync_job_id: None,
                    existing: true,
                }
            }
            None => link(app, &mut txn, user_id, &linked, client).await?,
        },
    };
    let row = finish(&txn, row, outcome, app.clock.now()).await?;
    txn.commit().await?;
    Ok(row)
}

/// Ends an exchange of whose login no item can be made.
pub(super) async fn surrender(app: &App, row: &exchange::Model) -> Result<()> {
    let mut txn = app.db.begin().await?;
    let (row, known) = open(&txn, row).await?;
    if row.finished_at.is_some() {
        return Ok(());
    }
    // One that has a row is somebody's, and not ours to give up.
    if known.is_none() {
        bury(&mut txn, app, row.user_id, &kept(app, &row)?).await?;
    }
    finish(&txn, row, Outcome::default(), app.clock.now()).await?;
    txn.commit().await
}

/// Reads an exchange as it stands, with the item that the provider's id has already, and makes sure
/// that nobody changes them meanwhile.
async fn open(txn: &Txn, row: &exchange::Model) -> Result<(exchange::Model, Option<item::Model>)> {
    // One person's exchanges one after the other: of two of one login the second finds the first.
    txn.lock(&format!("linking {}", row.user_id)).await?;
    let current = exchange::Entity::find_by_id(row.id).one(&**txn).await?;
    let current = current.ok_or_else(|| Error::internal("an exchange that is not there"))?;
    let Some(provider_item_id) = &current.provider_item_id else {
        return Ok((current, None));
    };
    // Whoever takes in a webhook for this item holds the same lock, so none falls between.
    txn.lock(provider_item_id).await?;
    let known = item::Entity::find()
        .filter(item::Column::Provider.eq(ProviderKind::Plaid))
        .filter(item::Column::ProviderItemId.eq(provider_item_id))
        .one(&**txn)
        .await?;
    Ok((current, known))
}

async fn existing(txn: &Txn, row: &exchange::Model) -> Result<Option<item::Model>> {
    match Preview::read(row) {
        Some(preview) => duplicate::find(&**txn, row.user_id, &preview).await,
        None => Ok(None),
    }
}

/// An item to make.
pub(super) struct Fresh<'a> {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) provider: ProviderKind,
    pub(super) linked: &'a Linked,
    /// The bank, if it is known before the first sync.
    pub(super) institution_id: Option<Uuid>,
    pub(super) link_status: LinkStatus,
}

impl<'a> Fresh<'a> {
    /// An item of a login that lets us in already.
    fn exchanged(user_id: Uuid, linked: &'a Linked) -> Self {
        Self {
            id: Uuid::now_v7(),
            user_id,
            provider: ProviderKind::Plaid,
            linked,
            institution_id: None,
            link_status: LinkStatus::Success,
        }
    }
}

async fn link(
    app: &App,
    txn: &mut Txn,
    user_id: Uuid,
    linked: &Linked,
    client: &ClientInfo,
) -> Result<Outcome> {
    let (item, sync_job_id) = make(app, txn, &Fresh::exchanged(user_id, linked), client).await?;
    Ok(Outcome {
        item_id: Some(item.id),
        sync_job_id: Some(sync_job_id),
        existing: false,
    })
}

/// Makes the item, asks for its first sync and lets early webhooks take effect; returns it with the
/// sync.
pub(super) async fn make(
    app: &App,
    txn: &mut Txn,
    fresh: &Fresh<'_>,
    client: &ClientInfo,
) -> Result<(item::Model, Uuid)> {
    let (now, user_id) = (app.clock.now(), fresh.user_id);
    let item = insert(app, txn, fresh, None).await?;
    let sync_job_id = sync::request(txn, app, &item, SyncTrigger::Link).await?;
    notice::early(txn, app, &item).await?;
    feed::publish(txn, user_id, now, &[(EventKind::Item, item.id)]).await?;
    let entry = Entry {
        item_id: Some(item.id),
        ..Entry::of(user_id, ActivityKind::ItemLinked, client)
    };
    activity::record(&**txn, now, entry).await?;
    Ok((item, sync_job_id))
}

async fn renew(
    app: &App,
    txn: &mut Txn,
    item: item::Model,
    user_id: Uuid,
    linked: &Linked,
) -> Result<Outcome> {
    if item.user_id != user_id {
        return Err(Error::internal("the provider gave one item to two people"));
    }
    let mut row = item.clone().into_active_model();
    row.access_token = Set(seal(app, item.id, user_id, linked)?);
    row.updated_at = Set(app.clock.now());
    let item = row.update(&**txn).await?;
    let sync_job_id = if item.removed_at.is_some() {
        give_up(txn, app, &item).await?;
        None
    } else {
        Some(sync::request(txn, app, &item, SyncTrigger::Link).await?)
    };
    Ok(Outcome {
        item_id: Some(item.id),
        sync_job_id,
        existing: false,
    })
}

/// Gives a login up that nobody will ever see: its item is removed from the first.
async fn bury(txn: &mut Txn, app: &App, user_id: Uuid, linked: &Linked) -> Result<()> {
    let fresh = Fresh::exchanged(user_id, linked);
    let item = insert(app, txn, &fresh, Some(app.clock.now())).await?;
    give_up(txn, app, &item).await
}

async fn give_up(txn: &mut Txn, app: &App, item: &item::Model) -> Result<()> {
    let job = RemoveItem::of(item);
    enqueue(txn, app, &job, When::default()).await?;
    Ok(())
}

async fn insert(
    app: &App,
    txn: &Txn,
    fresh: &Fresh<'_>,
    removed_at: Option<DateTime<Utc>>,
) -> Result<item::Model> {
    let now = app.clock.now();
    let (link_status, due) = match removed_at {
        None => (fresh.link_status, Some(sync::at_first(now))),
        Some(_) => (LinkStatus::Disconnected, None),
    };
    let row = item::ActiveModel {
        id: Set(fresh.id),
        user_id: Set(fresh.user_id),
        provider: Set(fresh.provider),
        provider_item_id: Set(fresh.linked.provider_item_id.clone()),
        institution_id: Set(fresh.institution_id),
        access_token: Set(seal(app, fresh.id, fresh.user_id, fresh.linked)?),
        link_status: Set(link_status),
        transactions_status: Set(TransactionsStatus::Downloading),
        person_can_help: Set(false),
        new_accounts: Set(false),
        sync_due_at: Set(due),
        failed_syncs: Set(0),
        removed_at: Set(removed_at),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    Ok(item::Entity::insert(row)
        .exec_with_returning(&**txn)
        .await?)
}

fn seal(app: &App, item_id: Uuid, user_id: Uuid, linked: &Linked) -> Result<Vec<u8>> {
    let secret = linked.access_token.expose_secret().as_bytes();
    app.keys.seal(sync::place(item_id, user_id), secret)
}

/// Writes the answer down; the login is the item's from now on.
async fn finish(
    txn: &Txn,
    row: exchange::Model,
    outcome: Outcome,
    now: DateTime<Utc>,
) -> Result<exchange::Model> {
    let mut row = row.into_active_model();
    if outcome.item_id.is_none() {
        row.preview = Set(None);
    }
    row.provider_item_id = Set(None);
    row.access_token = Set(None);
    row.item_id = Set(outcome.item_id);
    row.sync_job_id = Set(outcome.sync_job_id);
    row.existing = Set(outcome.existing);
    row.finished_at = Set(Some(now));
    Ok(row.update(&**txn).await?)
}
