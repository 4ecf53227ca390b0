use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, date, text, text_null, timestamp_with_time_zone, uuid},
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
                    .table("exchange_rates")
                    .col(uuid("id").primary_key())
                    .col(text("base"))
                    .col(text("quote"))
                    .col(text("rate"))
                    .col(text_null("bid"))
                    .col(text_null("ask"))
                    .col(date("day"))
                    .col(timestamp_with_time_zone("provider_time"))
                    .col(timestamp_with_time_zone("fetched_at"))
                    .col(text("source"))
                    .col(big_integer("seq"))
                    .to_owned(),
            )
            .await?;
        // The same quote twice is one row, and every list of rates walks this index.
        unique_index(
            manager,
            "exchange_rates",
            &["base", "quote", "provider_time"],
        )
        .await
    }
}
