//! Everything that has an id, by its id.

use async_graphql::{Context, ID, Interface};
use entity::user;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{
    ContextExt, account::Account, activity::Activity, data_export::DataExport,
    exchange_rate::ExchangeRate, id, identity::Identity, institution::Institution, item::Item,
    loaders::Key, session::Session, sync_job::SyncJob, transaction::Transaction, user::User,
};
use crate::error::Result;

/// Anything with an id. Ids are opaque and unique across all types: a cache may keep every object
/// under its id alone.
#[derive(Clone, Debug, Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The id, the same for the object's whole life."
))]
pub enum Node {
    /// An account.
    Account(Account),
    /// An entry of the log.
    Activity(Activity),
    /// A copy of everything the server holds about a person.
    DataExport(DataExport),
    /// What a currency cost.
    ExchangeRate(ExchangeRate),
    /// An account elsewhere.
    Identity(Identity),
    /// A bank.
    Institution(Institution),
    /// A login at a bank.
    Item(Item),
    /// A session.
    Session(Session),
    /// A sync.
    SyncJob(SyncJob),
    /// A transaction.
    Transaction(Transaction),
    /// A person.
    User(User),
}

/// What an id names, if it is the viewer's or the viewer. Banks and rates belong to nobody and
/// are there for everybody.
///
/// # Errors
/// None for an id that names nothing: that is no node.
pub async fn find(ctx: &Context<'_>, id: &str) -> Result<Option<Node>> {
    let viewer = ctx.viewer()?;
    let Some((prefix, row)) = id::parse(id) else {
        return Ok(None);
    };
    let key = Key::new(viewer, row);
    let rows = ctx.loaders();
    Ok(match prefix.as_str() {
        id::ACCOUNT => rows
            .account
            .load_one(key)
            .await?
            .map(|row| Account(row).into()),
        id::ACTIVITY => rows
            .activity
            .load_one(key)
            .await?
            .map(|row| Activity(row).into()),
        id::DATA_EXPORT => rows
            .data_export
            .load_one(key)
            .await?
            .map(|row| DataExport(row).into()),
        id::EXCHANGE_RATE => rows
            .exchange_rate
            .load_one(row)
            .await?
            .map(|row| ExchangeRate(row).into()),
        id::IDENTITY => rows
            .identity
            .load_one(key)
            .await?
            .map(|row| Identity(row).into()),
        id::INSTITUTION => rows
            .institution
            .load_one(row)
            .await?
            .map(|row| Institution(row).into()),
        id::ITEM => rows.item.load_one(key).await?.map(|row| Item(row).into()),
        id::SESSION => rows
            .session
            .load_one(key)
            .await?
            .map(|row| Session(row).into()),
        id::SYNC_JOB => rows
            .sync_job
            .load_one(key)
            .await?
            .map(|row| SyncJob(row).into()),
        id::TRANSACTION => rows
            .transaction
            .load_one(key)
            .await?
            .map(|row| Transaction(row).into()),
        id::USER if row == viewer.user_id => user(ctx, row).await?.map(Into::into),
        _ => None,
    })
}

async fn user(ctx: &Context<'_>, id: Uuid) -> Result<Option<User>> {
    let rows = user::Entity::find().filter(user::Column::Id.eq(id));
    Ok(rows.one(ctx.app().db.read()).await?.map(User::from))
}
