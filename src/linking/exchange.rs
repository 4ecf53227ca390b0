//! Turning a public token into an item. The provider takes a public token once and we may be asked
//! twice: by an impatient client, by a client that lost our answer, by the webhook of a hosted
//! session. So every exchange has a row, found by the token's hash or the caller's key, and the row
//! has the answer. What the provider gives is kept in the row before anything else is done with it
//! (`keep.rs`), so that an exchange that breaks off is gone on with and not begun again.

use chrono::TimeDelta;
use entity::{exchange, item, sync_job};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, sea_query::Expr,
};
use secrecy::{ExposeSecret, SecretString};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    duplicate::{self, Preview},
    failure::not_linked,
    keep::{keep, patiently},
    store::store,
};
use crate::{
    app::App,
    error::{Error, ErrorCode, Refusal, Result},
    providers::ProviderKind,
    seal::sha256_hex,
    viewer::ClientInfo,
};

/// An exchange that takes longer than this has died: the next offer goes on with it.
pub(super) const PATIENCE: TimeDelta = TimeDelta::seconds(180);

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
        if let Err(error) = &outcome {
            release(&app, row.id).await;
            not_linked(&app, offer.user_id, &offer.client, error).await;
        }
        outcome
    };
    let task = tokio::spawn(work.in_current_span());
    task.await.map_err(Error::internal)?
}

async fn carry_out(app: &App, row: exchange::Model, offer: &Offer) -> Result<Exchanged> {
    let row = if row.access_token.is_some() {
        row
    } else {
        exchange(app, row, offer).await?
    };
    let (kept, client) = (&row, &offer.client);
    let row = patiently(app, move || store(app, kept, client)).await?;
    answer(app, row).await
}

/// Gets the login, unless the person has it already.
async fn exchange(app: &App, row: exchange::Model, offer: &Offer) -> Result<exchange::Model> {
    let preview = Preview::ask(app, offer.user_id, &offer.public_token).await?;
    if let Some(preview) = &preview
        && let Some(item) = duplicate::find(app.db.read(), offer.user_id, preview).await?
    {
        return finish_existing(app, row, &item).await;
    }
    let provider = app.token_exchange(ProviderKind::Plaid)?;
    let linked = provider.exchange(&offer.public_token).await?;
    keep(app, row, linked, preview).await
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
                preview: Set(None),
                provider_item_id: Set(None),
                access_token: Set(None),
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

async fn finish_existing(
    app: &App,
    row: exchange::Model,
    item: &item::Model,
) -> Result<exchange::Model> {
    let mut row = row.into_active_model();
    row.item_id = Set(Some(item.id));
    row.existing = Set(true);
    row.finished_at = Set(Some(app.clock.now()));
    let txn = app.db.begin().await?;
    let row = row.update(&*txn).await?;
    txn.commit().await?;
    Ok(row)
}

/// An exchange that came to nothing leaves nothing behind: the next offer begins anew, and a key is
/// free for a better token. One whose login is kept is free to be gone on with.
async fn release(app: &App, id: Uuid) {
    use exchange::Column as Row;
    let forget = async {
        let txn = app.db.begin().await?;
        exchange::Entity::delete_by_id(id)
            .filter(Row::FinishedAt.is_null())
            .filter(Row::AccessToken.is_null())
            .exec(&*txn)
            .await?;
        let dead = app.clock.now() - PATIENCE;
        exchange::Entity::update_many()
            .col_expr(Row::StartedAt, Expr::value(dead))
            .filter(Row::Id.eq(id))
            .filter(Row::FinishedAt.is_null())
            .exec(&*txn)
            .await?;
        txn.commit().await
    };
    if let Err(error) = forget.await {
        // The next offer waits until its patience is over.
        tracing::warn!(
            error = error.chain(),
            "a failed exchange could not be given free"
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
        let text =
            "This token was exchanged before, and its bank is not linked any more. Open Link again.";
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
