use sea_orm_migration::{prelude::*, schema::text_null};

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = text_null("blocked_by");
        let table = Table::alter()
            .table("rate_quotas")
            .add_column(&mut column)
            .to_owned();
        manager.alter_table(table).await
    }
}
