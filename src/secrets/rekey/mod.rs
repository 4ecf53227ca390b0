//! Sealing anew what stands under an older key.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};
use uuid::Uuid;

use crate::{
    database::Database,
    error::Result,
    seal::{Keys, Place},
};

/// Rows in one round.
const ROUND: u64 = 200;

/// A column of sealed secrets.
struct Column {
    /// As its secrets' places name it.
    name: &'static str,
    /// Whether its rows are people's.
    owned: bool,
}

/// Every column of sealed secrets. What is missing here is found by a test of this list.
const SEALED: &[Column] = &[
    Column {
        name: "items.access_token",
        owned: true,
    },
    Column {
        name: "exchanges.access_token",
        owned: true,
    },
    Column {
        name: "link_tokens.token",
        owned: true,
    },
    Column {
        name: "data_export_chunks.body",
        owned: true,
    },
    Column {
        name: "login_attempts.sealed",
        owned: false,
    },
    Column {
        name: "totps.secret",
        owned: true,
    },
    Column {
        name: "webhooks.body",
        owned: false,
    },
];

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rekeyed {
    /// Secrets that are under the first key now.
    pub sealed: u64,
    /// Secrets that none of the keys opens.
    pub broken: u64,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    owner: Option<Uuid>,
    secret: Vec<u8>,
}

/// Seals everything anew that is not under the first key.
pub async fn rekey(db: &Database, keys: &Keys) -> Result<Rekeyed> {
    let mut done = Rekeyed::default();
    for column in SEALED {
        let mut after = Uuid::nil();
        loop {
            let rows = column.outdated(db, keys, after).await?;
            let Some(last) = rows.last() else {
                break;
            };
            after = last.id;
            column.write(db, keys, &rows, &mut done).await?;
        }
    }
    Ok(done)
}

impl Column {
    fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or((self.name, ""))
    }

    /// The next rows that are sealed, and not under the first key.
    async fn outdated(&self, db: &Database, keys: &Keys, after: Uuid) -> Result<Vec<Row>> {
        let (table, column) = self.parts();
        let owner = if self.owned { "user_id" } else { "NULL" };
        let head = keys.head()?;
        let length = head.len();
        let backend = db.backend();
        let owner = match backend {
            DbBackend::Postgres => format!("CAST({owner} AS uuid)"),
            _ => owner.to_owned(),
        };
        let sql = format!(
            "SELECT id, {owner} AS owner, {column} AS secret FROM {table} WHERE id > $1 \
             AND length({column}) > 0 AND substr({column}, 1, {length}) <> $2 ORDER BY id LIMIT {ROUND}"
        );
        let values = [after.into(), head.into()];
        let rows = Statement::from_sql_and_values(backend, sql, values);
        Ok(Row::find_by_statement(rows).all(db.read()).await?)
    }

    async fn write(
        &self,
        db: &Database,
        keys: &Keys,
        rows: &[Row],
        done: &mut Rekeyed,
    ) -> Result<()> {
        let (table, column) = self.parts();
        let sql = format!("UPDATE {table} SET {column} = $1 WHERE id = $2 AND {column} = $3");
        let txn = db.begin().await?;
        for row in rows {
            let place = Place {
                column: self.name,
                row: row.id,
                user: row.owner.unwrap_or_default(),
            };
            let Ok(secret) = keys.open(place, &row.secret) else {
                tracing::error!(column = self.name, row.id = %row.id, "a secret does not open and stays under its key");
                done.broken += 1;
                continue;
            };
            let sealed = keys.seal(place, &secret)?;
            let values = [sealed.into(), row.id.into(), row.secret.clone().into()];
            let write = Statement::from_sql_and_values(db.backend(), &sql, values);
            // One that has changed meanwhile was sealed by somebody who has the keys too.
            done.sealed += txn.execute_raw(write).await?.rows_affected();
        }
        txn.commit().await
    }
}

/// Forgets that the database was ever sealed under other keys than the first, so that a server starts
/// without them. Only once nothing is.
pub async fn forget_other_keys(db: &Database, keys: &Keys) -> Result<()> {
    let first = keys.ids().into_iter().next().unwrap_or_default();
    let sql = "DELETE FROM key_checks WHERE key_id <> $1";
    let txn = db.begin().await?;
    let forget = Statement::from_sql_and_values(db.backend(), sql, [first.into()]);
    txn.execute_raw(forget).await?;
    txn.commit().await
}

#[cfg(test)]
mod tests;
