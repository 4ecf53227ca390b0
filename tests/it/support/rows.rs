//! Everything that is in the database, to be compared with itself.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::TestApp;

/// The rows of each table as text.
pub(crate) type Rows = BTreeMap<String, BTreeSet<String>>;

impl TestApp {
    /// Every row of every table but some.
    pub(crate) async fn rows(&self, but: &[&str]) -> Rows {
        let tables = match self.backend() {
            DbBackend::Postgres => {
                "SELECT CAST(tablename AS text) FROM pg_tables WHERE schemaname = 'public'"
            }
            _ => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        };
        let mut rows = Rows::new();
        for table in self.texts(tables).await {
            if but.contains(&table.as_str()) {
                continue;
            }
            let row = match self.backend() {
                DbBackend::Postgres => "CAST(t AS text)".to_owned(),
                _ => self.columns(&table).await,
            };
            let sql = format!("SELECT {row} FROM {table} t");
            let kept = self.texts(&sql).await.into_iter().collect();
            rows.insert(table, kept);
        }
        assert!(rows.len() > 20, "{:?}", rows.keys());
        rows
    }

    /// Asserts that no row has come, gone or changed.
    pub(crate) async fn assert_rows(&self, but: &[&str], before: Rows) {
        for (table, rows) in self.rows(but).await {
            let changed: Vec<_> = rows.symmetric_difference(&before[&table]).collect();
            assert!(changed.is_empty(), "{table}: {changed:?}");
        }
    }

    /// All columns of a table of SQLite as one text.
    async fn columns(&self, table: &str) -> String {
        let names = format!("SELECT name FROM pragma_table_info('{table}')");
        let quoted = self
            .texts(&names)
            .await
            .into_iter()
            .map(|name| format!("quote(t.{name})"));
        quoted.collect::<Vec<_>>().join(" || ' ' || ")
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        let statement = Statement::from_string(self.backend(), sql);
        let rows = self.db.read().query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect()
    }
}
