//! The inbox. One task writes; deliveries that arrive while it commits wait for the next commit and
//! share it.

use std::collections::{HashMap, HashSet};

use entity::{
    item, link_token,
    webhook::{self, WebhookState},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict,
};
use secrecy::ExposeSecret;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::{
    app::App,
    database::Txn,
    error::{Error, Result},
    jobs::{When, enqueue},
    linking::{self, FinishLinkSession, inbox_place},
    providers::{Delivery, Notice, ProviderKind, Subject},
    seal::sha256_hex,
};

/// Deliveries that may wait; beyond that senders are told to come back.
const QUEUE: usize = 2_048;
/// Deliveries in one commit.
const BATCH: usize = 256;

/// The way into the inbox.
#[derive(Clone, Debug)]
pub struct Intake(mpsc::Sender<Waiting>);

#[derive(Debug)]
struct Waiting {
    provider: ProviderKind,
    delivery: Delivery,
    body: Vec<u8>,
    kept: oneshot::Sender<Result<()>>,
}

impl Intake {
    /// The inbox and the task that writes it; the task ends when the last handle is dropped.
    pub fn new(app: App) -> (Self, impl Future<Output = ()> + Send) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(sender), write(app, receiver))
    }

    /// Keeps a delivery; returns when it is on disk.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it could not be kept: the provider should send it again.
    pub async fn take(
        &self,
        provider: ProviderKind,
        delivery: Delivery,
        body: Vec<u8>,
    ) -> Result<()> {
        let (kept, outcome) = oneshot::channel();
        let full = |what: &str| {
            Error::Unavailable(std::sync::Arc::from(Box::<
                dyn std::error::Error + Send + Sync,
            >::from(what)))
        };
        self.0
            .try_send(Waiting {
                provider,
                delivery,
                body,
                kept,
            })
            .map_err(|_| full("the inbox is full"))?;
        outcome
            .await
            .unwrap_or_else(|_| Err(full("the inbox is closed")))
    }
}

async fn write(app: App, mut receiver: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        let together = commit(&app, &batch).await;
        let alone = together.is_err() && batch.len() > 1;
        for waiting in batch.drain(..) {
            // One that cannot be kept costs no other; and alone they wait for nobody in a circle.
            let outcome = match &together {
                Err(_) if alone => commit(&app, std::slice::from_ref(&waiting)).await,
                together => together.clone(),
            };
            // A sender that has gone away will send again.
            let _ = waiting.kept.send(outcome);
        }
    }
}

/// Keeps a batch and lets it take effect, in one transaction.
async fn commit(app: &App, batch: &[Waiting]) -> Result<()> {
    let mut txn = app.db.begin().await?;
    let mut fresh = insert(app, &txn, batch).await?;
    let items = items(&txn, batch, &fresh).await?;
    // Feeds are locked in one order everywhere, so that two intakes never wait for each other.
    fresh.sort_by_key(|(waiting, _)| match &waiting.delivery.subject {
        Subject::Item(id) => items.get(id).map(|item| (item.user_id, item.id)),
        _ => None,
    });
    let mut looked = HashSet::new();
    for (waiting, row_id) in fresh {
        let user_id = match &waiting.delivery.subject {
            Subject::Item(provider_item_id) => match items.get(provider_item_id.as_str()) {
                Some(item) => {
                    // Many of one item at once ask for one look.
                    let again =
                        matches!(waiting.delivery.notice, Notice::Look) && !looked.insert(item.id);
                    if !again && item.removed_at.is_none() {
                        linking::notice(&mut txn, app, item, &waiting.delivery.notice).await?;
                    }
                    Some(item.user_id)
                }
                None => continue,
            },
            Subject::Link(token) => {
                let token_hash = sha256_hex(token.expose_secret().as_bytes());
                match link(&txn, &token_hash).await? {
                    Some(session) => {
                        if matches!(waiting.delivery.notice, Notice::SessionFinished(_)) {
                            let job = FinishLinkSession {
                                webhook_id: row_id,
                                link_token_id: session.id,
                            };
                            enqueue(&mut txn, app, &job, When::default()).await?;
                        }
                        Some(session.user_id)
                    }
                    None => continue,
                }
            }
            Subject::Nothing => None,
        };
        applied(app, &txn, row_id, user_id).await?;
    }
    txn.commit().await
}

/// Writes the deliveries that are not there yet; returns those with the ids of their rows.
async fn insert<'a>(
    app: &App,
    txn: &Txn,
    batch: &'a [Waiting],
) -> Result<Vec<(&'a Waiting, Uuid)>> {
    let keys = batch
        .iter()
        .map(|waiting| waiting.delivery.delivery_key.as_str());
    let known: Vec<String> = webhook::Entity::find()
        .select_only()
        .column(webhook::Column::DeliveryKey)
        .filter(webhook::Column::DeliveryKey.is_in(keys))
        .into_tuple()
        .all(&**txn)
        .await?;
    let mut seen: HashSet<&str> = known.iter().map(String::as_str).collect();
    let fresh: Vec<(&Waiting, Uuid)> = batch
        .iter()
        .filter(|waiting| seen.insert(&waiting.delivery.delivery_key))
        .map(|waiting| (waiting, Uuid::now_v7()))
        .collect();
    let rows: Result<Vec<webhook::ActiveModel>> = fresh
        .iter()
        .map(|(waiting, id)| row(app, waiting, *id))
        .collect();
    let rows = rows?;
    if !rows.is_empty() {
        let again = OnConflict::new().do_nothing().to_owned();
        webhook::Entity::insert_many(rows)
            .on_conflict(again)
            .exec_without_returning(&**txn)
            .await?;
    }
    Ok(fresh)
}

fn row(app: &App, waiting: &Waiting, id: Uuid) -> Result<webhook::ActiveModel> {
    let subject = match &waiting.delivery.subject {
        Subject::Item(id) => Some(id.clone()),
        Subject::Link(token) => Some(sha256_hex(token.expose_secret().as_bytes())),
        Subject::Nothing => None,
    };
    let state = if subject.is_some() {
        WebhookState::Parked
    } else {
        WebhookState::Ignored
    };
    Ok(webhook::ActiveModel {
        id: Set(id),
        provider: Set(waiting.provider),
        delivery_key: Set(waiting.delivery.delivery_key.clone()),
        subject: Set(subject),
        code: Set(waiting.delivery.code.clone()),
        body: Set(app.keys.seal(inbox_place(id), &waiting.body)?),
        state: Set(state),
        user_id: Set(None),
        received_at: Set(app.clock.now()),
        applied_at: Set(None),
    })
}

/// The items a batch is about, by the provider's id.
async fn items(
    txn: &Txn,
    batch: &[Waiting],
    fresh: &[(&Waiting, Uuid)],
) -> Result<HashMap<String, item::Model>> {
    let mut ids: Vec<&str> = fresh
        .iter()
        .filter_map(|(waiting, _)| match &waiting.delivery.subject {
            Subject::Item(id) => Some(id.as_str()),
            _ => None,
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let Some(provider) = batch.first().map(|waiting| waiting.provider) else {
        return Ok(HashMap::new());
    };
    for id in &ids {
        // Whoever stores an item holds the same lock, so a webhook sees the item or is seen by it.
        // In sorted order, so that two intakes never wait for each other.
        txn.lock(id).await?;
    }
    let rows = item::Entity::find()
        .filter(item::Column::Provider.eq(provider))
        .filter(item::Column::ProviderItemId.is_in(ids))
        .all(&**txn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.provider_item_id.clone(), row))
        .collect())
}

async fn link(txn: &Txn, token_hash: &str) -> Result<Option<link_token::Model>> {
    let rows = link_token::Entity::find().filter(link_token::Column::TokenHash.eq(token_hash));
    Ok(rows.one(&**txn).await?)
}

async fn applied(app: &App, txn: &Txn, row_id: Uuid, user_id: Option<Uuid>) -> Result<()> {
    use sea_orm::sea_query::Expr;
    if user_id.is_some() {
        webhook::Entity::update_many()
            .col_expr(webhook::Column::State, Expr::value(WebhookState::Applied))
            .col_expr(webhook::Column::UserId, Expr::value(user_id))
            .col_expr(webhook::Column::AppliedAt, Expr::value(app.clock.now()))
            .filter(webhook::Column::Id.eq(row_id))
            .exec(&**txn)
            .await?;
    }
    Ok(())
}
