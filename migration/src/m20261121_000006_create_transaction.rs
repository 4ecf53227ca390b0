use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, boolean, date, date_null, text, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid,
    },
};

use crate::{index, sortable_text, unique_index};

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
                    .col(text_null("location"))
                    .col(text_null("counterparties"))
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
        unique_index(
            manager,
            "transactions",
            &["item_id", "provider_transaction_id"],
        )
        .await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_transactions_item_id_provider_pending_id ON transactions (item_id, provider_pending_id) \
                 WHERE provider_pending_id IS NOT NULL",
            )
            .await?;
        index(manager, "transactions", &["user_id", "date", "id"]).await?;
        index(
            manager,
            "transactions",
            &["account_id", "user_id", "date", "id"],
        )
        .await?;
        index(manager, "transactions", &["user_id", "amount", "id"]).await?;
        index(manager, "transactions", &["user_id", "seq", "id"]).await?;
        Ok(())
    }
}
