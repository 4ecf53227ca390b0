use sea_orm_migration::{
    prelude::*,
    schema::{text, text_null, timestamp_with_time_zone, uuid, uuid_null},
};

use crate::index;

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                // Without foreign keys: what was done is remembered when who did it is gone.
                Table::create()
                    .table("admin_accesses")
                    .col(uuid("id").primary_key())
                    .col(uuid_null("admin_id"))
                    .col(text("action"))
                    .col(text("arguments"))
                    .col(uuid_null("user_id"))
                    .col(text_null("user_agent"))
                    .col(text_null("address"))
                    .col(timestamp_with_time_zone("at"))
                    .to_owned(),
            )
            .await?;
        index(manager, "admin_accesses", &["admin_id", "id"]).await?;
        index(manager, "admin_accesses", &["user_id", "id"]).await?;
        index(manager, "admin_accesses", &["at"]).await
    }
}
