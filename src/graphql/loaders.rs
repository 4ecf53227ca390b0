//! Rows by key, many at once: a list of fifty transactions asks for its accounts in one statement.
//! Keys carry who asks, and every load begins at the door in `viewer` again, though keys come from
//! rows that passed it. Nothing is kept between answers, so that a subscription that lives for days
//! reads what is there now.

use std::{collections::HashMap, marker::PhantomData, sync::Arc};

use async_graphql::{
    Data, Response,
    dataloader::Loader,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute},
};
use entity::{
    account, activity, challenge, data_export, exchange_rate, identity, institution, item, session,
    sync_job, transaction,
};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, Iterable, ModelTrait,
    PrimaryKeyToColumn, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Asterisk, Expr, Query, SelectStatement, UnionType},
};
use uuid::Uuid;

use super::{
    admin::loaders::AdminLoaders,
    batch::{Batch, Queue},
    conversion::{Conversions, Wanted},
    id,
    page::uuid,
    transaction::list::{List, Page},
};
use crate::{
    app::App,
    database::Database,
    error::{Error, Result},
    money::Pair,
    providers::CredentialField,
    ticker,
    viewer::{Owned, Viewer},
};

/// How many lists one statement reads: SQLite joins at most 500.
const LISTS: usize = 100;

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
    pub exchange_rate: Batch<Uuid, ExchangeRates>,
    /// Identities by id.
    pub identity: ById<identity::Entity>,
    /// All identities of a person, oldest first. Whoever holds a person holds the one who asks.
    pub identities_of_user: Batch<Uuid, IdentitiesOfUser>,
    /// Banks by id; they belong to nobody.
    pub institution: Batch<Uuid, Institutions>,
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
            exchange_rate: Batch::new(ExchangeRates(db()), queue),
            identity: Batch::new(Rows::new(db()), queue),
            identities_of_user: Batch::new(IdentitiesOfUser(db()), queue),
            institution: Batch::new(Institutions(db()), queue),
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

/// Rows of people by their ids.
#[derive(Debug)]
pub struct Rows<E> {
    db: Database,
    table: PhantomData<E>,
}

impl<E> Rows<E> {
    fn new(db: Database) -> Self {
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
        let id = E::PrimaryKey::iter()
            .next()
            .map(PrimaryKeyToColumn::into_column)
            .ok_or_else(|| Error::internal("a table without a key"))?;
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

/// Banks by their ids.
#[derive(Debug)]
pub struct Institutions(Database);

impl Loader<Uuid> for Institutions {
    type Value = Arc<institution::Model>;
    type Error = Error;

    async fn load(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Self::Value>> {
        let rows = institution::Entity::find()
            .filter(institution::Column::Id.is_in(keys.iter().copied()))
            .all(self.0.read())
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, Arc::new(row)))
            .collect())
    }
}

/// Exchange rates by their ids.
#[derive(Debug)]
pub struct ExchangeRates(Database);

impl Loader<Uuid> for ExchangeRates {
    type Value = Arc<exchange_rate::Model>;
    type Error = Error;

    async fn load(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Self::Value>> {
        let rows = exchange_rate::Entity::find()
            .filter(exchange_rate::Column::Id.is_in(keys.iter().copied()))
            .all(self.0.read())
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, Arc::new(row)))
            .collect())
    }
}

/// What banks ask for when a person signs in: the provider is asked, of a few banks at a time.
#[derive(Debug)]
pub struct Fields(App);

/// Banks that are asked for at once.
const AT_ONCE: usize = 4;

impl Loader<Uuid> for Fields {
    type Value = Vec<CredentialField>;
    type Error = Error;

    async fn load(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Self::Value>> {
        let banks = Institutions(self.0.db.clone()).load(keys).await?;
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

/// All accounts of an item, oldest first.
#[derive(Debug)]
pub struct AccountsOfItem(Database);

impl Loader<Key> for AccountsOfItem {
    type Value = Vec<Arc<account::Model>>;
    type Error = Error;

    async fn load(&self, keys: &[Key]) -> Result<HashMap<Key, Self::Value>> {
        let mut lists: HashMap<Key, Self::Value> = HashMap::new();
        for (viewer, items) in by_viewer(keys) {
            let rows = account::Entity::owned_by(viewer)
                .filter(account::Column::ItemId.is_in(items))
                .order_by_asc(account::Column::Id)
                .all(self.0.read())
                .await?;
            for row in rows {
                let list = lists.entry(Key::new(viewer, row.item_id)).or_default();
                list.push(Arc::new(row));
            }
        }
        Ok(lists)
    }
}

/// All identities of a person, oldest first.
#[derive(Debug)]
pub struct IdentitiesOfUser(Database);

impl Loader<Uuid> for IdentitiesOfUser {
    type Value = Vec<Arc<identity::Model>>;
    type Error = Error;

    async fn load(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Self::Value>> {
        let rows = identity::Entity::find()
            .filter(identity::Column::UserId.is_in(keys.iter().copied()))
            .order_by_asc(identity::Column::Id)
            .all(self.0.read())
            .await?;
        let mut lists: HashMap<Uuid, Self::Value> = HashMap::new();
        for row in rows {
            lists.entry(row.user_id).or_default().push(Arc::new(row));
        }
        Ok(lists)
    }
}

/// The newest exchange rate of a pair.
#[derive(Debug)]
pub struct LatestExchangeRate(Database);

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
pub struct LatestSyncJob(Database);

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

/// Pages of transactions.
#[derive(Debug)]
pub struct Pages(Database);

impl Loader<Page> for Pages {
    type Value = Vec<transaction::Model>;
    type Error = Error;

    async fn load(&self, keys: &[Page]) -> Result<HashMap<Page, Self::Value>> {
        let selects = keys.iter().map(Page::select).collect::<Result<_>>()?;
        let mut lists = read_lists(self.0.read(), selects).await?;
        for (page, rows) in keys.iter().zip(&mut lists) {
            page.sort(rows);
        }
        Ok(keys.iter().cloned().zip(lists).collect())
    }
}

/// How long lists of transactions are.
#[derive(Debug)]
pub struct Lengths(Database);

impl Loader<List> for Lengths {
    type Value = u64;
    type Error = Error;

    async fn load(&self, keys: &[List]) -> Result<HashMap<List, u64>> {
        let count = |list: &List| {
            let rows = list.rows().select_only();
            rows.expr_as(Expr::cust("COUNT(*)"), "total").into_query()
        };
        let mut totals = HashMap::new();
        for lists in keys.chunks(LISTS) {
            for (branch, row) in union(self.0.read(), lists.iter().map(count).collect()).await? {
                let total: i64 = row.try_get("", "total")?;
                if let Some(list) = lists.get(branch) {
                    totals.insert(list.clone(), u64::try_from(total).unwrap_or_default());
                }
            }
        }
        Ok(totals)
    }
}

/// The ids each person asks for: nearly always there is but one.
fn by_viewer(keys: &[Key]) -> HashMap<Viewer, Vec<Uuid>> {
    let mut asked: HashMap<Viewer, Vec<Uuid>> = HashMap::new();
    for key in keys {
        asked.entry(key.viewer).or_default().push(key.id);
    }
    asked
}

/// Reads many short lists in few statements. The rows of a list come in no order.
pub(super) async fn read_lists<E: EntityTrait>(
    db: &impl ConnectionTrait,
    lists: Vec<Select<E>>,
) -> Result<Vec<Vec<E::Model>>> {
    let mut all = Vec::new();
    let mut lists = lists.into_iter().map(QueryTrait::into_query).peekable();
    while lists.peek().is_some() {
        let lists: Vec<_> = lists.by_ref().take(LISTS).collect();
        let mut read: Vec<Vec<E::Model>> = lists.iter().map(|_| Vec::new()).collect();
        for (branch, row) in union(db, lists).await? {
            if let Some(list) = read.get_mut(branch) {
                list.push(E::Model::from_query_result(&row, "")?);
            }
        }
        all.append(&mut read);
    }
    Ok(all)
}

/// Runs selects as branches of one statement; each row comes with the number of its branch. Every
/// branch keeps its own index, order and limit, as with `LATERAL`, which SQLite does not have.
async fn union(
    db: &impl ConnectionTrait,
    selects: Vec<SelectStatement>,
) -> Result<Vec<(usize, sea_orm::QueryResult)>> {
    let branches = selects.into_iter().enumerate().map(|(branch, select)| {
        let branch = branch.to_string();
        let name = format!("branch_{branch}");
        let mut wrapped = Query::select();
        wrapped
            .column(Asterisk)
            .expr_as(Expr::cust(branch), "branch")
            .from_subquery(select, name);
        wrapped
    });
    let Some(statement) = branches.reduce(|mut first, next| {
        first.union(UnionType::All, next);
        first
    }) else {
        return Ok(Vec::new());
    };
    let rows = db.query_all(&statement).await?.into_iter();
    let numbered = |row: sea_orm::QueryResult| {
        let branch: i32 = row.try_get("", "branch")?;
        Ok((usize::try_from(branch).unwrap_or(usize::MAX), row))
    };
    rows.map(numbered).collect()
}
