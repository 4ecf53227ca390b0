//! Keeping deliveries: the rows of the inbox and what they ask for, in one transaction.

use std::collections::{BTreeSet, HashMap, HashSet};

use entity::{
    item, link_token,
    webhook::{self, WebhookState},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType, OnConflict},
};
use uuid::Uuid;

use super::intake::{Waiting, subject};
use crate::{
    app::App,
    database::Txn,
    error::Result,
    jobs::{When, enqueue},
    linking::{self, AdoptLogins, FinishLinkSession, inbox_place},
    providers::{Delivery, Notice, ProviderKind, Subject},
};

/// Keeps a batch and lets it take effect, in one transaction. On PostgreSQL it is of one subject.
pub(super) async fn keep(app: &App, batch: &[Waiting]) -> Result<()> {
    let mut txn = app.db.begin().await?;
    lock(&txn, batch).await?;
    let fresh = insert(app, &txn, batch).await?;
    let items = items(&txn, &fresh).await?;
    let mut looked = HashSet::new();
    for (waiting, row_id) in fresh {
        let (provider, delivery) = (waiting.provider, &waiting.delivery);
        let owner = match &delivery.subject {
            Subject::Item(id) => {
                if let Some(item) = items.get(&(provider, id.clone())) {
                    // Many of one item at once ask for one look.
                    let look = matches!(delivery.notice, Notice::Look);
                    if !look || looked.insert(item.id) {
                        notice(&mut txn, app, item, &delivery.notice).await?;
                    }
                    Some(item.user_id)
                } else {
                    adopt(&mut txn, app, provider, delivery).await?;
                    None
                }
            }
            Subject::Link(_) => session(&mut txn, app, delivery, row_id).await?,
            Subject::Nothing => None,
        };
        if owner.is_some() {
            applied(app, &txn, row_id, owner).await?;
        }
    }
    txn.commit().await
}

/// Lets what is said of an item take effect, unless it is removed.
pub(super) async fn notice(
    txn: &mut Txn,
    app: &App,
    item: &item::Model,
    notice: &Notice,
) -> Result<()> {
    if item.removed_at.is_none() {
        linking::notice(txn, app, item, notice).await?;
    }
    Ok(())
}

/// Waits for whoever keeps the same delivery or makes what it is about: whoever stores an item holds
/// the same lock, so a webhook sees the item or is seen by it.
async fn lock(txn: &Txn, batch: &[Waiting]) -> Result<()> {
    let subjects = batch
        .iter()
        .filter_map(|waiting| subject(&waiting.delivery));
    for subject in subjects.collect::<BTreeSet<_>>() {
        txn.lock(&subject).await?;
    }
    Ok(())
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
    let subject = subject(&waiting.delivery);
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

/// The items that deliveries are about.
async fn items(
    txn: &Txn,
    fresh: &[(&Waiting, Uuid)],
) -> Result<HashMap<(ProviderKind, String), item::Model>> {
    let mut ids: HashMap<ProviderKind, HashSet<&str>> = HashMap::new();
    let mut changes = false;
    for (waiting, _) in fresh {
        if let Subject::Item(id) = &waiting.delivery.subject {
            ids.entry(waiting.provider).or_default().insert(id);
            changes |= !matches!(waiting.delivery.notice, Notice::Look | Notice::Ignore);
        }
    }
    let mut items = HashMap::new();
    for (provider, ids) in ids {
        let mut rows = item::Entity::find()
            .filter(item::Column::Provider.eq(provider))
            .filter(item::Column::ProviderItemId.is_in(ids));
        if changes {
            // Before the feed, like everybody else.
            rows = rows.lock(LockType::NoKeyUpdate);
        }
        let rows = rows.all(&**txn).await?.into_iter();
        items.extend(rows.map(|row| ((provider, row.provider_item_id.clone()), row)));
    }
    Ok(items)
}

/// Lets the news of a link session take effect; whose session it is, if we know it.
pub(super) async fn session(
    txn: &mut Txn,
    app: &App,
    delivery: &Delivery,
    webhook_id: Uuid,
) -> Result<Option<Uuid>> {
    let rows =
        link_token::Entity::find().filter(link_token::Column::TokenHash.eq(subject(delivery)));
    let Some(session) = rows.one(&**txn).await? else {
        return Ok(None);
    };
    if matches!(delivery.notice, Notice::SessionFinished(_)) {
        let job = FinishLinkSession {
            webhook_id,
            link_token_id: session.id,
        };
        enqueue(txn, app, &job, When::default()).await?;
    }
    Ok(Some(session.user_id))
}

/// Has somebody look for a login that nobody here knows, if we know whose it is; whether we do. Its delivery
/// waits for the item.
pub(super) async fn adopt(
    txn: &mut Txn,
    app: &App,
    provider: ProviderKind,
    delivery: &Delivery,
) -> Result<bool> {
    let Some(theirs) = &delivery.provider_user_id else {
        return Ok(false);
    };
    let Some(user_id) = linking::person_called(&**txn, provider, theirs).await? else {
        return Ok(false);
    };
    enqueue(txn, app, &AdoptLogins { user_id }, When::default()).await?;
    Ok(true)
}

pub(super) async fn applied(
    app: &App,
    txn: &Txn,
    row_id: Uuid,
    user_id: Option<Uuid>,
) -> Result<()> {
    webhook::Entity::update_many()
        .col_expr(webhook::Column::State, Expr::value(WebhookState::Applied))
        .col_expr(webhook::Column::UserId, Expr::value(user_id))
        .col_expr(webhook::Column::AppliedAt, Expr::value(app.clock.now()))
        .filter(webhook::Column::Id.eq(row_id))
        .exec(&**txn)
        .await?;
    Ok(())
}
