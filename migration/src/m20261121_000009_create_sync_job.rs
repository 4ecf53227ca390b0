use sea_orm_migration::{
    prelude::*,
    schema::{
        boolean, integer, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
        uuid,
    },
};

use crate::index;

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("sync_jobs")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(uuid("item_id"))
                    .col(text("trigger"))
                    .col(text("status"))
                    .col(integer("pages"))
                    .col(integer("added"))
                    .col(integer("modified"))
                    .col(integer("removed"))
                    .col(integer("attempt"))
                    .col(integer("max_attempts"))
                    .col(text_null("error_code"))
                    .col(text_null("error_message"))
                    .col(text_null("error_action"))
                    .col(boolean("error_retryable"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone_null("started_at"))
                    .col(timestamp_with_time_zone_null("finished_at"))
                    .col(timestamp_with_time_zone_null("next_attempt_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("sync_jobs", "item_id")
                            .to("items", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        index(manager, "sync_jobs", &["user_id", "id"]).await?;
        index(manager, "sync_jobs", &["item_id", "user_id", "id"]).await?;
        Ok(())
    }
}
