use sea_orm_migration::{prelude::*, schema::text};

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("jobs")
                    .add_column(text("concurrency_key").default(""))
                    .to_owned(),
            )
            .await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_jobs_concurrency_key ON jobs (concurrency_key, run_at) \
                 WHERE state IN ('queued', 'waiting')",
            )
            .await?;
        Ok(())
    }
}
