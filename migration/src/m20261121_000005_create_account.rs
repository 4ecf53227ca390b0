use sea_orm_migration::{
    prelude::*,
    schema::{text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid},
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
                    .table("accounts")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(uuid("item_id"))
                    .col(text("provider_account_id"))
                    .col(text("name"))
                    .col(text_null("official_name"))
                    .col(text_null("mask"))
                    .col(text("kind"))
                    .col(text_null("subtype"))
                    .col(text_null("currency"))
                    .col(text_null("balance_current"))
                    .col(text_null("balance_available"))
                    .col(text_null("balance_limit"))
                    .col(timestamp_with_time_zone_null("balances_at"))
                    .col(timestamp_with_time_zone_null("closed_at"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("accounts", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("accounts", "item_id")
                            .to("items", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        unique_index(manager, "accounts", &["item_id", "provider_account_id"]).await?;
        index(manager, "accounts", &["user_id", "id"]).await?;
        Ok(())
    }
}
