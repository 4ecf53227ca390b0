use sea_orm_migration::{
    prelude::*,
    schema::{boolean, text, text_null, timestamp_with_time_zone, uuid},
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
                    .table("institutions")
                    .col(uuid("id").primary_key())
                    .col(text("provider"))
                    .col(text("provider_institution_id"))
                    .col(text("name"))
                    .col(text_null("url"))
                    .col(text_null("primary_color"))
                    .col(text_null("logo"))
                    .col(boolean("oauth"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .to_owned(),
            )
            .await?;
        unique_index(
            manager,
            "institutions",
            &["provider", "provider_institution_id"],
        )
        .await?;
        Ok(())
    }
}
