//! The schema of the database, step by step, for SQLite and PostgreSQL alike. Steps are plain
//! definitions that never look at `entity`, so that today's rows cannot edit yesterday's steps.
//! There is no way down: a backup restores, an undone migration loses.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the trait's own signature hides this lifetime, and async-trait wants it written the same way"
)]

pub use sea_orm_migration::{MigratorTrait, SchemaManager};
use sea_orm_migration::{
    prelude::*,
    sea_orm::{DatabaseConnection, DbBackend, EntityTrait, QueryOrder},
    seaql_migrations,
};

mod m20261121_000001_create_user;
mod m20261121_000002_create_session;
mod m20261121_000003_create_institution;
mod m20261121_000004_create_item;
mod m20261121_000005_create_account;
mod m20261121_000006_create_transaction;
mod m20261121_000007_create_removed_transaction;
mod m20261121_000008_create_job;
mod m20261121_000009_create_sync_job;
mod m20261121_000010_create_webhook;
mod m20261121_000011_create_link_token;
mod m20261121_000012_create_exchange;
mod m20261121_000013_create_feed;
mod m20261121_000014_create_feed_event;
mod m20261121_000015_create_activity;
mod m20261121_000016_create_key_check;
mod m20261121_000017_add_concurrency_key_to_job;
mod m20261121_000018_add_sync_due_to_item;
mod m20261121_000019_add_login_to_exchange;
mod m20261121_000020_add_partial_indexes;
mod m20261121_000021_create_exchange_rate;
mod m20261121_000022_create_rate_check;
mod m20261121_000023_create_rate_quota;
mod m20261121_000026_create_provider_user;
mod m20261121_000027_create_challenge;
mod m20261121_000028_create_link_intent;
mod m20261121_000029_add_following;
mod m20261121_000030_add_pending_index;
mod m20261121_000033_index_sessions_by_id;
mod m20261121_000034_create_throttle;
mod m20261121_000035_add_verified_email_to_user;
mod m20261121_000036_create_identity;
mod m20261121_000037_create_login_attempt;
mod m20261121_000038_create_registration;
mod m20261121_000039_create_mail;
mod m20261121_000040_create_totp;
mod m20261121_000041_create_recovery_code;
mod m20261121_000042_create_data_export;
mod m20261121_000043_add_deleted_at_to_user;
mod m20261121_000044_index_activities;
mod m20261121_000045_add_role_to_user;
mod m20261121_000046_create_admin_access;
mod m20261121_000047_index_what_administrators_list;
mod m20261130_000055_add_client_to_link_token;
mod m20261130_000060_add_blocked_by_to_rate_quota;
mod m20261130_000061_index_exchange_rates_by_seq;
mod m20261130_000070_index_cancelled_jobs;
mod m20261130_000075_add_network_to_session;

/// All steps in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_create_user::Migration),
            Box::new(m20261121_000002_create_session::Migration),
            Box::new(m20261121_000003_create_institution::Migration),
            Box::new(m20261121_000004_create_item::Migration),
            Box::new(m20261121_000005_create_account::Migration),
            Box::new(m20261121_000006_create_transaction::Migration),
            Box::new(m20261121_000007_create_removed_transaction::Migration),
            Box::new(m20261121_000008_create_job::Migration),
            Box::new(m20261121_000009_create_sync_job::Migration),
            Box::new(m20261121_000010_create_webhook::Migration),
            Box::new(m20261121_000011_create_link_token::Migration),
            Box::new(m20261121_000012_create_exchange::Migration),
            Box::new(m20261121_000013_create_feed::Migration),
            Box::new(m20261121_000014_create_feed_event::Migration),
            Box::new(m20261121_000015_create_activity::Migration),
            Box::new(m20261121_000016_create_key_check::Migration),
            Box::new(m20261121_000017_add_concurrency_key_to_job::Migration),
            Box::new(m20261121_000018_add_sync_due_to_item::Migration),
            Box::new(m20261121_000019_add_login_to_exchange::Migration),
            Box::new(m20261121_000020_add_partial_indexes::Migration),
            Box::new(m20261121_000021_create_exchange_rate::Migration),
            Box::new(m20261121_000022_create_rate_check::Migration),
            Box::new(m20261121_000023_create_rate_quota::Migration),
            Box::new(m20261121_000026_create_provider_user::Migration),
            Box::new(m20261121_000027_create_challenge::Migration),
            Box::new(m20261121_000028_create_link_intent::Migration),
            Box::new(m20261121_000029_add_following::Migration),
            Box::new(m20261121_000030_add_pending_index::Migration),
            Box::new(m20261121_000033_index_sessions_by_id::Migration),
            Box::new(m20261121_000034_create_throttle::Migration),
            Box::new(m20261121_000035_add_verified_email_to_user::Migration),
            Box::new(m20261121_000036_create_identity::Migration),
            Box::new(m20261121_000037_create_login_attempt::Migration),
            Box::new(m20261121_000038_create_registration::Migration),
            Box::new(m20261121_000039_create_mail::Migration),
            Box::new(m20261121_000040_create_totp::Migration),
            Box::new(m20261121_000041_create_recovery_code::Migration),
            Box::new(m20261121_000042_create_data_export::Migration),
            Box::new(m20261121_000043_add_deleted_at_to_user::Migration),
            Box::new(m20261121_000044_index_activities::Migration),
            Box::new(m20261121_000045_add_role_to_user::Migration),
            Box::new(m20261121_000046_create_admin_access::Migration),
            Box::new(m20261121_000047_index_what_administrators_list::Migration),
            Box::new(m20261130_000055_add_client_to_link_token::Migration),
            Box::new(m20261130_000060_add_blocked_by_to_rate_quota::Migration),
            Box::new(m20261130_000061_index_exchange_rates_by_seq::Migration),
            Box::new(m20261130_000070_index_cancelled_jobs::Migration),
            Box::new(m20261130_000075_add_network_to_session::Migration),
        ]
    }
}

/// The steps a database has behind it, in order, each with its time in seconds since 1970. Creates
/// nothing, so that it may be asked of a database that is none of ours or only to be read.
pub async fn applied(db: &DatabaseConnection) -> Result<Vec<(String, i64)>, DbErr> {
    if !SchemaManager::new(db).has_table("seaql_migrations").await? {
        return Ok(Vec::new());
    }
    let rows = seaql_migrations::Entity::find()
        .order_by_asc(seaql_migrations::Column::Version)
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.version, row.applied_at))
        .collect())
}

/// A text column that both databases compare byte by byte. PostgreSQL would otherwise follow the
/// language of the machine, and the order of sortable amounts would depend on it.
fn sortable_text(name: &'static str, manager: &SchemaManager<'_>) -> ColumnDef {
    let kind = match manager.get_database_backend() {
        DbBackend::Postgres => "text COLLATE \"C\"",
        _ => "text",
    };
    ColumnDef::new(name).custom(kind).not_null().to_owned()
}

async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    manager.create_index(named_index(table, columns)).await
}

async fn unique_index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    manager
        .create_index(named_index(table, columns).unique().to_owned())
        .await
}

fn named_index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let name = format!("ix_{table}_{}", columns.join("_"));
    let mut index = Index::create().name(name).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    index
}
