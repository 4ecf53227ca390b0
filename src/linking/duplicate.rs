//! Finding a bank the person has already, before the exchange: an exchanged duplicate is billed, and
//! at some banks it ends the first link. The session that made the public token tells the bank and
//! its accounts; the same bank with an account of the same name and number end is the same login.
//! What the session told is kept with the exchange, so that an item is known before its first sync.
//! A token of an unknown session is exchanged unseen, since nothing can be known about it.

use std::collections::HashSet;

use entity::{
    account, exchange, institution,
    item::{self, LinkStatus},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::create_link_token::{place, recent};
use crate::{
    app::App,
    error::{Error, ErrorClass, Result},
    providers::{LinkResult, LinkedAccount, ProviderKind},
};

/// What a link session tells of the login behind its public token.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Preview {
    /// The provider's id of the bank.
    institution_id: String,
    /// The accounts that were shared.
    accounts: HashSet<LinkedAccount>,
}

impl Preview {
    /// Asks the sessions that may have made a public token.
    pub(super) async fn ask(
        app: &App,
        user_id: Uuid,
        public_token: &SecretString,
    ) -> Result<Option<Self>> {
        let result = result_of(app, user_id, public_token).await?;
        Ok(result.and_then(|result| {
            Some(Self {
                institution_id: result.institution_id?,
                accounts: result.accounts.into_iter().collect(),
            })
        }))
    }

    /// What was told of the login of an exchange.
    pub(super) fn read(row: &exchange::Model) -> Option<Self> {
        serde_json::from_value(row.preview.clone()?).ok()
    }

    fn is_same(&self, other: &Self) -> bool {
        self.institution_id == other.institution_id && !self.accounts.is_disjoint(&other.accounts)
    }
}

async fn result_of(
    app: &App,
    user_id: Uuid,
    public_token: &SecretString,
) -> Result<Option<LinkResult>> {
    let provider = app.token_exchange(ProviderKind::Plaid)?;
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

/// The item a person has of a login already, if there is one.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    login: &Preview,
) -> Result<Option<item::Model>> {
    let items = item::Entity::find()
        .filter(item::Column::UserId.eq(user_id))
        .filter(item::Column::RemovedAt.is_null())
        .filter(item::Column::LinkStatus.ne(LinkStatus::Disconnected))
        .order_by_asc(item::Column::Id)
        .all(db)
        .await?;
    let mut same = by_accounts(db, &items, login).await?;
    same.extend(by_previews(db, user_id, login).await?);
    Ok(items.into_iter().find(|item| same.contains(&item.id)))
}

/// Those of some items that have been synced and have the bank and one of the accounts.
async fn by_accounts(
    db: &impl ConnectionTrait,
    items: &[item::Model],
    login: &Preview,
) -> Result<HashSet<Uuid>> {
    let bank = institution::Entity::find()
        .filter(institution::Column::Provider.eq(ProviderKind::Plaid))
        .filter(institution::Column::ProviderInstitutionId.eq(&login.institution_id))
        .one(db)
        .await?;
    let Some(bank) = bank else {
        return Ok(HashSet::new());
    };
    let there = items
        .iter()
        .filter(|item| item.institution_id == Some(bank.id));
    let accounts = account::Entity::find()
        .filter(account::Column::ItemId.is_in(there.map(|item| item.id)))
        .all(db)
        .await?;
    let same = accounts.into_iter().filter_map(|row| {
        let account = LinkedAccount {
            name: row.name,
            mask: row.mask,
        };
        login.accounts.contains(&account).then_some(row.item_id)
    });
    Ok(same.collect())
}

/// A person's items whose own link sessions told of the same login.
async fn by_previews(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    login: &Preview,
) -> Result<HashSet<Uuid>> {
    let exchanges = exchange::Entity::find()
        .filter(exchange::Column::UserId.eq(user_id))
        .filter(exchange::Column::Preview.is_not_null())
        .filter(exchange::Column::ItemId.is_not_null())
        .all(db)
        .await?;
    let same = exchanges
        .into_iter()
        .filter(|row| Preview::read(row).is_some_and(|preview| preview.is_same(login)));
    Ok(same.filter_map(|row| row.item_id).collect())
}
