use sea_orm_migration::prelude::*;

use crate::index;

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        index(manager, "activities", &["at"]).await?;
        index(manager, "activities", &["user_id", "kind", "id"]).await
    }
}
