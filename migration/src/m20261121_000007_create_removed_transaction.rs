use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, timestamp_with_time_zone, uuid, uuid_null},
};

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
        manager
            .create_index(
                Index::create()
                    .name("ix_removed_transactions_user_id_seq_id")
                    .table("removed_transactions")
                    .col("user_id")
                    .col("seq")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("ix_removed_transactions_item_id_provider_transaction_id")
                    .table("removed_transactions")
                    .col("item_id")
                    .col("provider_transaction_id")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}
