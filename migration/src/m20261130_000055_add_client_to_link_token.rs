use sea_orm_migration::{prelude::*, schema::text_null};

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column in a statement: SQLite adds no more.
        for name in ["address", "user_agent"] {
            let add = Table::alter()
                .table("link_tokens")
                .add_column(text_null(name))
                .to_owned();
            manager.alter_table(add).await?;
        }
        Ok(())
    }
}
