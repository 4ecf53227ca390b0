use sea_orm_migration::{
    prelude::*,
    schema::{
        boolean, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
        uuid_null,
    },
};

use crate::unique_index;

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("exchanges")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(text("public_token_hash"))
                    .col(text_null("idempotency_key"))
                    .col(uuid_null("item_id"))
                    .col(uuid_null("sync_job_id"))
                    .col(boolean("existing"))
                    .col(timestamp_with_time_zone("started_at"))
                    .col(timestamp_with_time_zone_null("finished_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("exchanges", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        unique_index(manager, "exchanges", &["user_id", "public_token_hash"]).await?;
        unique_index(manager, "exchanges", &["user_id", "idempotency_key"]).await?;
        Ok(())
    }
}
