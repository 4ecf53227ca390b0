use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, integer, json, text, text_null, uuid, uuid_null},
};

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("jobs")
                    .col(uuid("id").primary_key())
                    .col(text("kind"))
                    .col(text("key"))
                    .col(uuid_null("user_id"))
                    .col(json("payload"))
                    .col(text("state"))
                    .col(integer("attempt"))
                    .col(integer("crashes"))
                    .col(integer("max_attempts"))
                    .col(big_integer("run_at"))
                    .col(big_integer("hold_until"))
                    .col(big_integer_null("worker"))
                    .col(big_integer("fence"))
                    .col(big_integer("lease_until"))
                    .col(text_null("last_error"))
                    .col(big_integer("created_at"))
                    .col(big_integer_null("finished_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX ix_jobs_queued ON jobs (kind, key) \
                 WHERE state = 'queued'",
            )
            .await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE UNIQUE INDEX ix_jobs_started ON jobs (kind, key) \
                 WHERE state IN ('running', 'waiting')",
            )
            .await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_jobs_run_at ON jobs (run_at) \
                 WHERE state IN ('queued', 'running', 'waiting')",
            )
            .await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_jobs_finished_at ON jobs (finished_at) \
                 WHERE finished_at IS NOT NULL",
            )
            .await?;
        Ok(())
    }
}
