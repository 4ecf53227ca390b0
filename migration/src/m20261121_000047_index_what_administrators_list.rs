use sea_orm_migration::prelude::*;

use crate::index;

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let shorter = Index::drop()
            .name("ix_items_link_status")
            .table("items")
            .to_owned();
        manager.drop_index(shorter).await?;
        for index in [
            "ix_items_link_status_id ON items (link_status, id) WHERE removed_at IS NULL",
            "ix_items_provider_id ON items (provider, id) WHERE removed_at IS NULL",
            "ix_jobs_dead_id ON jobs (id) WHERE state = 'dead'",
            "ix_jobs_under_way_id ON jobs (id) WHERE state IN ('queued', 'running', 'waiting')",
            "ix_webhooks_unapplied ON webhooks (state, id) WHERE state <> 'applied'",
        ] {
            manager
                .get_connection()
                .execute_unprepared(&format!("CREATE INDEX {index}"))
                .await?;
        }
        index(manager, "jobs", &["kind", "id"]).await?;
        index(manager, "webhooks", &["provider", "id"]).await?;
        index(manager, "activities", &["kind", "id"]).await
    }
}
