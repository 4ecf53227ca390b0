use sea_orm_migration::{
    prelude::*,
    schema::{integer, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null},
};

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("rate_checks")
                    .col(text("base"))
                    .col(text("quote"))
                    .col(text("account"))
                    .col(timestamp_with_time_zone("due_at"))
                    .col(timestamp_with_time_zone_null("checked_at"))
                    .col(timestamp_with_time_zone_null("failed_at"))
                    .col(text_null("fault"))
                    .col(integer("failures"))
                    .primary_key(Index::create().col("base").col("quote"))
                    .to_owned(),
            )
            .await
    }
}
