//! Rows by their ids, and what is asked of providers about them.

use std::{collections::HashMap, marker::PhantomData, sync::Arc};

use async_graphql::dataloader::Loader;
use entity::institution;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use sea_orm::{ColumnTrait, EntityTrait, Iterable, ModelTrait, PrimaryKeyToColumn, QueryFilter};
use uuid::Uuid;

use super::Key;
use crate::{
    app::App,
    database::Database,
    error::{Error, Result},
    graphql::page::uuid,
    providers::CredentialField,
    viewer::{Owned, Viewer},
};

/// Rows of people by their ids.
#[derive(Debug)]
pub struct Rows<E> {
    db: Database,
    table: PhantomData<E>,
}

impl<E> Rows<E> {
    pub(super) fn new(db: Database) -> Self {
        let table = PhantomData;
        Self { db, table }
    }
}

impl<E> Loader<Key> for Rows<E>
where
    E: Owned,
    E::Model: Send + Sync,
{
    type Value = Arc<E::Model>;
    type Error = Error;

    async fn load(&self, keys: &[Key]) -> Result<HashMap<Key, Self::Value>> {
        let id = key::<E>()?;
        let mut rows = HashMap::new();
        for (viewer, ids) in by_viewer(keys) {
            let found = E::owned_by(viewer).filter(id.is_in(ids));
            for row in found.all(self.db.read()).await? {
                rows.insert(Key::new(viewer, uuid(row.get(id))), Arc::new(row));
            }
        }
        Ok(rows)
    }
}

/// Rows of nobody's by their ids, for whoever may see all of them.
#[derive(Debug)]
pub struct Shared<E> {
    db: Database,
    table: PhantomData<E>,
}

impl<E> Shared<E> {
    /// The rows of a table that has no owner, or whose viewer may look at everybody's.
    pub(in crate::graphql) fn new(db: Database) -> Self {
        let table = PhantomData;
        Self { db, table }
    }
}

impl<E> Loader<Uuid> for Shared<E>
where
    E: EntityTrait,
    E::Model: Send + Sync,
{
    type Value = Arc<E::Model>;
    type Error = Error;

    async fn load(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Self::Value>> {
        let id = key::<E>()?;
        let rows = E::find().filter(id.is_in(keys.iter().copied()));
        let rows = rows.all(self.db.read()).await?.into_iter();
        Ok(rows.map(|row| (uuid(row.get(id)), Arc::new(row))).collect())
    }
}

/// The column that a table's rows are known by.
fn key<E: EntityTrait>() -> Result<E::Column> {
    let mut columns = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column);
    let column = columns.next();
    column.ok_or_else(|| Error::internal("a table without a key"))
}

/// What banks ask for when a person signs in: the provider is asked, of a few banks at a time.
#[derive(Debug)]
pub struct Fields(pub(super) App);

/// Banks that are asked for at once.
const AT_ONCE: usize = 4;

impl Loader<Uuid> for Fields {
    type Value = Vec<CredentialField>;
    type Error = Error;

    async fn load(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Self::Value>> {
        let banks = Shared::<institution::Entity>::new(self.0.db.clone())
            .load(keys)
            .await?;
        let each = banks.into_values().map(|bank| async move {
            let Some(login) = self.0.provider(bank.provider)?.credential_login() else {
                return Ok((bank.id, Vec::new()));
            };
            let fields = login.credential_fields(&bank.provider_institution_id);
            Ok((bank.id, fields.await?))
        });
        stream::iter(each)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }
}

/// The ids each person asks for: nearly always there is but one.
pub(super) fn by_viewer(keys: &[Key]) -> HashMap<Viewer, Vec<Uuid>> {
    let mut asked: HashMap<Viewer, Vec<Uuid>> = HashMap::new();
    for key in keys {
        asked.entry(key.viewer).or_default().push(key.id);
    }
    asked
}
