//! What is about to be linked, written down before the provider is asked. The row has the id that the
//! item will have, and the provider is told to call the login by it (`name`), so that a login whose
//! answer was lost is found again.

use chrono::TimeDelta;
use entity::link_intent;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{link_institution::Order, person::Patron};
use crate::{
    app::App,
    error::{Error, ErrorCode, Refusal, Result},
    graphql::id,
    providers::Login,
};

/// A call that takes longer than this has died: the next one goes on with it.
pub(super) const PATIENCE: TimeDelta = TimeDelta::seconds(180);

/// What came of looking for an earlier call.
pub(super) enum Begun {
    Started(link_intent::Model),
    Resumed(link_intent::Model),
    Finished(link_intent::Model),
}

/// Finds the row of an earlier call, or writes one, so that nobody else begins meanwhile.
pub(super) async fn begin(app: &App, order: &Order) -> Result<Begun> {
    let now = app.clock.now();
    let txn = app.db.begin().await?;
    txn.lock(&format!("linking {}", order.user_id)).await?;
    let known = match &order.idempotency_key {
        Some(key) => {
            let rows = link_intent::Entity::find()
                .filter(link_intent::Column::UserId.eq(order.user_id))
                .filter(link_intent::Column::IdempotencyKey.eq(key));
            rows.one(&*txn).await?
        }
        None => None,
    };
    let other = |row: &link_intent::Model| {
        row.institution_code != order.institution_code || row.provider != order.provider
    };
    let begun = match known {
        Some(row) if other(&row) => {
            let text = "This key was used for another bank. Use a new key for each.";
            let refusal = Refusal::new(ErrorCode::IdempotencyKeyReused, text);
            return Err(refusal.on("idempotencyKey").into());
        }
        Some(row) if row.finished_at.is_some() => return Ok(Begun::Finished(row)),
        Some(row) if row.started_at > now - PATIENCE => {
            let text = "This bank is being linked by another request. Ask again in a moment.";
            let refusal = Refusal::new(ErrorCode::ExchangeInProgress, text);
            return Err(refusal.retry_after(2).into());
        }
        Some(row) => {
            let mut row = row.into_active_model();
            row.started_at = Set(now);
            Begun::Resumed(row.update(&*txn).await?)
        }
        None => {
            let row = link_intent::ActiveModel {
                id: Set(Uuid::now_v7()),
                user_id: Set(order.user_id),
                provider: Set(order.provider),
                institution_code: Set(order.institution_code.clone()),
                idempotency_key: Set(order.idempotency_key.clone()),
                item_id: Set(None),
                sync_job_id: Set(None),
                existing: Set(false),
                started_at: Set(now),
                finished_at: Set(None),
            };
            let insert = link_intent::Entity::insert(row);
            Begun::Started(insert.exec_with_returning(&*txn).await?)
        }
    };
    txn.commit().await?;
    Ok(begun)
}

/// What the provider is told to call the login.
pub(super) fn name(intent: Uuid) -> String {
    id::encode(id::ITEM, intent).0
}

/// The login that has the name of an intent.
pub(super) async fn by_name(patron: Patron<'_>, intent: Uuid) -> Result<Option<Login>> {
    let own = name(intent);
    let logins = patron.logins().await?;
    Ok(logins
        .into_iter()
        .find(|login| login.name.as_ref() == Some(&own)))
}

/// An order that came to nothing leaves nothing behind; one that may have made a login is free to be
/// gone on with.
pub(super) async fn release(app: &App, id: Uuid, may_be_there: bool) {
    use link_intent::Column as Row;
    let forget = async {
        let txn = app.db.begin().await?;
        if may_be_there {
            let dead = app.clock.now() - PATIENCE;
            link_intent::Entity::update_many()
                .col_expr(Row::StartedAt, Expr::value(dead))
                .filter(Row::Id.eq(id))
                .filter(Row::FinishedAt.is_null())
                .exec(&*txn)
                .await?;
        } else {
            link_intent::Entity::delete_by_id(id)
                .filter(Row::FinishedAt.is_null())
                .exec(&*txn)
                .await?;
        }
        txn.commit().await
    };
    if let Err(error) = forget.await {
        tracing::warn!(
            error = error.chain(),
            "a failed link could not be given free"
        );
    }
}

pub(super) async fn find(app: &App, id: Uuid) -> Result<link_intent::Model> {
    let rows = link_intent::Entity::find().filter(link_intent::Column::Id.eq(id));
    let row = rows.one(app.db.read()).await?;
    row.ok_or_else(|| Error::internal("a link that is not there"))
}

/// Writes down that the person had the login already.
pub(super) async fn finish(app: &App, id: Uuid, item_id: Uuid) -> Result<link_intent::Model> {
    let mut row = find(app, id).await?.into_active_model();
    row.item_id = Set(Some(item_id));
    row.existing = Set(true);
    row.finished_at = Set(Some(app.clock.now()));
    let txn = app.db.begin().await?;
    let row = row.update(&*txn).await?;
    txn.commit().await?;
    Ok(row)
}
