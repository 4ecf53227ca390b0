//! That nothing is left out of an archive without a reason, and what the databases do for it.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use sea_orm::Statement;
use uuid::Uuid;

use super::files;
use crate::app::testing::{app, everywhere, tables_with};

/// Tables with people's rows that tell nothing of them, and why.
const UNTOLD: &[(&str, &str)] = &[
    (
        "admin_accesses",
        "the log of administrators; what concerns her is in hers",
    ),
    ("login_attempts", "steps of a sign-in, for minutes"),
    ("recovery_codes", "hashes"),
    ("totps", "a secret; since when is in `users`"),
    ("data_export_chunks", "the archives themselves"),
    (
        "feed_events",
        "numbers of changes that the other files tell",
    ),
    ("feeds", "a counter"),
    (
        "jobs",
        "what the server is about to do, as ids of what the other files tell",
    ),
];

/// Columns with another name in the files, which is the schema's.
const RENAMED: &[(&str, &str, &str)] = &[
    ("users", "password_hash", "hasPassword"),
    ("users", "totp_enabled_at", "secondFactorSince"),
    ("sessions", "rotated_at", "lastUsedAt"),
    ("sessions", "revoked_at", "endedAt"),
    ("sessions", "revoked_reason", "endedBecause"),
    ("institutions", "provider_institution_id", "code"),
    ("items", "link_error", "linkErrorCode"),
    ("items", "link_message", "linkErrorMessage"),
    ("accounts", "kind", "type"),
    ("accounts", "balance_current", "current"),
    ("accounts", "balance_available", "available"),
    ("accounts", "balance_limit", "limit"),
    ("accounts", "balances_at", "balancesAsOf"),
    ("webhooks", "state", "status"),
];

/// Columns that no field tells, and why; a column of `*` is one of any table.
const UNTOLD_COLUMNS: &[(&str, &str, &str)] = &[
    ("*", "user_id", "the person, as `users` has her"),
    (
        "*",
        "email_key",
        "the address, in the form that is compared",
    ),
    ("*", "salt", "what tokens are made of"),
    ("*", "seq", "the number of a change"),
    ("users", "deleted_at", "who reads it is here"),
    ("mails", "id", "nobody asks for a mail by it"),
    (
        "mails",
        "registration_id",
        "a registration has no person yet",
    ),
    ("sessions", "generation", "what tokens are made of"),
    ("items", "access_token", "it opens the bank"),
    ("items", "sync_cursor", "the provider's name for a place"),
    ("institutions", "primary_color", "how the bank looks"),
    ("institutions", "logo", "how the bank looks"),
    ("institutions", "logo_url", "how the bank looks"),
    (
        "institutions",
        "updated_at",
        "when we asked for the bank's name",
    ),
    ("transactions", "search", "made of the other fields"),
    ("link_tokens", "id", "nobody asks for a token by it"),
    ("link_tokens", "token_hash", "a secret"),
    ("link_tokens", "token", "a secret"),
    ("exchanges", "id", "nobody asks for an exchange by it"),
    ("exchanges", "public_token_hash", "a secret"),
    ("exchanges", "access_token", "it opens the bank"),
    ("link_intents", "id", "nobody asks for an order by it"),
    (
        "webhooks",
        "id",
        "nobody but administrators asks for a delivery by it",
    ),
    ("webhooks", "delivery_key", "a hash of the delivery"),
    (
        "webhooks",
        "subject",
        "the item as its provider calls it, or the hash of a token",
    ),
    (
        "webhooks",
        "body",
        "the provider's words, which only say where to look",
    ),
];

/// A column's name as the schema would write it.
fn camel(column: &str) -> String {
    let mut words = column.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(1);
        name + &initial.to_uppercase() + rest
    })
}

#[test]
fn every_column_of_a_file_is_told_or_not_for_a_reason() {
    let mut reasons: BTreeSet<(&str, &str)> = UNTOLD_COLUMNS
        .iter()
        .map(|(table, column, _)| (*table, *column))
        .collect();
    let mut left = Vec::new();
    for file in files() {
        let (table, fields) = (file.name(), file.fields());
        for column in file.columns() {
            let renamed = RENAMED
                .iter()
                .find(|(of, from, _)| (*of, *from) == (table, &*column));
            let field = renamed.map_or_else(|| camel(&column), |(.., field)| (*field).to_owned());
            let untold = |of: &str| {
                UNTOLD_COLUMNS
                    .iter()
                    .any(|(table, untold, _)| (*table, *untold) == (of, &*column))
            };
            if fields.contains(&&*field) {
                assert!(!untold(table), "{table}.{column} is told");
            } else if !untold(table) && !untold("*") {
                left.push(format!("{table}.{column}"));
            }
            reasons.retain(|(of, untold)| *untold != column || (*of != "*" && *of != table));
        }
    }
    assert!(left.is_empty(), "in no field of an export: {left:?}");
    assert!(reasons.is_empty(), "no such columns: {reasons:?}");
}

#[tokio::test]
async fn every_table_with_rows_of_people_is_told_or_not_for_a_reason() {
    let app = app().await;
    let told: Vec<&str> = files().iter().map(|file| file.name()).collect();
    let mut left = tables_with(&app, "user_id").await;
    left.retain(|table| {
        !told.contains(&table.as_str()) && UNTOLD.iter().all(|(untold, _)| untold != table)
    });
    assert!(left.is_empty(), "in no file of an export: {left:?}");
}

#[tokio::test]
async fn no_table_is_read_whole_or_sorted_for_one_person() {
    everywhere(async |app| {
        app.fill().await;
        let viewer = app.person("ana").await;
        app.take_statements();
        let moment = app.db.snapshot().await.unwrap();
        for file in files() {
            let first = file.page(&moment, viewer.user_id, None).await;
            assert!(file.name() == "users" || first.unwrap().0.is_empty());
            if file.name() == "transactions" {
                let place = vec![NaiveDate::default().into(), Uuid::nil().into()];
                let next = file.page(&moment, viewer.user_id, Some(place)).await;
                next.unwrap();
            }
        }
        drop(moment);
        let statements = app.statements.lock().unwrap().clone();
        assert!(statements.len() > files().len(), "{}", statements.len());
        let large = |statement: &&Statement| statement.sql.contains("FROM \"transactions\"");
        for statement in statements.iter().filter(large) {
            let plan = app.plan(statement, false).await;
            // With the twenty rows that people have here, PostgreSQL may sort them.
            assert!(plan.contains("ix_transactions_user_id_"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
        app.assert_no_scans().await;
    })
    .await;
}

#[test]
fn nothing_that_opens_anything_has_a_field() {
    for file in files() {
        for field in file.fields() {
            let field = field.to_lowercase();
            for secret in ["token", "hash", "salt", "secret", "access"] {
                assert!(!field.contains(secret), "{} {field}", file.name());
            }
        }
    }
}
