use sea_orm_migration::{
    prelude::*,
    schema::{integer, timestamp_with_time_zone_null},
};

use crate::index;

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut column in [
            timestamp_with_time_zone_null("sync_due_at"),
            integer("failed_syncs").default(0).to_owned(),
        ] {
            let table = Table::alter()
                .table("items")
                .add_column(&mut column)
                .to_owned();
            manager.alter_table(table).await?;
        }
        let connection = manager.get_connection();
        connection
            .execute_unprepared(
                "UPDATE items SET sync_due_at = COALESCE(last_synced_at, created_at) \
                 WHERE removed_at IS NULL AND link_status IN ('success', 'processing', 'error')",
            )
            .await?;
        let old = Index::drop()
            .name("ix_items_last_synced_at")
            .table("items")
            .to_owned();
        manager.drop_index(old).await?;
        index(manager, "items", &["sync_due_at"]).await?;
        connection
            .execute_unprepared(
                "CREATE INDEX ix_items_removed_at ON items (removed_at) WHERE removed_at IS NOT NULL",
            )
            .await?;
        Ok(())
    }
}
