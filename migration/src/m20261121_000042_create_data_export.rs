use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer_null, blob, integer, json_null, text, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid,
    },
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
                    .table("data_exports")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(text("status"))
                    .col(big_integer_null("size"))
                    .col(json_null("files"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone_null("finished_at"))
                    .col(timestamp_with_time_zone_null("expires_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("data_exports", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("data_export_chunks")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(uuid("data_export_id"))
                    .col(integer("number"))
                    .col(blob("body"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("data_export_chunks", "data_export_id")
                            .to("data_exports", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        index(manager, "data_exports", &["user_id", "id"]).await?;
        index(manager, "data_exports", &["created_at"]).await?;
        unique_index(manager, "data_export_chunks", &["data_export_id", "number"]).await?;
        index(manager, "data_export_chunks", &["user_id"]).await?;
        for index in [
            "UNIQUE INDEX ix_data_exports_under_way ON data_exports (user_id) \
             WHERE status IN ('queued', 'running')",
            "INDEX ix_data_exports_ready ON data_exports (expires_at) WHERE status = 'ready'",
        ] {
            manager
                .get_connection()
                .execute_unprepared(&format!("CREATE {index}"))
                .await?;
        }
        Ok(())
    }
}
