//! The bank of an item, asked for once and kept for all its items.

use chrono::TimeDelta;
use entity::{institution, item};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use uuid::Uuid;

use crate::{
    app::App,
    database::Txn,
    error::Result,
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
        oauth: Set(told.oauth),
        updated_at: Set(app.clock.now()),
    };
    let overwrite = OnConflict::columns([Row::Provider, Row::ProviderInstitutionId])
        .update_columns([
            Row::Name,
            Row::Url,
            Row::PrimaryColor,
            Row::Logo,
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
