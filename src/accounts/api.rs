//! The root fields.

#![expect(
    clippy::too_many_arguments,
    reason = "a connection has four arguments by itself"
)]

use async_graphql::{Context, ID, Object};
use futures_util::future::try_join_all;

use super::{
    changes,
    lists::{self, AccountFilter, ActivityFilter, SyncJobFilter},
};
use crate::{
    error::{Error, Result},
    graphql::{
        ContextExt,
        account::Account,
        activity::Activity,
        id,
        item::Item,
        loaders::Key,
        node::{self, Node},
        page::{Connection, RawPage, cost},
        sync_job::SyncJob,
        transaction::{
            Transaction, TransactionChange, TransactionFilter, TransactionOrder, list::List,
        },
    },
};

/// How many ids `nodes` takes.
const MAX_NODES: usize = 100;

/// The root fields of this slice.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountsQuery;

/// What a person has.
#[Object]
impl AccountsQuery {
    /// Anything by its id; absent if the id names nothing of yours.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: ID,
    ) -> Result<Option<Node>> {
        node::find(ctx, &id).await
    }

    /// Several things by their ids, in the order of the ids; null where an id names nothing of yours.
    #[graphql(complexity = "ids.len().min(MAX_NODES) * child_complexity + 1")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids; at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        ctx.viewer()?;
        if ids.len() > MAX_NODES {
            let text = format!("`ids` has {} ids: pass at most {MAX_NODES}.", ids.len());
            return Err(Error::BadInput(text));
        }
        try_join_all(ids.iter().map(|id| node::find(ctx, id))).await
    }

    /// The banks you have linked, oldest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<Item>> {
        let rows = lists::items(ctx.app(), ctx.viewer()?);
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        rows.page(ctx.app().db.read(), page, ctx.wants_total())
            .await
    }

    /// A bank you have linked; absent if the id names none of yours.
    async fn item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item's id.")] id: ID,
    ) -> Result<Option<Item>> {
        let Some(key) = Key::decode(ctx.viewer()?, id::ITEM, &id) else {
            return Ok(None);
        };
        Ok(ctx.loaders().item.load_one(key).await?.map(Item))
    }

    /// Your accounts at all banks, oldest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them; all open ones if absent.")] filter: Option<AccountFilter>,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<Account>> {
        let rows = lists::accounts(ctx.app(), ctx.viewer()?, filter.unwrap_or_default())?;
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        rows.page(ctx.app().db.read(), page, ctx.wants_total())
            .await
    }

    /// One of your accounts; absent if the id names none of yours.
    async fn account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account's id.")] id: ID,
    ) -> Result<Option<Account>> {
        let Some(key) = Key::decode(ctx.viewer()?, id::ACCOUNT, &id) else {
            return Ok(None);
        };
        Ok(ctx.loaders().account.load_one(key).await?.map(Account))
    }

    /// Your transactions in all accounts, newest first unless `orderBy` says otherwise.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn transactions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them; all if absent.")] filter: Option<TransactionFilter>,
        #[graphql(desc = "In which order; `DATE_DESC` if absent.")] order_by: Option<
            TransactionOrder,
        >,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<Transaction>> {
        let viewer = ctx.viewer()?;
        let criteria = filter.unwrap_or_default().check()?;
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        let transactions = List::new(viewer, criteria, order_by.unwrap_or_default());
        transactions.read(ctx, page).await
    }

    /// One of your transactions; absent if the id names none of yours.
    async fn transaction(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The transaction's id.")] id: ID,
    ) -> Result<Option<Transaction>> {
        let Some(key) = Key::decode(ctx.viewer()?, id::TRANSACTION, &id) else {
            return Ok(None);
        };
        Ok(ctx
            .loaders()
            .transaction
            .load_one(key)
            .await?
            .map(Transaction))
    }

    /// What happened to your transactions since a cursor, in order, for clients that keep a copy.
    /// Begin without `after`; apply the changes; page on while `hasNextPage`; then keep `endCursor`
    /// and come back with it whenever there may be news. A page without changes repeats your cursor.
    /// A transaction that changes again moves to the end, so its latest state is always ahead of you.
    #[graphql(complexity = "changes::cost(first, child_complexity)")]
    async fn transaction_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on after the change with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many changes: 1 to 500, 100 if absent.")] first: Option<i32>,
    ) -> Result<Connection<TransactionChange>> {
        let viewer = ctx.viewer()?;
        let page = RawPage {
            first,
            after,
            ..RawPage::default()
        };
        changes::transaction_changes(ctx.app(), viewer, page, ctx.wants_total()).await
    }

    /// The syncs of your items, newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn sync_jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them; all if absent.")] filter: Option<SyncJobFilter>,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<SyncJob>> {
        let rows = lists::sync_jobs(ctx.app(), ctx.viewer()?, filter.unwrap_or_default())?;
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        rows.page(ctx.app().db.read(), page, ctx.wants_total())
            .await
    }

    /// One sync of your items; absent if the id names none of yours.
    async fn sync_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sync's id.")] id: ID,
    ) -> Result<Option<SyncJob>> {
        let Some(key) = Key::decode(ctx.viewer()?, id::SYNC_JOB, &id) else {
            return Ok(None);
        };
        Ok(ctx.loaders().sync_job.load_one(key).await?.map(SyncJob))
    }

    /// Your own log, newest first: sign-ins and failed ones, sessions that were ended, banks that were
    /// linked, repaired or removed, syncs, exports. Entries are kept for a year.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them; all if absent.")] filter: Option<ActivityFilter>,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<Activity>> {
        let rows = lists::activity(ctx.app(), ctx.viewer()?, filter.unwrap_or_default());
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        rows.page(ctx.app().db.read(), page, ctx.wants_total())
            .await
    }
}
