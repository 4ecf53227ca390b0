//! Rows by key, many at once: a list of fifty transactions asks for its accounts in one statement.
//! Keys carry who asks, and every load begins at the door in `viewer` again, though keys come from
//! rows that passed it. Nothing is kept between answers, so that a subscription that lives for days
//! reads what is there now.

mod latest;
mod lists;
mod rows;
mod union;

use std::sync::Arc;

use async_graphql::{
    Data, Response,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute},
};
use entity::{
    account, activity, challenge, data_export, exchange_rate, identity, institution, item, session,
    sync_job, transaction,
};
use uuid::Uuid;

use self::{
    latest::{LatestExchangeRate, LatestSyncJob},
    lists::{AccountsOfItem, IdentitiesOfUser, Lengths, Pages},
    rows::{Fields, Rows},
};
pub(super) use self::{rows::Shared, union::read_lists};
use super::{
    admin::loaders::AdminLoaders,
    batch::{Batch, Queue},
    conversion::{Conversions, Wanted},
    id,
    transaction::list::{List, Page},
};
use crate::{app::App, money::Pair, viewer::Viewer};

/// A row, and who asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    viewer: Viewer,
    id: Uuid,
}

impl Key {
    /// The row with this id, if it is the viewer's.
    pub fn new(viewer: Viewer, id: Uuid) -> Self {
        Self { viewer, id }
    }

    /// The row that an id of this type names, if it is the viewer's.
    pub fn decode(viewer: Viewer, prefix: &str, id: &str) -> Option<Self> {
        Some(Self::new(viewer, id::decode(prefix, id)?))
    }
}

/// Rows of one table by their ids.
type ById<E> = Batch<Key, Rows<E>>;

/// The loaders.
#[derive(Debug)]
pub struct Loaders {
    /// Accounts by id.
    pub account: ById<account::Entity>,
    /// All accounts of an item, oldest first.
    pub accounts_of_item: Batch<Key, AccountsOfItem>,
    /// What only administrators' views need.
    pub admin: AdminLoaders,
    /// Entries of the log by id.
    pub activity: ById<activity::Entity>,
    /// What the banks of items ask, by item.
    pub challenge: ById<challenge::Entity>,
    /// What banks ask for when a person signs in, by bank.
    pub credential_fields: Batch<Uuid, Fields>,
    /// Ways from one currency to another, by currencies and day.
    pub conversion: Batch<Wanted, Conversions>,
    /// Data exports by id.
    pub data_export: ById<data_export::Entity>,
    /// Exchange rates by id; they belong to nobody.
    pub exchange_rate: Batch<Uuid, Shared<exchange_rate::Entity>>,
    /// Identities by id.
    pub identity: ById<identity::Entity>,
    /// All identities of a person, oldest first. Whoever holds a person holds the one who asks.
    pub identities_of_user: Batch<Uuid, IdentitiesOfUser>,
    /// Banks by id; they belong to nobody.
    pub institution: Batch<Uuid, Shared<institution::Entity>>,
    /// Items by id.
    pub item: ById<item::Entity>,
    /// The newest exchange rate of a pair.
    pub latest_exchange_rate: Batch<Pair, LatestExchangeRate>,
    /// The newest sync of an item.
    pub latest_sync_job: Batch<Key, LatestSyncJob>,
    /// Sessions by id.
    pub session: ById<session::Entity>,
    /// Syncs by id.
    pub sync_job: ById<sync_job::Entity>,
    /// Transactions by id.
    pub transaction: ById<transaction::Entity>,
    /// How long lists of transactions are, for lists in lists.
    pub transaction_count: Batch<List, Lengths>,
    /// Pages of transactions, for lists in lists.
    pub transactions: Batch<Page, Pages>,
}

impl Loaders {
    /// The loaders of what a queue drives; without one they work, but collect nothing.
    pub fn new(app: &App, queue: Option<&Queue>) -> Self {
        let db = || app.db.clone();
        Self {
            account: Batch::new(Rows::new(db()), queue),
            accounts_of_item: Batch::new(AccountsOfItem(db()), queue),
            admin: AdminLoaders::new(&app.db, queue),
            activity: Batch::new(Rows::new(db()), queue),
            challenge: Batch::new(Rows::new(db()), queue),
            credential_fields: Batch::new(Fields(app.clone()), queue),
            conversion: Batch::new(Conversions(app.clone()), queue),
            data_export: Batch::new(Rows::new(db()), queue),
            exchange_rate: Batch::new(Shared::new(db()), queue),
            identity: Batch::new(Rows::new(db()), queue),
            identities_of_user: Batch::new(IdentitiesOfUser(db()), queue),
            institution: Batch::new(Shared::new(db()), queue),
            item: Batch::new(Rows::new(db()), queue),
            latest_exchange_rate: Batch::new(LatestExchangeRate(db()), queue),
            latest_sync_job: Batch::new(LatestSyncJob(db()), queue),
            session: Batch::new(Rows::new(db()), queue),
            sync_job: Batch::new(Rows::new(db()), queue),
            transaction: Batch::new(Rows::new(db()), queue),
            transaction_count: Batch::new(Lengths(db()), queue),
            transactions: Batch::new(Pages(db()), queue),
        }
    }
}

/// Gives every answer loaders of its own, and drives them: each answer of a subscription too.
#[derive(Debug)]
pub struct Loading;

impl ExtensionFactory for Loading {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for Loading {
    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let queue = Queue::default();
        let mut data = Data::default();
        data.insert(Loaders::new(ctx.data_unchecked::<App>(), Some(&queue)));
        queue
            .drive(next.run_with_data(ctx, operation_name, data))
            .await
    }
}
