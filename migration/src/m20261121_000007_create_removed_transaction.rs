use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, timestamp_with_time_zone, uuid, uuid_null},
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
                    .table("removed_transactions")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(uuid("item_id"))
                    .col(text("provider_transaction_id"))
                    .col(uuid_null("replaced_by_id"))
                    .col(big_integer("seq"))
                    .col(timestamp_with_time_zone("removed_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("removed_transactions", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        index(manager, "removed_transactions", &["user_id", "seq", "id"]).await?;
        index(
            manager,
            "removed_transactions",
            &["item_id", "provider_transaction_id"],
        )
        .await?;
        Ok(())
    }
}
