use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, boolean, date, date_null, json_null, text, text_null,
        timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
    },
};

use crate::sortable_text;

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("transactions")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(uuid("item_id"))
                    .col(uuid("account_id"))
                    .col(text("provider_transaction_id"))
                    .col(text_null("provider_pending_id"))
                    .col(sortable_text("amount", manager))
                    .col(text("currency"))
                    .col(date("date"))
                    .col(date_null("authorized_date"))
                    .col(timestamp_with_time_zone_null("datetime"))
                    .col(text("name"))
                    .col(text_null("merchant_name"))
                    .col(text_null("category_primary"))
                    .col(text_null("category_detailed"))
                    .col(boolean("pending"))
                    .col(text_null("payment_channel"))
                    .col(json_null("location"))
                    .col(json_null("counterparties"))
                    .col(text("search"))
                    .col(big_integer("seq"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("transactions", "account_id")
                            .to("accounts", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("ix_transactions_item_id_provider_transaction_id")
                    .table("transactions")
                    .col("item_id")
                    .col("provider_transaction_id")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_transactions_item_id_provider_pending_id ON transactions (item_id, provider_pending_id) \
                 WHERE provider_pending_id IS NOT NULL",
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("ix_transactions_user_id_date_id")
                    .table("transactions")
                    .col("user_id")
                    .col("date")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("ix_transactions_account_id_date_id")
                    .table("transactions")
                    .col("account_id")
                    .col("date")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("ix_transactions_user_id_amount_id")
                    .table("transactions")
                    .col("user_id")
                    .col("amount")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("ix_transactions_user_id_seq_id")
                    .table("transactions")
                    .col("user_id")
                    .col("seq")
                    .col("id")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}
