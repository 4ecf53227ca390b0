use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text},
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
                    .table("throttles")
                    .col(text("key").primary_key())
                    .col(big_integer("free_at"))
                    .to_owned(),
            )
            .await?;
        index(manager, "throttles", &["free_at"]).await
    }
}
