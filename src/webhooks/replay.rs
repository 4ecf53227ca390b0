//! Letting a delivery that is kept take effect by hand, as it would on its way in. One that never did, because
//! nobody here knew its subject, does now if somebody knows it. One that did has its item looked at again, which
//! is all that a provider's word is believed for a second time: so a replay repeats nothing, however often.

use entity::{
    item,
    webhook::{self, WebhookState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, sea_query::LockType,
};
use uuid::Uuid;

use super::keep::{adopt, applied, notice, session};
use crate::{
    app::App,
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    linking::inbox_place,
    providers::{Delivery, Notice, Subject},
};

/// Lets a delivery take effect in the caller's transaction; returns it as it is then.
///
/// # Errors
/// `NOT_FOUND`; `INVALID_STATE` where there is nothing it could take effect on.
pub async fn replay(txn: &mut Txn, app: &App, id: Uuid) -> Result<webhook::Model> {
    let row = find(txn, id).await?;
    // As whoever takes it in, and whoever makes the item it is about.
    if let Some(subject) = &row.subject {
        txn.lock(subject).await?;
    }
    let row = find(txn, id).await?;
    let body = app.keys.open(inbox_place(row.id), &row.body)?;
    let read = app.provider(row.provider)?.read_webhook(&body);
    let delivery = read.map_err(Error::internal)?;
    match &delivery.subject {
        Subject::Item(theirs) => about_item(txn, app, &row, &delivery, theirs).await?,
        // Its end is a job of its own by now.
        Subject::Link(_) if row.state == WebhookState::Applied => {}
        Subject::Link(_) => {
            let owner = session(txn, app, &delivery, row.id).await?;
            let owner = owner.ok_or_else(nothing)?;
            applied(app, txn, row.id, Some(owner)).await?;
        }
        Subject::Nothing => return Err(nothing()),
    }
    find(txn, id).await
}

async fn about_item(
    txn: &mut Txn,
    app: &App,
    row: &webhook::Model,
    delivery: &Delivery,
    theirs: &str,
) -> Result<()> {
    let rows = item::Entity::find()
        .filter(item::Column::Provider.eq(row.provider))
        .filter(item::Column::ProviderItemId.eq(theirs))
        .lock(LockType::NoKeyUpdate);
    match rows.one(&**txn).await? {
        Some(item) if row.state == WebhookState::Applied => {
            notice(txn, app, &item, &Notice::Look).await
        }
        Some(item) => {
            notice(txn, app, &item, &delivery.notice).await?;
            applied(app, txn, row.id, Some(item.user_id)).await
        }
        None if adopt(txn, app, row.provider, delivery).await? => wait(txn, row).await,
        None => Err(nothing()),
    }
}

/// Has a delivery wait for its item, which somebody is looking for now.
async fn wait(txn: &Txn, row: &webhook::Model) -> Result<()> {
    let mut row = row.clone().into_active_model();
    row.state = Set(WebhookState::Parked);
    row.update(&**txn).await?;
    Ok(())
}

async fn find(txn: &Txn, id: Uuid) -> Result<webhook::Model> {
    let rows = webhook::Entity::find().filter(webhook::Column::Id.eq(id));
    rows.one(&**txn).await?.ok_or_else(|| {
        let text = "No webhook delivery has this id; they are kept for a month.";
        Refusal::new(ErrorCode::NotFound, text)
            .on("deliveryId")
            .into()
    })
}

fn nothing() -> Error {
    let text = "Nobody here has the item or link session that this delivery is about.";
    Refusal::new(ErrorCode::InvalidState, text)
        .on("deliveryId")
        .into()
}
