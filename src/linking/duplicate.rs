//! Finding a bank the person has already, before the exchange: an exchanged duplicate is billed, and
//! at some banks it ends the first link. The session that made the public token tells the bank and
//! its accounts; the same bank with an account of the same name and number end is the same login.
//! A token of an unknown session is exchanged unseen, since nothing can be known about it.

use std::collections::HashSet;

use entity::{
    account, institution,
    item::{self, LinkStatus},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::create_link_token::{place, recent};
use crate::{
    app::App,
    error::{Error, ErrorClass, Result},
    providers::{LinkResult, LinkedAccount, ProviderKind},
};

/// The item that a public token would make a second time.
pub(super) async fn find(
    app: &App,
    user_id: Uuid,
    public_token: &SecretString,
) -> Result<Option<item::Model>> {
    match result_of(app, user_id, public_token).await? {
        Some(result) => same(app, user_id, &result).await,
        None => Ok(None),
    }
}

async fn result_of(
    app: &App,
    user_id: Uuid,
    public_token: &SecretString,
) -> Result<Option<LinkResult>> {
    let provider = app.provider(ProviderKind::Plaid)?;
    for session in recent(app, user_id).await? {
        let token = app.keys.open(place(session.id, user_id), &session.token)?;
        let token = String::from_utf8(token).map_err(Error::internal)?.into();
        let results = match provider.link_results(&token).await {
            // A session that nobody used in its time tells nothing about this token.
            Err(error) if error.class == ErrorClass::Token => continue,
            results => results?,
        };
        let found = results
            .into_iter()
            .find(|r| r.public_token.expose_secret() == public_token.expose_secret());
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

async fn same(app: &App, user_id: Uuid, result: &LinkResult) -> Result<Option<item::Model>> {
    let Some(institution_id) = &result.institution_id else {
        return Ok(None);
    };
    let bank = institution::Entity::find()
        .filter(institution::Column::Provider.eq(ProviderKind::Plaid))
        .filter(institution::Column::ProviderInstitutionId.eq(institution_id))
        .one(app.db.read())
        .await?;
    let Some(bank) = bank else { return Ok(None) };
    let items = item::Entity::find()
        .filter(item::Column::UserId.eq(user_id))
        .filter(item::Column::InstitutionId.eq(bank.id))
        .filter(item::Column::RemovedAt.is_null())
        .filter(item::Column::LinkStatus.ne(LinkStatus::Disconnected))
        .all(app.db.read())
        .await?;
    let offered: HashSet<&LinkedAccount> = result.accounts.iter().collect();
    for item in items {
        let accounts = account::Entity::find()
            .filter(account::Column::ItemId.eq(item.id))
            .all(app.db.read())
            .await?;
        let ours = accounts.into_iter().map(|row| LinkedAccount {
            name: row.name,
            mask: row.mask,
        });
        if ours.into_iter().any(|account| offered.contains(&account)) {
            return Ok(Some(item));
        }
    }
    Ok(None)
}
