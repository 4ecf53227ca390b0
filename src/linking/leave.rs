//! Giving up everything that somebody has at providers who leaves for good: her banks, each by the
//! removal that does not give up, then what providers that keep people apart know of her.

use entity::{
    exchange,
    item::{self, LinkStatus},
    provider_user,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
    prelude::{Expr, Json},
    sea_query::LockType,
};
use uuid::Uuid;

use super::remove::{RemoveItem, asked_again};
use crate::{
    app::App,
    database::Txn,
    error::Result,
    jobs::{When, enqueue},
    sync,
};

/// Ends all items of a person here, and has each given up at its provider. What a sync fetches from now
/// on, it finds nowhere to write.
pub(crate) async fn leave(txn: &mut Txn, app: &App, user_id: Uuid) -> Result<()> {
    let now = app.clock.now();
    // Whoever makes an item holds the same, so none falls between.
    txn.lock(&format!("linking {user_id}")).await?;
    let items = item::Entity::find()
        .filter(item::Column::UserId.eq(user_id))
        .order_by_asc(item::Column::Id)
        .lock(LockType::NoKeyUpdate);
    for item in items.all(&**txn).await? {
        sync::cancel(txn, item.id, now).await?;
        if !item.access_token.is_empty() {
            enqueue(txn, app, &RemoveItem::of(&item), When::default()).await?;
        }
        let removed_at = item.removed_at.unwrap_or(now);
        let mut row = item.into_active_model();
        row.removed_at = Set(Some(removed_at));
        row.updated_at = Set(now);
        row.link_status = Set(LinkStatus::Disconnected);
        row.institution_id = Set(None);
        row.link_error = Set(None);
        row.link_message = Set(None);
        row.sync_cursor = Set(None);
        row.sync_due_at = Set(None);
        row.update(&**txn).await?;
    }
    // What link sessions told of her accounts.
    exchange::Entity::update_many()
        .col_expr(exchange::Column::Preview, Expr::value(None::<Json>))
        .filter(exchange::Column::UserId.eq(user_id))
        .exec(&**txn)
        .await?;
    Ok(())
}

/// Whether nothing opens a bank of the person's any more: every provider has let go, and no login
/// waits to be given up.
pub(crate) async fn is_let_go(db: &impl ConnectionTrait, user_id: Uuid) -> Result<bool> {
    let items = item::Entity::find()
        .filter(item::Column::UserId.eq(user_id))
        .filter(item::Column::AccessToken.ne(Vec::<u8>::new()));
    let kept = exchange::Entity::find()
        .filter(exchange::Column::UserId.eq(user_id))
        .filter(exchange::Column::AccessToken.is_not_null());
    Ok(items.count(db).await? == 0 && kept.count(db).await? == 0)
}

/// Has providers that keep people apart forget her, with whatever they hold of her still.
///
/// # Errors
/// What a provider says instead; it is to be asked again.
pub(crate) async fn forget_person(app: &App, user_id: Uuid) -> Result<()> {
    let rows = provider_user::Entity::find()
        .filter(provider_user::Column::UserId.eq(user_id))
        .all(app.db.read())
        .await?;
    for row in rows {
        let forgotten = forget(app, &row).await;
        forgotten.map_err(|error| asked_again(user_id, error))?;
        let txn = app.db.begin().await?;
        provider_user::Entity::delete_by_id((row.user_id, row.provider))
            .exec(&*txn)
            .await?;
        txn.commit().await?;
    }
    Ok(())
}

async fn forget(app: &App, row: &provider_user::Model) -> Result<()> {
    let login = app.credential_login(row.provider)?;
    Ok(login.forget(&row.provider_user_id).await?)
}
