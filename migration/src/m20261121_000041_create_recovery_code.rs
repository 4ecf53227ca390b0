use sea_orm_migration::{
    prelude::*,
    schema::{text, timestamp_with_time_zone_null, uuid},
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
                    .table("recovery_codes")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(text("code_hash"))
                    .col(timestamp_with_time_zone_null("used_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("recovery_codes", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        unique_index(manager, "recovery_codes", &["user_id", "code_hash"]).await
    }
}
