use sea_orm_migration::{
    prelude::*,
    schema::{blob, text},
};

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("key_checks")
                    .col(text("key_id").primary_key())
                    .col(blob("sealed"))
                    .to_owned(),
            )
            .await
    }
}
