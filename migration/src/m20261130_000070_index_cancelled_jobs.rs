use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let cancelled = "CREATE INDEX ix_jobs_cancelled_id ON jobs (id) WHERE state = 'cancelled'";
        let done = manager.get_connection().execute_unprepared(cancelled);
        done.await.map(|_| ())
    }
}
