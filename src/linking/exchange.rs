//! Turning a public token into an item. The provider takes a public token once and we may be asked
//! twice: by an impatient client, by a client that lost our answer, by the webhook of a hosted
//! session. So every exchange has a row, found by the token's hash or the caller's key, and the row
//! has the answer.

use chrono::TimeDelta;
use entity::{
    activity::ActivityKind,
    exchange,
    feed_event::EventKind,
    item::{self, LinkStatus, TransactionsStatus},
    sync_job::{self, SyncTrigger},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter,
};
use secrecy::{ExposeSecret, SecretString};
use tracing::Instrument;
use uuid::Uuid;

use super::{duplicate, notice};
use crate::{
    activity::{self, Entry},
    app::App,
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    feed,
    providers::{Linked, ProviderKind},
    seal::sha256_hex,
    sync,
    viewer::ClientInfo,
};

/// An exchange that takes longer than this has died: the next offer begins it again.
const PATIENCE: TimeDelta = TimeDelta::seconds(150);

/// How often a linked item is tried to be stored again, and how long the first wait is: 16 s in all.
const STORE_TRIES: u32 = 6;
const FIRST_WAIT: std::time::Duration = std::time::Duration::from_millis(250);

/// What came of a public token.
#[derive(Debug)]
pub struct Exchanged {
    /// The item, new or had already.
    pub item: item::Model,
    /// Its first sync, if it is new.
    pub sync_job: Option<sync_job::Model>,
    /// Whether the person had the bank already; the token was then not exchanged.
    pub existing: bool,
}

/// An offer of a public token.
#[derive(Debug)]
pub struct Offer {
    /// Whose bank it will be.
    pub user_id: Uuid,
    /// The token.
    pub public_token: SecretString,
    /// The caller's key.
    pub idempotency_key: Option<String>,
    /// Where the offer came from.
    pub client: ClientInfo,
}

/// Exchanges a public token, or says what came of it before.
pub async fn exchange_public_token(app: &App, offer: Offer) -> Result<Exchanged> {
    check(&offer)?;
    let row = match begin(app, &offer).await? {
        Begun::Finished(row) => return answer(app, row).await,
        Begun::Started(row) => row,
    };
    // A task of its own: neither a client that hangs up nor the time limit of a request may fall
    // between the provider's answer and our row.
    let app = app.clone();
    let work = async move {
        let outcome = carry_out(&app, row.clone(), &offer).await;
        if outcome.is_err() {
            release(&app, row.id).await;
        }
        outcome
    };
    let task = tokio::spawn(work.in_current_span());
    task.await.map_err(Error::internal)?
}

async fn carry_out(app: &App, row: exchange::Model, offer: &Offer) -> Result<Exchanged> {
    if let Some(item) = duplicate::find(app, offer.user_id, &offer.public_token).await? {
        finish_existing(app, row, &item).await?;
        return Ok(Exchanged {
            item,
            sync_job: None,
            existing: true,
        });
    }
    let provider = app.provider(ProviderKind::Plaid)?;
    let linked = provider.exchange(&offer.public_token).await?;
    let mut tries = 0;
    let row = loop {
        match store(app, row.clone(), offer, &linked).await {
            // The item is made, and only we know its token: a database that is away is waited for.
            Err(error) if error.is_transient() && tries < STORE_TRIES => {
                tracing::warn!(
                    error = error.chain(),
                    "a linked item could not be stored yet"
                );
                app.clock.sleep(FIRST_WAIT * 2_u32.pow(tries)).await;
                tries += 1;
            }
            stored => break stored?,
        }
    };
    answer(app, row).await
}

fn check(offer: &Offer) -> Result<()> {
    let token = offer.public_token.expose_secret();
    if token.is_empty() || token.len() > 512 || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let text = "This is not a public token: pass the one that Link's onSuccess gave you.";
        return Err(Error::invalid("publicToken", text));
    }
    if offer
        .idempotency_key
        .as_ref()
        .is_some_and(|key| key.is_empty() || key.len() > 200 || key.contains('\0'))
    {
        return Err(Error::invalid(
            "idempotencyKey",
            "Use a key of 1 to 200 characters.",
        ));
    }
    Ok(())
}

enum Begun {
    Started(exchange::Model),
    Finished(exchange::Model),
}

/// Finds the row of an earlier offer, or writes one, so that nobody else begins meanwhile.
async fn begin(app: &App, offer: &Offer) -> Result<Begun> {
    let hash = sha256_hex(offer.public_token.expose_secret().as_bytes());
    let now = app.clock.now();
    let txn = app.db.begin().await?;
    txn.lock(&hash).await?;
    let mut either = Condition::any().add(exchange::Column::PublicTokenHash.eq(&hash));
    if let Some(key) = &offer.idempotency_key {
        either = either.add(exchange::Column::IdempotencyKey.eq(key));
    }
    let rows = exchange::Entity::find()
        .filter(exchange::Column::UserId.eq(offer.user_id))
        .filter(either);
    let mut rows = rows.all(&*txn).await?;
    if rows.iter().any(|row| row.public_token_hash != hash) {
        let text = "This key was used with another public token. Use a new key for each exchange.";
        return Err(Refusal::new(ErrorCode::IdempotencyKeyReused, text)
            .on("idempotencyKey")
            .into());
    }
    let row = match rows.pop() {
        Some(row) if row.finished_at.is_some() => return Ok(Begun::Finished(row)),
        Some(row) if row.started_at > now - PATIENCE => {
            let text = "This token is being exchanged by another request. Ask again in a moment.";
            return Err(Refusal::new(ErrorCode::ExchangeInProgress, text)
                .retry_after(2)
                .into());
        }
        Some(row) => {
            let mut row = row.into_active_model();
            row.started_at = Set(now);
            row.update(&*txn).await?
        }
        None => {
            let row = exchange::ActiveModel {
                id: Set(Uuid::now_v7()),
                user_id: Set(offer.user_id),
                public_token_hash: Set(hash),
                idempotency_key: Set(offer.idempotency_key.clone()),
                item_id: Set(None),
                sync_job_id: Set(None),
                existing: Set(false),
                started_at: Set(now),
                finished_at: Set(None),
            };
            exchange::Entity::insert(row)
                .exec_with_returning(&*txn)
                .await?
        }
    };
    txn.commit().await?;
    Ok(Begun::Started(row))
}

/// Stores the item, asks for its first sync and lets early webhooks take effect, all in one.
async fn store(
    app: &App,
    row: exchange::Model,
    offer: &Offer,
    linked: &Linked,
) -> Result<exchange::Model> {
    let now = app.clock.now();
    let mut txn = app.db.begin().await?;
    // Whoever takes in a webhook for this item holds the same lock, so none falls between.
    txn.lock(&linked.provider_item_id).await?;
    let item = insert_item(app, &txn, offer.user_id, linked).await?;
    let sync_job_id = sync::request(&mut txn, app, &item, SyncTrigger::Link).await?;
    notice::early(&mut txn, app, &item).await?;
    feed::publish(&mut txn, offer.user_id, now, &[(EventKind::Item, item.id)]).await?;
    let entry = Entry {
        item_id: Some(item.id),
        ..Entry::of(offer.user_id, ActivityKind::ItemLinked, &offer.client)
    };
    activity::record(&*txn, now, entry).await?;
    let mut row = row.into_active_model();
    row.item_id = Set(Some(item.id));
    row.sync_job_id = Set(Some(sync_job_id));
    row.finished_at = Set(Some(now));
    let row = row.update(&*txn).await?;
    txn.commit().await?;
    Ok(row)
}

async fn insert_item(app: &App, txn: &Txn, user_id: Uuid, linked: &Linked) -> Result<item::Model> {
    let now = app.clock.now();
    let known = item::Entity::find()
        .filter(item::Column::Provider.eq(ProviderKind::Plaid))
        .filter(item::Column::ProviderItemId.eq(&linked.provider_item_id))
        .one(&**txn)
        .await?;
    // A provider that exchanges a token twice gives the same item: keep it, with the newer token.
    let item_id = known.as_ref().map_or_else(Uuid::now_v7, |item| item.id);
    let place = sync::place(item_id, user_id);
    let access_token = app
        .keys
        .seal(place, linked.access_token.expose_secret().as_bytes())?;
    if let Some(item) = known {
        if item.user_id != user_id {
            return Err(Error::internal("the provider gave one item to two people"));
        }
        let mut row = item.into_active_model();
        row.access_token = Set(access_token);
        row.updated_at = Set(now);
        return Ok(row.update(&**txn).await?);
    }
    let row = item::ActiveModel {
        id: Set(item_id),
        user_id: Set(user_id),
        provider: Set(ProviderKind::Plaid),
        provider_item_id: Set(linked.provider_item_id.clone()),
        institution_id: Set(None),
        access_token: Set(access_token),
        link_status: Set(LinkStatus::Success),
        link_error: Set(None),
        transactions_status: Set(TransactionsStatus::Downloading),
        consent_expires_at: Set(None),
        new_accounts: Set(false),
        sync_cursor: Set(None),
        last_synced_at: Set(None),
        sync_due_at: Set(Some(sync::at_first(now))),
        failed_syncs: Set(0),
        removed_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    Ok(item::Entity::insert(row)
        .exec_with_returning(&**txn)
        .await?)
}

async fn finish_existing(app: &App, row: exchange::Model, item: &item::Model) -> Result<()> {
    let mut row = row.into_active_model();
    row.item_id = Set(Some(item.id));
    row.existing = Set(true);
    row.finished_at = Set(Some(app.clock.now()));
    let txn = app.db.begin().await?;
    row.update(&*txn).await?;
    txn.commit().await
}

/// An exchange that came to nothing leaves nothing behind: the next offer begins anew, and a key is
/// free for a better token.
async fn release(app: &App, id: Uuid) {
    let forget = async {
        let txn = app.db.begin().await?;
        exchange::Entity::delete_by_id(id)
            .filter(exchange::Column::FinishedAt.is_null())
            .exec(&*txn)
            .await?;
        txn.commit().await
    };
    if let Err(error) = forget.await {
        // The next offer waits until its patience is over.
        tracing::warn!(
            error = error.chain(),
            "a failed exchange could not be forgotten"
        );
    }
}

/// The answer that a finished row holds.
async fn answer(app: &App, row: exchange::Model) -> Result<Exchanged> {
    let db = app.db.read();
    let item_id = row.item_id.unwrap_or_default();
    let live = item::Entity::find()
        .filter(item::Column::Id.eq(item_id))
        .filter(item::Column::RemovedAt.is_null());
    let item = live.one(db).await?.ok_or_else(|| {
        let text = "This token was exchanged before, and its bank has been removed since. Open Link again.";
        Error::from(Refusal::new(ErrorCode::PublicTokenInvalid, text).on("publicToken"))
    })?;
    let sync_job = match row.sync_job_id {
        Some(id) => {
            sync_job::Entity::find()
                .filter(sync_job::Column::Id.eq(id))
                .one(db)
                .await?
        }
        None => None,
    };
    Ok(Exchanged {
        item,
        sync_job,
        existing: row.existing,
    })
}
