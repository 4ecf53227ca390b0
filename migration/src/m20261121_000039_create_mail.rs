use sea_orm_migration::{
    prelude::*,
    schema::{
        binary, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
    },
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
                    .table("mails")
                    .col(uuid("id").primary_key())
                    .col(text("kind"))
                    .col(uuid_null("user_id"))
                    .col(uuid_null("registration_id"))
                    .col(text("email"))
                    .col(text("email_key"))
                    .col(binary("salt"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(timestamp_with_time_zone_null("used_at"))
                    .col(timestamp_with_time_zone("created_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("mails", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("mails", "registration_id")
                            .to("registrations", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        index(manager, "mails", &["user_id", "kind", "id"]).await?;
        index(manager, "mails", &["registration_id"]).await?;
        index(manager, "mails", &["expires_at"]).await
    }
}
