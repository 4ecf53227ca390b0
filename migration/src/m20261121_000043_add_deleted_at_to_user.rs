use sea_orm_migration::{prelude::*, schema::timestamp_with_time_zone_null};

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = timestamp_with_time_zone_null("deleted_at");
        let table = Table::alter()
            .table("users")
            .add_column(&mut column)
            .to_owned();
        manager.alter_table(table).await?;
        // Everything of a person's is found by her id when she leaves.
        for index in [
            "ix_users_deleted_at ON users (deleted_at) WHERE deleted_at IS NOT NULL",
            "ix_jobs_user_id ON jobs (user_id) WHERE user_id IS NOT NULL",
            "ix_webhooks_user_id ON webhooks (user_id) WHERE user_id IS NOT NULL",
        ] {
            manager
                .get_connection()
                .execute_unprepared(&format!("CREATE INDEX {index}"))
                .await?;
        }
        Ok(())
    }
}
