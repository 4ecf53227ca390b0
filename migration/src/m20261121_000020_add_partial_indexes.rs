use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in [
            "ix_jobs_running ON jobs (worker) WHERE state = 'running'",
            "ix_items_link_status ON items (link_status) WHERE removed_at IS NULL",
        ] {
            manager
                .get_connection()
                .execute_unprepared(&format!("CREATE INDEX {index}"))
                .await?;
        }
        Ok(())
    }
}
