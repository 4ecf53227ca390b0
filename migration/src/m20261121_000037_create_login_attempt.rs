use sea_orm_migration::{
    prelude::*,
    schema::{blob_null, text, text_null, timestamp_with_time_zone, uuid, uuid_null},
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
                    .table("login_attempts")
                    .col(uuid("id").primary_key())
                    .col(text("provider"))
                    .col(text("redirect_uri"))
                    .col(text("code_challenge"))
                    .col(uuid_null("user_id"))
                    .col(text_null("ticket_hash"))
                    .col(text_null("state_hash"))
                    .col(text_null("browser_hash"))
                    .col(text_null("code_hash"))
                    .col(blob_null("sealed"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("login_attempts", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        for hash in ["ticket_hash", "state_hash", "code_hash"] {
            unique_index(manager, "login_attempts", &[hash]).await?;
        }
        index(manager, "login_attempts", &["user_id"]).await?;
        index(manager, "login_attempts", &["expires_at"]).await
    }
}
