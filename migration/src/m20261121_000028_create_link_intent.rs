use sea_orm_migration::{
    prelude::*,
    schema::{
        boolean, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
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
                    .table("link_intents")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(text("provider"))
                    .col(text("institution_code"))
                    .col(text_null("idempotency_key"))
                    .col(uuid_null("item_id"))
                    .col(uuid_null("sync_job_id"))
                    .col(boolean("existing"))
                    .col(timestamp_with_time_zone("started_at"))
                    .col(timestamp_with_time_zone_null("finished_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("link_intents", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        unique_index(manager, "link_intents", &["user_id", "idempotency_key"]).await?;
        index(manager, "link_intents", &["started_at"]).await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_link_intents_finished_at ON link_intents (started_at) \
                 WHERE finished_at IS NULL",
            )
            .await?;
        Ok(())
    }
}
