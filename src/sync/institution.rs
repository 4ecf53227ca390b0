//! The bank of an item, asked for once and kept for all its items.

use chrono::TimeDelta;
use entity::{feed_event::EventKind, institution, item};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::OnConflict,
};
use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    app::App,
    database::Txn,
    error::Result,
    feed,
    jobs::Claim,
    providers::{Institution, Provider},
};

/// Names and logos change seldom.
const FRESH: TimeDelta = TimeDelta::days(30);

/// What is to be written about an item's bank.
#[derive(Debug)]
pub(super) enum Bank {
    /// We have it already.
    Known(Uuid),
    /// The provider told.
    Told(Box<Institution>),
    /// Nobody knows; a later sync asks again.
    Unknown,
}

/// Sends a sync that does not queue at its item's bank yet to do so; whether it went. The first sync
/// of an item has to ask which bank that is, before it begins with what the bank may be slow at.
pub(super) async fn queue_at(
    app: &App,
    provider: &dyn Provider,
    claim: &Claim,
    item: &item::Model,
    access_token: &SecretString,
) -> Result<bool> {
    let told = match item.institution_id {
        Some(id) if claim.concurrency_key == id.to_string() => return Ok(false),
        Some(id) => Bank::Known(id),
        None => {
            let state = provider.item(access_token).await?;
            ask(app, provider, item, state.institution_id.as_deref()).await?
        }
    };
    let now = app.clock.now();
    let mut txn = app.db.begin().await?;
    let Some(id) = write(app, &txn, item, told).await? else {
        return Ok(false);
    };
    claim.wait_as(&mut txn, app, &id.to_string()).await?;
    if item.institution_id.is_none() {
        let mut row = item.clone().into_active_model();
        row.institution_id = Set(Some(id));
        row.updated_at = Set(now);
        row.update(&*txn).await?;
        feed::publish(&mut txn, item.user_id, now, &[(EventKind::Item, item.id)]).await?;
    }
    txn.commit().await?;
    Ok(true)
}

/// Asks for an item's bank, unless we know it. A bank that cannot be asked for fails no sync.
pub(super) async fn ask(
    app: &App,
    provider: &dyn Provider,
    item: &item::Model,
    id: Option<&str>,
) -> Result<Bank> {
    let Some(id) = id else {
        return Ok(item.institution_id.map_or(Bank::Unknown, Bank::Known));
    };
    let known = institution::Entity::find()
        .filter(institution::Column::Provider.eq(item.provider))
        .filter(institution::Column::ProviderInstitutionId.eq(id))
        .one(app.db.read())
        .await?;
    match known {
        Some(row) if row.updated_at > app.clock.now() - FRESH => Ok(Bank::Known(row.id)),
        known => match provider.institution(id).await {
            Ok(institution) => Ok(Bank::Told(Box::new(institution))),
            Err(error) => {
                tracing::warn!(item.id = %item.id, %error, "the bank's name could not be asked for");
                Ok(known.map_or(Bank::Unknown, |row| Bank::Known(row.id)))
            }
        },
    }
}

/// Writes an item's bank; returns its row.
pub(super) async fn write(
    app: &App,
    txn: &Txn,
    item: &item::Model,
    bank: Bank,
) -> Result<Option<Uuid>> {
    use institution::Column as Row;
    let told = match bank {
        Bank::Known(id) => return Ok(Some(id)),
        Bank::Unknown => return Ok(item.institution_id),
        Bank::Told(told) => told,
    };
    let row = institution::ActiveModel {
        id: Set(Uuid::now_v7()),
        provider: Set(item.provider),
        provider_institution_id: Set(told.institution_id),
        name: Set(told.name),
        url: Set(told.url),
        primary_color: Set(told.primary_color),
        logo: Set(told.logo),
        logo_url: Set(told.logo_url),
        oauth: Set(told.oauth),
        updated_at: Set(app.clock.now()),
    };
    let overwrite = OnConflict::columns([Row::Provider, Row::ProviderInstitutionId])
        .update_columns([
            Row::Name,
            Row::Url,
            Row::PrimaryColor,
            Row::Logo,
            Row::LogoUrl,
            Row::Oauth,
            Row::UpdatedAt,
        ])
        .to_owned();
    let row = institution::Entity::insert(row)
        .on_conflict(overwrite)
        .exec_with_returning(&**txn)
        .await?;
    Ok(Some(row.id))
}
