use sea_orm_migration::{
    prelude::*,
    schema::{
        blob, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
        uuid_null,
    },
};

use crate::{index, unique_index};

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
        unique_index(manager, "webhooks", &["delivery_key"]).await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_webhooks_provider_subject ON webhooks (provider, subject) \
                 WHERE state = 'parked'",
            )
            .await?;
        index(manager, "webhooks", &["received_at"]).await?;
        Ok(())
    }
}
