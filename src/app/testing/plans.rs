//! A database with a past, and what the planner does with the statements of a test on it.

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait, sea_query::Values};

use super::TestApp;

/// Tables that grow with people and time. The others may be read whole; so may sessions, four times a
/// day, which costs less than an index on what every refresh changes.
const LARGE: [&str; 17] = [
    "identities",
    "login_attempts",
    "exchange_rates",
    "jobs",
    "webhooks",
    "transactions",
    "removed_transactions",
    "sync_jobs",
    "items",
    "accounts",
    "feeds",
    "feed_events",
    "users",
    "registrations",
    "mails",
    "totps",
    "recovery_codes",
];

/// Indexes of the few rows of a large table that something is still to be done with.
const PARTIAL: [&str; 8] = [
    "ix_jobs_queued",
    "ix_jobs_started",
    "ix_jobs_run_at",
    "ix_jobs_running",
    "ix_jobs_concurrency_key",
    "ix_jobs_dead_id",
    "ix_webhooks_provider_subject",
    "ix_users_deleted_at",
];

/// The names the engine's statements give to tables and to what they make on the way.
const ALIASES: [(&str, &str); 3] = [("j", "jobs"), ("r", "jobs"), ("n", "jobs")];

impl TestApp {
    /// Fills the large tables with what other people did, a few thousand rows each, and lets the
    /// planner look at them.
    pub(crate) async fn fill(&self) {
        let backend = self.db.backend();
        let blob = match backend {
            DbBackend::Postgres => "bytea",
            _ => "blob",
        };
        let id = |n: &str| match backend {
            DbBackend::Postgres => format!("CAST(lpad(to_hex({n}), 32, '0') AS uuid)"),
            _ => format!("unhex(printf('%032x', {n}))"),
        };
        let minute = match backend {
            DbBackend::Postgres => "to_timestamp({s} - i * 60)",
            _ => "strftime('%Y-%m-%dT%H:%M:%S+00:00', {s} - i * 60, 'unixepoch')",
        };
        let now = self.clock.now();
        let recently = (now - TimeDelta::hours(2)).to_rfc3339();
        let sql = PAST
            .replace("{id}", &id("i"))
            .replace("{waiting}", &id("i + 1000000"))
            .replace("{minute}", minute)
            .replace("{s}", &now.timestamp().to_string())
            .replace("{owner}", &id("i % 1000 + 1"))
            .replace("{recently}", &recently)
            .replace("{today}", &now.date_naive().to_string())
            .replace(
                "{ms}",
                &(now - TimeDelta::hours(2)).timestamp_millis().to_string(),
            )
            .replace(
                "{later}",
                &(now + TimeDelta::hours(2)).timestamp_millis().to_string(),
            )
            .replace("{blob}", blob);
        for insert in sql.split(';').filter(|sql| !sql.trim().is_empty()) {
            let (rows, insert) = insert.trim().split_once(' ').unwrap();
            let (into, select) = insert.split_once(" SELECT ").unwrap();
            let numbers = format!(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
            );
            let sql = format!("INSERT INTO {into} {numbers} SELECT {select} FROM n");
            self.db.migrate().execute_unprepared(&sql).await.unwrap();
        }
        self.db
            .migrate()
            .execute_unprepared("ANALYZE")
            .await
            .unwrap();
        self.take_statements();
    }

    /// How the database would carry a statement out. `instead` forbids PostgreSQL what it
    /// does with few rows where anything else is possible: to read them all, and to sort them.
    pub(crate) async fn plan(&self, statement: &Statement, instead: bool) -> String {
        let backend = self.db.backend();
        let (explain, column) = match backend {
            DbBackend::Postgres => ("EXPLAIN", "QUERY PLAN"),
            _ => ("EXPLAIN QUERY PLAN", "detail"),
        };
        let txn = self.db.migrate().begin().await.unwrap();
        if backend == DbBackend::Postgres && instead {
            for way in ["seqscan", "bitmapscan", "sort"] {
                let set = format!("SET LOCAL enable_{way} = off");
                txn.execute_unprepared(&set).await.unwrap();
            }
        }
        let values = statement.values.clone().unwrap_or(Values(Vec::new()));
        let sql = format!("{explain} {}", statement.sql);
        let explain = Statement::from_sql_and_values(backend, sql, values.0);
        let rows = txn.query_all_raw(explain).await.unwrap();
        let lines = rows
            .iter()
            .map(|row| row.try_get::<String>("", column).unwrap());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Asserts that no statement since the last look reads a large table whole.
    pub(crate) async fn assert_no_scans(&self) {
        let mut seen = std::collections::HashSet::new();
        let mut found = Vec::new();
        for statement in self.take_statements() {
            let first = statement.sql.split(' ').next().unwrap_or_default();
            let asks = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&first);
            if asks && seen.insert(statement.sql.clone()) {
                let plan = self.plan(&statement, false).await;
                if plan.lines().any(is_scan) {
                    found.push(format!("{}\n{plan}", statement.sql));
                }
            }
        }
        assert!(found.is_empty(), "{}", found.join("\n\n"));
    }
}

/// Whether a line of a plan reads a large table from one end to the other.
fn is_scan(line: &str) -> bool {
    let line = line.trim().trim_start_matches("->").trim();
    let (named, whole) = match line.strip_prefix("Seq Scan on ") {
        Some(rest) => (rest, true),
        // SQLite: by an index it is the index that is read, which may be a partial one.
        None => match line.strip_prefix("SCAN ") {
            Some(rest) => (rest, !PARTIAL.iter().any(|index| rest.contains(index))),
            None => return false,
        },
    };
    let name = named.split(' ').next().unwrap_or_default();
    let table = ALIASES
        .iter()
        .find(|(alias, _)| *alias == name)
        .map_or(name, |(_, table)| table);
    whole && LARGE.contains(&table)
}

/// What is in each table: how many rows, and where each of their values comes from.
const PAST: &str = "
1000 users (id, email, email_key, password_hash, created_at, updated_at)
 SELECT {id}, 'p' || i, 'p' || i, '', '{recently}', '{recently}';
1000 feeds (user_id, seq, pruned_seq)
 SELECT {id}, 100, 0;
50 institutions (id, provider, provider_institution_id, name, oauth, updated_at)
 SELECT {id}, 'plaid', 'ins_' || i, 'Bank', false, '{recently}';
1000 items (id, user_id, provider, provider_item_id, access_token, link_status, transactions_status, new_accounts, last_synced_at, created_at, updated_at)
 SELECT {id}, {id}, 'plaid', 'item' || i, CAST('x' AS {blob}), 'success', 'complete', false, '{recently}', '{recently}', '{recently}';
1000 accounts (id, user_id, item_id, provider_account_id, name, kind, created_at, updated_at)
 SELECT {id}, {id}, {id}, 'account' || i, 'A', 'other', '{recently}', '{recently}';
20000 transactions (id, user_id, item_id, account_id, provider_transaction_id, provider_pending_id, amount, currency, date, name, search, pending, seq, created_at, updated_at)
 SELECT {id}, {owner}, {owner}, {owner}, 't' || i, CASE WHEN i % 5 = 0 THEN 'p' || i END, 'x' || i, 'USD', '{today}', 'T', 't', false, i, '{recently}', '{recently}';
10000 removed_transactions (id, user_id, item_id, provider_transaction_id, seq, removed_at)
 SELECT {id}, {owner}, {owner}, 'r' || i, i, '{recently}';
10000 sync_jobs (id, user_id, item_id, trigger, status, pages, added, modified, removed, attempt, max_attempts, error_retryable, created_at, finished_at)
 SELECT {id}, {owner}, {owner}, 'webhook', 'succeeded', 1, 1, 0, 0, 1, 12, false, '{recently}', '{recently}';
20000 jobs (id, kind, key, user_id, payload, state, attempt, crashes, max_attempts, run_at, hold_until, fence, lease_until, created_at, finished_at)
 SELECT {id}, 'sync.item', 'k' || i, {owner}, '{}', CASE WHEN i % 100 = 0 THEN 'dead' ELSE 'succeeded' END, 1, 0, 12, {ms}, 0, 1, {ms}, {ms}, {ms} + i;
500 jobs (id, kind, key, concurrency_key, payload, state, attempt, crashes, max_attempts, run_at, hold_until, fence, lease_until, created_at)
 SELECT {waiting}, 'sync.item', 'w' || i, 'b' || (i % 7), '{}', 'waiting', 1, 0, 12, {later}, 0, 1, {ms}, {ms};
10000 webhooks (id, provider, delivery_key, subject, code, body, state, user_id, received_at, applied_at)
 SELECT {id}, 'plaid', 'd' || i, 'item' || (i % 1000), 'X', CAST('x' AS {blob}), CASE WHEN i % 200 = 0 THEN 'parked' ELSE 'applied' END, {owner}, '{recently}', '{recently}';
20000 feed_events (user_id, seq, kind, subject_id, at)
 SELECT {owner}, i, 'item', {owner}, '{recently}';
20000 exchange_rates (id, base, quote, rate, day, provider_time, fetched_at, source, seq)
 SELECT {id}, CASE WHEN i % 20 = 0 THEN 'BTC' ELSE 'C' || (i % 20) END, 'USD', '1.5', '{today}', {minute}, '{recently}', 'a test', i;
3000 registrations (id, email, email_key, password_hash, expires_at, created_at)
 SELECT {id}, 'r' || i, 'r' || i, 'x', '2999-01-01T00:00:00+00:00', '{recently}';
3000 mails (id, kind, user_id, registration_id, email, email_key, salt, expires_at, created_at)
 SELECT {id}, 'verify_email', {owner}, {id}, 'm' || i, 'm' || i, CAST('x' AS {blob}), '2999-01-01T00:00:00+00:00', '{recently}';
1000 totps (id, user_id, secret, last_step, created_at)
 SELECT {id}, {id}, CAST('x' AS {blob}), 0, '{recently}';
10000 recovery_codes (id, user_id, code_hash)
 SELECT {id}, {owner}, 'c' || i;
5000 identities (id, user_id, provider, issuer, subject, linked_at)
 SELECT {id}, {owner}, 'google', 'https://accounts.google.com', 's' || i, '{recently}';
5000 login_attempts (id, provider, redirect_uri, code_challenge, ticket_hash, state_hash, code_hash, expires_at)
 SELECT {id}, 'google', 'x', 'x', 't' || i, 's' || i, 'c' || i, '2999-01-01T00:00:00+00:00';
3000 sessions (id, user_id, salt, generation, rotated_at, expires_at, ends_at, created_at)
 SELECT {id}, {owner}, CAST('x' AS {blob}), 1, '{recently}', '{recently}', '{recently}', '{recently}';
";
