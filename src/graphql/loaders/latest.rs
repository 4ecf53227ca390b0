//! The newest of each.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use entity::{exchange_rate, sync_job};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Key, read_lists};
use crate::{
    database::Database,
    error::{Error, Result},
    money::Pair,
    ticker,
    viewer::Owned,
};

/// The newest exchange rate of a pair.
#[derive(Debug)]
pub struct LatestExchangeRate(pub(super) Database);

impl Loader<Pair> for LatestExchangeRate {
    type Value = Arc<exchange_rate::Model>;
    type Error = Error;

    async fn load(&self, keys: &[Pair]) -> Result<HashMap<Pair, Self::Value>> {
        let newest = |pair: &Pair| {
            let rates = ticker::of_pair(pair);
            rates
                .order_by_desc(exchange_rate::Column::ProviderTime)
                .limit(1)
        };
        let lists = read_lists(self.0.read(), keys.iter().map(newest).collect()).await?;
        let row = |(pair, rows): (&Pair, Vec<_>)| {
            Some((pair.clone(), Arc::new(rows.into_iter().next()?)))
        };
        Ok(keys.iter().zip(lists).filter_map(row).collect())
    }
}

/// The newest sync of an item.
#[derive(Debug)]
pub struct LatestSyncJob(pub(super) Database);

impl Loader<Key> for LatestSyncJob {
    type Value = Arc<sync_job::Model>;
    type Error = Error;

    async fn load(&self, keys: &[Key]) -> Result<HashMap<Key, Self::Value>> {
        let newest = |key: &Key| {
            sync_job::Entity::owned_by(key.viewer)
                .filter(sync_job::Column::ItemId.eq(key.id))
                .order_by_desc(sync_job::Column::Id)
                .limit(1)
        };
        let lists = read_lists(self.0.read(), keys.iter().map(newest).collect()).await?;
        let row = |(key, rows): (&Key, Vec<_>)| Some((*key, Arc::new(rows.into_iter().next()?)));
        Ok(keys.iter().zip(lists).filter_map(row).collect())
    }
}
