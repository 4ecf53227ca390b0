//! The tables that hold rows of people, in an order in which they can be emptied: what points at a row
//! before the row. A table with a `user_id` that is missing here is found by a test.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

use crate::{database::Txn, error::Result};

/// Rows in one transaction: so few that nobody notices the wait for it.
const BATCH: u64 = 1_000;

/// Rows of a person in a table.
pub(super) struct Rows {
    table: &'static str,
    /// Which of them, as SQL; all if empty.
    which: &'static str,
}

const fn all(table: &'static str) -> Rows {
    Rows { table, which: "" }
}

const fn only(table: &'static str, which: &'static str) -> Rows {
    Rows { table, which }
}

/// What goes at once: nothing waits for it.
pub(super) const AT_ONCE: &[Rows] = &[
    // First, so that nothing that works for her goes on.
    only(
        "jobs",
        "AND kind NOT IN ('linking.remove', 'deletion.finish')",
    ),
    all("data_export_chunks"),
    all("data_exports"),
    all("transactions"),
    all("removed_transactions"),
    all("challenges"),
    all("accounts"),
    all("sync_jobs"),
    all("activities"),
    all("feed_events"),
    all("webhooks"),
    all("link_tokens"),
    all("link_intents"),
    all("identities"),
    all("login_attempts"),
    all("mails"),
    all("totps"),
    all("recovery_codes"),
    only("exchanges", "AND access_token IS NULL"),
    only("items", "AND length(access_token) = 0"),
];

/// What goes at the end, with whatever has come since of the rest.
pub(super) const LAST: &[Rows] = &[
    all("exchanges"),
    all("items"),
    all("provider_users"),
    all("sessions"),
    all("feeds"),
    all("jobs"),
];

impl Rows {
    /// Deletes a batch of them; whether there may be more.
    pub(super) async fn delete_some(&self, txn: &Txn, user_id: Uuid) -> Result<bool> {
        let backend = txn.get_database_backend();
        let Self { table, which } = self;
        // By where they are, since not every table has one column for a key.
        let sql = match backend {
            // Whose they are once more, or a small table would be read whole for it.
            DbBackend::Postgres => format!(
                "DELETE FROM {table} WHERE user_id = $1 AND ctid = ANY(ARRAY(SELECT ctid FROM {table} \
                 WHERE user_id = $1 {which} LIMIT {BATCH}))"
            ),
            _ => format!(
                "DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} \
                 WHERE user_id = $1 {which} LIMIT {BATCH})"
            ),
        };
        let delete = Statement::from_sql_and_values(backend, sql, [user_id.into()]);
        Ok(txn.execute_raw(delete).await?.rows_affected() >= BATCH)
    }

    /// Deletes all of them.
    pub(super) async fn delete_all(&self, txn: &Txn, user_id: Uuid) -> Result<()> {
        let Self { table, which } = self;
        let sql = format!("DELETE FROM {table} WHERE user_id = $1 {which}");
        let backend = txn.get_database_backend();
        let delete = Statement::from_sql_and_values(backend, sql, [user_id.into()]);
        txn.execute_raw(delete).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{app, everywhere, tables_with};

    #[tokio::test]
    async fn no_table_with_rows_of_people_is_forgotten() {
        let app = app().await;
        let emptied = || AT_ONCE.iter().chain(LAST);
        let mut forgotten = tables_with(&app, "user_id").await;
        assert!(forgotten.len() > 15, "{forgotten:?}");
        // It is taken out of the administrators' log, whose entries stay.
        forgotten.retain(|table| table != "admin_accesses");
        forgotten.retain(|table| emptied().all(|rows| rows.table != table || !rows.is_whole()));
        assert!(forgotten.is_empty(), "not emptied: {forgotten:?}");
    }

    impl Rows {
        fn is_whole(&self) -> bool {
            self.which.is_empty()
        }
    }

    #[tokio::test]
    async fn no_table_is_read_whole_to_find_what_is_hers() {
        everywhere(async |app| {
            app.fill().await;
            let viewer = app.person("ana").await;
            app.take_statements();
            for rows in AT_ONCE.iter().chain(LAST) {
                let txn = app.db.begin().await.unwrap();
                rows.delete_some(&txn, viewer.user_id).await.unwrap();
                rows.delete_all(&txn, viewer.user_id).await.unwrap();
                txn.commit().await.unwrap();
            }
            app.assert_no_scans().await;
        })
        .await;
    }
}
