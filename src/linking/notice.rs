//! What a webhook about an item does. Nearly always it asks for a sync, which asks the provider how
//! the item stands; only what the provider tells nowhere else is taken from the webhook itself.

use chrono::TimeDelta;
use entity::{
    account, activity::ActivityKind, feed_event::EventKind, item, sync_job::SyncTrigger, webhook,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    activity::{self, Entry},
    app::App,
    database::Txn,
    error::Result,
    feed,
    providers::Notice,
    seal::Place,
    sync,
    viewer::ClientInfo,
};

/// Consent that ends on a day nobody told ends in a week: that is when providers warn.
const WARNING: TimeDelta = TimeDelta::days(7);

/// Lets a notice take effect in the caller's transaction.
pub async fn notice(txn: &mut Txn, app: &App, item: &item::Model, notice: &Notice) -> Result<()> {
    let now = app.clock.now();
    let mut row = item.clone().into_active_model();
    let trigger = match notice {
        Notice::Look => Some(SyncTrigger::Webhook),
        Notice::Repaired => {
            row.consent_expires_at = Set(None);
            row.new_accounts = Set(false);
            // Of a login that did not work a sync has to say that it works.
            if !sync::is_broken(item.link_status) {
                let client = ClientInfo::default();
                let entry = Entry {
                    item_id: Some(item.id),
                    ..Entry::of(item.user_id, ActivityKind::ItemRepaired, &client)
                };
                activity::record(&**txn, now, entry).await?;
            }
            Some(SyncTrigger::Repair)
        }
        Notice::ConsentExpires(at) => {
            row.consent_expires_at = Set(Some(at.unwrap_or(now + WARNING)));
            None
        }
        Notice::NewAccounts => {
            row.new_accounts = Set(true);
            None
        }
        Notice::AccountRevoked(provider_account_id) => {
            close(txn, app, item, provider_account_id).await?;
            Some(SyncTrigger::Webhook)
        }
        Notice::SessionFinished(_) | Notice::Ignore => None,
    };
    let told = row.is_changed() || matches!(notice, Notice::AccountRevoked(_));
    if row.is_changed() {
        row.updated_at = Set(now);
        row.update(&**txn).await?;
    }
    // Item, job, feed: whoever takes these in another order waits for somebody who waits for it.
    if let Some(trigger) = trigger {
        sync::request(txn, app, item, trigger).await?;
    }
    if told {
        feed::publish(txn, item.user_id, now, &[(EventKind::Item, item.id)]).await?;
    }
    Ok(())
}

async fn close(txn: &Txn, app: &App, item: &item::Model, provider_account_id: &str) -> Result<()> {
    let now = app.clock.now();
    account::Entity::update_many()
        .col_expr(account::Column::ClosedAt, Expr::value(now))
        .col_expr(account::Column::UpdatedAt, Expr::value(now))
        .filter(account::Column::ItemId.eq(item.id))
        .filter(account::Column::ProviderAccountId.eq(provider_account_id))
        .filter(account::Column::ClosedAt.is_null())
        .exec(&**txn)
        .await?;
    Ok(())
}

/// Lets webhooks take effect that came before their item did.
pub(super) async fn early(txn: &mut Txn, app: &App, item: &item::Model) -> Result<()> {
    use webhook::{Column as Inbox, WebhookState};
    let parked = webhook::Entity::find()
        .filter(Inbox::Provider.eq(item.provider))
        .filter(Inbox::Subject.eq(&item.provider_item_id))
        .filter(Inbox::State.eq(WebhookState::Parked))
        .order_by_asc(Inbox::Id)
        .all(&**txn)
        .await?;
    for row in parked {
        let body = app.keys.open(inbox_place(row.id), &row.body)?;
        if let Ok(delivery) = app.provider(item.provider)?.read_webhook(&body) {
            notice(txn, app, item, &delivery.notice).await?;
        }
        let mut row = row.into_active_model();
        row.state = Set(WebhookState::Applied);
        row.user_id = Set(Some(item.user_id));
        row.applied_at = Set(Some(app.clock.now()));
        row.update(&**txn).await?;
    }
    Ok(())
}

/// Where the body of a delivery is sealed.
pub(crate) fn inbox_place(row: Uuid) -> Place {
    Place {
        column: "webhooks.body",
        row,
        user: Uuid::nil(),
    }
}
