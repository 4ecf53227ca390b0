use sea_orm_migration::{
    prelude::*,
    schema::{
        blob, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
        uuid_null,
    },
};

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("webhooks")
                    .col(uuid("id").primary_key())
                    .col(text("provider"))
                    .col(text("delivery_key"))
                    .col(text_null("subject"))
                    .col(text("code"))
                    .col(blob("body"))
                    .col(text("state"))
                    .col(uuid_null("user_id"))
                    .col(timestamp_with_time_zone("received_at"))
                    .col(timestamp_with_time_zone_null("applied_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("ix_webhooks_delivery_key")
                    .table("webhooks")
                    .col("delivery_key")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_webhooks_provider_subject ON webhooks (provider, subject) \
                 WHERE state = 'parked'",
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("ix_webhooks_received_at")
                    .table("webhooks")
                    .col("received_at")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}
