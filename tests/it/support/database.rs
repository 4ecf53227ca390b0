//! Looking into the database, and doing to it what only a dead process or an older release would have done.

use passbook::database::Txn;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::TestApp;

impl TestApp {
    /// A transaction that has done something and goes on, as one of a person's that takes its time;
    /// only where others may write meanwhile.
    pub(crate) async fn hold(&self, sql: &str) -> Option<Txn> {
        if self.db.backend() != DbBackend::Postgres {
            left_out("it has one writer");
            return None;
        }
        let txn = self.db.begin().await.unwrap();
        let done = txn.execute_unprepared(sql).await.unwrap();
        assert!(done.rows_affected() > 0, "{sql}");
        Some(txn)
    }

    /// Somebody who writes for as long as the story likes; on SQLite nobody else can.
    pub(crate) async fn writes(&self) -> Txn {
        self.db.begin().await.unwrap()
    }

    /// Does to the database what only a dead process or an older release would have done.
    pub(crate) async fn meddle(&self, sql: &str) -> u64 {
        let statement = Statement::from_string(self.db.backend(), sql);
        let done = self.db.migrate().execute_raw(statement).await.unwrap();
        done.rows_affected()
    }

    /// All that the database holds.
    pub(crate) async fn contents(&self) -> Vec<u8> {
        self.place.contents().await
    }

    /// Which database it is on.
    pub(crate) fn backend(&self) -> DbBackend {
        self.db.backend()
    }

    /// The tables with rows of people.
    pub(crate) async fn tables_of_people(&self) -> Vec<String> {
        let sql = match self.db.backend() {
            DbBackend::Postgres => {
                "SELECT CAST(table_name AS text) FROM information_schema.columns \
                 WHERE table_schema = 'public' AND column_name = 'user_id'"
            }
            _ => {
                "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND c.name = 'user_id'"
            }
        };
        let statement = Statement::from_string(self.db.backend(), sql);
        let rows = self.db.read().query_all_raw(statement).await.unwrap();
        let name = |row: &sea_orm::QueryResult| row.try_get_by_index(0).unwrap();
        rows.iter().map(name).collect()
    }

    /// A column of ids as text, in SQL.
    pub(crate) fn hex(&self, column: &str) -> String {
        match self.db.backend() {
            DbBackend::Postgres => format!("replace(CAST({column} AS text), '-', '')"),
            _ => format!("lower(hex({column}))"),
        }
    }

    /// A text the database is asked for.
    pub(crate) async fn text(&self, sql: &str) -> String {
        let statement = Statement::from_string(self.db.backend(), sql);
        let row = self.db.read().query_one_raw(statement).await.unwrap();
        row.unwrap().try_get_by_index(0).unwrap()
    }

    /// A number the database is asked for.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(self.db.backend(), sql);
        let row = self.db.read().query_one_raw(statement).await.unwrap();
        row.unwrap().try_get_by_index(0).unwrap()
    }
}

/// Says that the rest of a story is left out on SQLite. Past what the test runner captures: nobody reads
/// that of a story that passes.
pub(super) fn left_out(reason: &str) {
    let story = std::thread::current();
    let story = story.name().unwrap_or("a story");
    let line = format!("{story}: the rest is left out on SQLite, since {reason}\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
}
