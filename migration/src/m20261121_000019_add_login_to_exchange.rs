use sea_orm_migration::{
    prelude::*,
    schema::{blob_null, json_null, text_null},
};

use crate::index;

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut column in [
            json_null("preview"),
            text_null("provider_item_id"),
            blob_null("access_token"),
        ] {
            let table = Table::alter()
                .table("exchanges")
                .add_column(&mut column)
                .to_owned();
            manager.alter_table(table).await?;
        }
        index(manager, "exchanges", &["started_at"]).await?;
        manager
            .get_connection()
            .execute_unprepared(
                "CREATE INDEX ix_exchanges_access_token ON exchanges (started_at) \
                 WHERE access_token IS NOT NULL",
            )
            .await?;
        Ok(())
    }
}
