use sea_orm_migration::{
    prelude::*,
    schema::{date_null, text, text_null, timestamp_with_time_zone, uuid},
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
                    .table("registrations")
                    .col(uuid("id").primary_key())
                    .col(text("email"))
                    .col(text("email_key"))
                    .col(text("password_hash"))
                    .col(text_null("first_name"))
                    .col(text_null("last_name"))
                    .col(date_null("birth_date"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone("created_at"))
                    .to_owned(),
            )
            .await?;
        index(manager, "registrations", &["expires_at"]).await
    }
}
