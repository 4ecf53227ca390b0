//! Many selects in few statements.

use sea_orm::{
    ConnectionTrait, EntityTrait, FromQueryResult, QueryTrait, Select,
    sea_query::{Asterisk, Expr, Query, SelectStatement, UnionType},
};

use crate::error::Result;

/// How many lists one statement reads: SQLite joins at most 500.
pub(super) const LISTS: usize = 100;

/// Reads many short lists in few statements. The rows of a list come in no order.
pub(in crate::graphql) async fn read_lists<E: EntityTrait>(
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
pub(super) async fn union(
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
