//! The delta feed of transactions: each row once, at the number of its last change, and a tombstone
//! for each row that is gone. A row that changes between two pages moves to the end and comes (again)
//! there, so a client that follows the feed to its end has what the server has.

use entity::{removed_transaction, transaction};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select, sea_query::Value};
use uuid::Uuid;

use crate::{
    app::App,
    error::Result,
    feed,
    graphql::{
        page::{Connection, PageArgs, RawPage, Scope, count, range},
        transaction::TransactionChange,
    },
    viewer::{Owned, Viewer},
};

/// How many changes a page has when nobody says.
const DEFAULT_PAGE: i32 = 100;
/// How many changes a page has at most: mirrors read whole histories, and a row needs no second read.
const MAX_PAGE: i32 = 500;

/// What a page weighs against the limit on a query's complexity. A change weighs a fifth of what a
/// row of another list does, so that a whole page of whole transactions passes: it is read in one go.
pub(super) fn cost(first: Option<i32>, row: usize) -> usize {
    let size = first.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    usize::try_from(size).unwrap_or(1).saturating_mul(row) / 5 + 1
}

/// One page of the feed.
pub(super) async fn transaction_changes(
    app: &App,
    viewer: Viewer,
    page: RawPage,
    total: bool,
) -> Result<Connection<TransactionChange>> {
    let scope = Scope::new(app, viewer, "transactionChanges");
    let args = page.check_within(&scope, DEFAULT_PAGE, MAX_PAGE)?;
    let db = app.db.read();
    // The two tables are read one after the other. Nothing can appear at or below a number that is
    // committed, only leave for a higher one; so up to here the two agree.
    let (end, _) = feed::position(db, viewer.user_id).await?;
    let upserts = transaction::Entity::owned_by(viewer);
    let removals = removed_transaction::Entity::owned_by(viewer);
    let total = if total {
        Some(count(db, upserts.clone()).await? + count(db, removals.clone()).await?)
    } else {
        None
    };
    let place = [transaction::Column::Seq, transaction::Column::Id];
    let upserts = until(upserts, place, end, &args)?.all(db).await?;
    let place = [
        removed_transaction::Column::Seq,
        removed_transaction::Column::Id,
    ];
    let removals = until(removals, place, end, &args)?.all(db).await?;
    let upserts = upserts.into_iter().map(TransactionChange::from);
    let mut changes: Vec<_> = upserts
        .chain(removals.into_iter().map(Into::into))
        .collect();
    changes.sort_by_key(TransactionChange::place);
    let rest = args.after.clone().unwrap_or_else(|| key((0, Uuid::nil())));
    let page = Connection::new(scope, &args, changes, |change| key(change.place()));
    Ok(page.with_total(total).resting_at(rest))
}

fn until<E: EntityTrait>(
    rows: Select<E>,
    [seq, id]: [E::Column; 2],
    end: i64,
    args: &PageArgs,
) -> Result<Select<E>> {
    range(rows.filter(seq.lte(end)), &[seq, id], false, args, read)
}

fn key((seq, id): (i64, Uuid)) -> String {
    format!("{seq} {id}")
}

fn read(key: &str) -> Option<Vec<Value>> {
    let (seq, id) = key.split_once(' ')?;
    Some(vec![
        seq.parse::<i64>().ok()?.into(),
        id.parse::<Uuid>().ok()?.into(),
    ])
}
