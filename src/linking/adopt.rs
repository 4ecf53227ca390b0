//! Seeing to logins that a provider has: making items of them, and noticing those that move though nobody
//! told. One that was ordered (`link_institution.rs`) has the
//! name of its order and gets the order's id; one that a person made on the provider's own page has
//! none. Whoever comes first makes the item: the order itself, the webhook that tells of the login, the
//! job that watches the page, or the sweep.

use std::collections::HashMap;

use async_trait::async_trait;
use entity::{
    item::{self, LinkStatus},
    link_intent, provider_user,
    sync_job::SyncTrigger,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, sea_query::LockType,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    create_link_token::begun_at,
    institutions,
    intent::by_name,
    person::{Patron, known},
    store::{Fresh, make},
};
use crate::{
    app::App,
    database::Txn,
    error::{Error, Result},
    graphql::id,
    jobs::{Claim, Job},
    providers::{ItemState, Login, Progress, ProviderKind},
    sync,
    viewer::{ClientInfo, is_here},
};

/// Whose login it is.
pub(super) struct Owner<'a> {
    pub(super) user_id: Uuid,
    pub(super) provider: ProviderKind,
    /// The bank, if it is known.
    pub(super) bank: Option<Uuid>,
    pub(super) client: &'a ClientInfo,
}

/// Makes the item of a login and finishes its order, if it has one; or finds the item that is there,
/// which may be a removed one.
pub(super) async fn adopt(app: &App, owner: &Owner<'_>, login: &Login) -> Result<item::Model> {
    let mut txn = app.db.begin().await?;
    // As whoever exchanges a token, and whoever takes in a webhook of this login.
    txn.lock(&format!("linking {}", owner.user_id)).await?;
    txn.lock(&login.linked.provider_item_id).await?;
    // Who has left gets no bank any more; the provider forgets her with all her logins.
    if !is_here(&*txn, owner.user_id).await? {
        return Err(Error::Unauthenticated);
    }
    let there = item::Entity::find()
        .filter(item::Column::Provider.eq(owner.provider))
        .filter(item::Column::ProviderItemId.eq(&login.linked.provider_item_id));
    let intent = intent(&txn, owner, login).await?;
    let (item, sync_job_id) = match there.one(&*txn).await? {
        Some(item) if item.user_id != owner.user_id => {
            return Err(Error::internal("the provider gave one login to two people"));
        }
        Some(item) => (item, None),
        None => {
            let fresh = Fresh {
                id: intent.as_ref().map_or_else(Uuid::now_v7, |row| row.id),
                user_id: owner.user_id,
                provider: owner.provider,
                linked: &login.linked,
                institution_id: owner.bank,
                link_status: LinkStatus::Processing,
            };
            let (item, sync) = make(app, &mut txn, &fresh, owner.client).await?;
            (item, Some(sync))
        }
    };
    if let Some(row) = intent {
        let mut row = row.into_active_model();
        row.item_id = Set(Some(item.id));
        row.sync_job_id = Set(sync_job_id);
        row.finished_at = Set(Some(app.clock.now()));
        row.update(&*txn).await?;
    }
    txn.commit().await?;
    Ok(item)
}

/// The order a login is named after, if it is not finished.
async fn intent(txn: &Txn, owner: &Owner<'_>, login: &Login) -> Result<Option<link_intent::Model>> {
    let name = login.name.as_deref().unwrap_or_default();
    let Some(row_id) = id::decode(id::ITEM, name) else {
        return Ok(None);
    };
    let rows = link_intent::Entity::find()
        .filter(link_intent::Column::Id.eq(row_id))
        .filter(link_intent::Column::UserId.eq(owner.user_id))
        .filter(link_intent::Column::FinishedAt.is_null());
    Ok(rows.one(&**txn).await?)
}

/// Sees to all logins of a person: those without an item get one, and a sync looks after an item that waits
/// for its person, or that is being repaired, once its login moves. Whether the one that is being
/// repaired lets us in again, or is no more.
pub(super) async fn see_to(patron: Patron<'_>, repaired: Option<Uuid>) -> Result<bool> {
    let logins = patron.logins().await?;
    let there = there(patron, &logins).await?;
    let mut over = repaired.is_some();
    for login in logins {
        let Some(item) = there.get(&login.linked.provider_item_id) else {
            find_home(patron, &login).await?;
            continue;
        };
        let meant = repaired == Some(item.id);
        let moved = item.removed_at.is_none() && moves(item, &login.state);
        if moved && (meant || waits(item)) {
            look_after(patron.app, item.id).await?;
        }
        if meant {
            over = item.removed_at.is_some() || moved && lets_in(&login.state);
        }
    }
    Ok(over)
}

/// The items that logins have, by the provider's ids.
async fn there(patron: Patron<'_>, logins: &[Login]) -> Result<HashMap<String, item::Model>> {
    let ids = logins.iter().map(|login| &login.linked.provider_item_id);
    let rows = item::Entity::find()
        .filter(item::Column::Provider.eq(patron.provider))
        .filter(item::Column::ProviderItemId.is_in(ids))
        .all(patron.app.db.read())
        .await?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|row| (row.provider_item_id.clone(), row))
        .collect())
}

/// Makes an item of a login that nobody ordered here, or whose order broke off.
async fn find_home(patron: Patron<'_>, login: &Login) -> Result<()> {
    let Patron {
        app,
        provider,
        user_id,
    } = patron;
    let owner = Owner {
        user_id,
        provider,
        bank: bank(app, provider, login.institution_id.as_deref()).await?,
        client: &begun_at(patron).await?,
    };
    let item = adopt(app, &owner, login).await?;
    tracing::info!(item.id = %item.id, "a login that the provider told of is linked");
    Ok(())
}

/// Whether an item is one that only its person, or time, can help.
fn waits(item: &item::Model) -> bool {
    sync::is_broken(item.link_status) || item.link_status == LinkStatus::Error
}

/// Whether something goes on with a login, or it stands otherwise than it did. One whose person is
/// expected, on the bank's own page or with an answer to it, has not moved.
fn moves(item: &item::Model, state: &ItemState) -> bool {
    let code = state.fault.as_ref().map(|fault| fault.code.as_str());
    match state.progress {
        Progress::Awaited | Progress::Asking => false,
        Progress::Settled => code != item.link_error.as_deref(),
        Progress::SigningIn | Progress::Stalled | Progress::Collecting => true,
    }
}

/// Whether the provider is in.
fn lets_in(state: &ItemState) -> bool {
    let inside = matches!(state.progress, Progress::Settled | Progress::Collecting);
    inside && state.fault.is_none()
}

/// Has a sync look after an item.
async fn look_after(app: &App, item_id: Uuid) -> Result<()> {
    let mut txn = app.db.begin().await?;
    let rows = item::Entity::find()
        .filter(item::Column::Id.eq(item_id))
        .filter(item::Column::RemovedAt.is_null())
        .lock(LockType::NoKeyUpdate);
    if let Some(item) = rows.one(&*txn).await? {
        sync::request(&mut txn, app, &item, SyncTrigger::Repair).await?;
    }
    txn.commit().await
}

/// The row of a bank; one that cannot be asked for is asked for later.
async fn bank(app: &App, provider: ProviderKind, code: Option<&str>) -> Result<Option<Uuid>> {
    let Some(code) = code else {
        return Ok(None);
    };
    match app.provider(provider)?.institution(code).await {
        Ok(told) => {
            let rows = institutions::keep(app, provider, vec![told]).await?;
            Ok(rows.first().map(|row| row.id))
        }
        Err(error) => {
            tracing::warn!(%error, "the bank of a login could not be asked for");
            Ok(None)
        }
    }
}

/// Makes items of the logins that a provider has told of and nobody here knows.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct AdoptLogins {
    /// Whose logins.
    pub user_id: Uuid,
}

#[async_trait]
impl Job for AdoptLogins {
    const KIND: &'static str = "linking.adopt";
    const MAX_ATTEMPTS: i32 = 12;

    fn key(&self) -> String {
        self.user_id.to_string()
    }

    fn user_id(&self) -> Option<Uuid> {
        Some(self.user_id)
    }

    async fn run(&self, app: &App, _claim: &Claim) -> Result<()> {
        let rows = provider_user::Entity::find()
            .filter(provider_user::Column::UserId.eq(self.user_id))
            .all(app.db.read())
            .await?;
        for row in rows {
            let patron = Patron {
                app,
                provider: row.provider,
                user_id: self.user_id,
            };
            see_to(patron, None).await?;
        }
        Ok(())
    }
}

/// Finishes an order whose call broke off: the login is there under its name, or was never made.
pub(super) async fn finish(app: &App, row: link_intent::Model) -> Result<()> {
    let patron = Patron {
        app,
        provider: row.provider,
        user_id: row.user_id,
    };
    let found = match known(app.db.read(), row.provider, row.user_id).await? {
        Some(_) => by_name(patron, row.id).await?,
        None => None,
    };
    let Some(found) = found else {
        let txn = app.db.begin().await?;
        link_intent::Entity::delete_by_id(row.id)
            .filter(link_intent::Column::FinishedAt.is_null())
            .exec(&*txn)
            .await?;
        return txn.commit().await;
    };
    let owner = Owner {
        user_id: row.user_id,
        provider: row.provider,
        bank: bank(app, row.provider, Some(&row.institution_code)).await?,
        client: &ClientInfo::default(),
    };
    adopt(app, &owner, &found).await?;
    tracing::info!(item.id = %row.id, "a link that had broken off is finished");
    Ok(())
}
