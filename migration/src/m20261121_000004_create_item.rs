use sea_orm_migration::{
    prelude::*,
    schema::{
        blob, boolean, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
        uuid, uuid_null,
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
                    .table("items")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(text("provider"))
                    .col(text("provider_item_id"))
                    .col(uuid_null("institution_id"))
                    .col(blob("access_token"))
                    .col(text("link_status"))
                    .col(text_null("link_error"))
                    .col(text("transactions_status"))
                    .col(timestamp_with_time_zone_null("consent_expires_at"))
                    .col(boolean("new_accounts"))
                    .col(text_null("sync_cursor"))
                    .col(timestamp_with_time_zone_null("last_synced_at"))
                    .col(timestamp_with_time_zone_null("removed_at"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("items", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("items", "institution_id")
                            .to("institutions", "id")
                            .on_delete(ForeignKeyAction::SetNull),
                    )
                    .to_owned(),
            )
            .await?;
        unique_index(manager, "items", &["provider", "provider_item_id"]).await?;
        index(manager, "items", &["user_id", "id"]).await?;
        index(manager, "items", &["last_synced_at"]).await?;
        Ok(())
    }
}
