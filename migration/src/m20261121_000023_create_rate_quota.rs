use sea_orm_migration::{
    prelude::*,
    schema::{date, integer, text, timestamp_with_time_zone, timestamp_with_time_zone_null},
};

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("rate_quotas")
                    .col(text("account").primary_key())
                    .col(date("day"))
                    .col(integer("used"))
                    .col(integer("refreshed"))
                    .col(timestamp_with_time_zone("next_call_at"))
                    .col(timestamp_with_time_zone_null("blocked_until"))
                    .to_owned(),
            )
            .await
    }
}
