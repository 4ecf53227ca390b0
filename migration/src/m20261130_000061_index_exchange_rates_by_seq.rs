use sea_orm_migration::prelude::*;

use crate::index;

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Who follows a pair reads what came after the number it was told last.
        index(manager, "exchange_rates", &["base", "quote", "seq"]).await
    }
}
