//! Making items of logins that a provider has. One that was ordered (`link_institution.rs`) has the
//! name of its order and gets the order's id; one that a person made on the provider's own page has
//! none. Whoever comes first makes the item: the order itself, the webhook that tells of the login, the
//! job that watches the page, or the sweep.

use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use entity::{
    item::{self, LinkStatus},
    link_intent, link_token, provider_user,
    sync_job::SyncTrigger,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, sea_query::LockType,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    institutions,
    intent::by_name,
    person::{known, provider_user},
    store::{Fresh, make},
};
use crate::{
    app::App,
    database::Txn,
    error::{Error, ErrorClass, Result},
    graphql::id,
    jobs::{Claim, Job},
    providers::{Login, Progress, ProviderKind},
    sync,
    viewer::{ClientInfo, is_here},
};

/// How long after its beginning a session is looked at first.
pub(super) const FIRST_LOOK: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_mins(1);
const REST: Duration = Duration::from_secs(3);
/// How long after its address is dead a page may still be filled in.
const LINGERS: TimeDelta = TimeDelta::minutes(20);

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

/// Makes items of all logins of a person that have none.
async fn adopt_all(app: &App, user_id: Uuid, provider: ProviderKind) -> Result<()> {
    let login = app.credential_login(provider)?;
    let user = provider_user(app, provider, login, user_id).await?;
    let logins = login.logins(&user).await?;
    let ids = logins.iter().map(|login| &login.linked.provider_item_id);
    let there: Vec<String> = item::Entity::find()
        .select_only()
        .column(item::Column::ProviderItemId)
        .filter(item::Column::Provider.eq(provider))
        .filter(item::Column::ProviderItemId.is_in(ids))
        .into_tuple()
        .all(app.db.read())
        .await?;
    for login in logins {
        if !there.contains(&login.linked.provider_item_id) {
            let owner = Owner {
                user_id,
                provider,
                bank: bank(app, provider, login.institution_id.as_deref()).await?,
                client: &ClientInfo::default(),
            };
            let item = adopt(app, &owner, &login).await?;
            tracing::info!(item.id = %item.id, "a login that the provider told of is linked");
        }
    }
    Ok(())
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
            adopt_all(app, self.user_id, row.provider).await?;
        }
        Ok(())
    }
}

/// Watches a page of the provider's on which a person links or repairs a bank, where nobody may tell us
/// of its end.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct WatchLinkSession {
    /// The session.
    pub link_token_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
}

#[async_trait]
impl Job for WatchLinkSession {
    const KIND: &'static str = "linking.watch_session";
    const MAX_ATTEMPTS: i32 = 12;

    fn key(&self) -> String {
        self.link_token_id.to_string()
    }

    fn user_id(&self) -> Option<Uuid> {
        Some(self.user_id)
    }

    async fn run(&self, app: &App, claim: &Claim) -> Result<()> {
        let rows = link_token::Entity::find()
            .filter(link_token::Column::Id.eq(self.link_token_id))
            .filter(link_token::Column::FinishedAt.is_null());
        let Some(session) = rows.one(app.db.read()).await? else {
            return Ok(());
        };
        let ended = match session.item_id {
            Some(item_id) => repaired(app, item_id).await?,
            None => linked(app, &session).await?,
        };
        let now = app.clock.now();
        let mut txn = app.db.begin().await?;
        if ended || now > session.expires_at + LINGERS {
            let mut row = session.into_active_model();
            row.finished_at = Set(Some(now));
            row.update(&*txn).await?;
            claim.succeed(&mut txn, app).await?;
        } else {
            let since = ((now - session.created_at) / 4)
                .to_std()
                .unwrap_or_default();
            let pause = since.clamp(FIRST_LOOK, LONGEST);
            claim.postpone(&mut txn, app, pause, REST).await?;
        }
        txn.commit().await
    }
}

/// Whether a bank was linked since a session began.
async fn linked(app: &App, session: &link_token::Model) -> Result<bool> {
    adopt_all(app, session.user_id, session.provider).await?;
    let fresh = item::Entity::find()
        .select_only()
        .column(item::Column::Id)
        .filter(item::Column::UserId.eq(session.user_id))
        .filter(item::Column::Provider.eq(session.provider))
        .filter(item::Column::CreatedAt.gt(session.created_at))
        .into_tuple::<Uuid>();
    Ok(fresh.one(app.db.read()).await?.is_some())
}

/// Whether something goes on with a login that was to be repaired, or it works again; then a sync looks
/// after it.
async fn repaired(app: &App, item_id: Uuid) -> Result<bool> {
    let rows = item::Entity::find()
        .filter(item::Column::Id.eq(item_id))
        .filter(item::Column::RemovedAt.is_null());
    let Some(item) = rows.one(app.db.read()).await? else {
        return Ok(true);
    };
    let token = sync::access_token(app, &item)?;
    let state = match app.provider(item.provider)?.item(&token).await {
        Err(error) if error.class == ErrorClass::Gone => return Ok(true),
        state => state?,
    };
    let code = state.fault.as_ref().map(|fault| fault.code.as_str());
    let moved = state.progress != Progress::Settled || code != item.link_error.as_deref();
    if !moved {
        return Ok(false);
    }
    let mut txn = app.db.begin().await?;
    let rows = item::Entity::find()
        .filter(item::Column::Id.eq(item_id))
        .filter(item::Column::RemovedAt.is_null())
        .lock(LockType::NoKeyUpdate);
    if let Some(item) = rows.one(&*txn).await? {
        sync::request(&mut txn, app, &item, SyncTrigger::Repair).await?;
    }
    txn.commit().await?;
    // A question is asked on the page itself; there is more to come.
    Ok(state
        .fault
        .is_none_or(|fault| fault.class != ErrorClass::Challenge))
}

/// Finishes an order whose call broke off: the login is there under its name, or was never made.
pub(super) async fn finish(app: &App, row: link_intent::Model) -> Result<()> {
    let login = app.credential_login(row.provider)?;
    let found = match known(app.db.read(), row.provider, row.user_id).await? {
        Some(user) => by_name(login, &user, row.id).await?,
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
