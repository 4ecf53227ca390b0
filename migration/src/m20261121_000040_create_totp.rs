use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid},
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
                    .table("totps")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(binary("secret"))
                    .col(big_integer("last_step"))
                    .col(timestamp_with_time_zone("created_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("totps", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        unique_index(manager, "totps", &["user_id"]).await?;
        let mut column = timestamp_with_time_zone_null("totp_enabled_at");
        let table = Table::alter()
            .table("users")
            .add_column(&mut column)
            .to_owned();
        manager.alter_table(table).await
    }
}
