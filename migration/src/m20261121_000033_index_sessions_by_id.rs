use sea_orm_migration::prelude::*;

use crate::index;

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        index(manager, "sessions", &["user_id", "id"]).await?;
        let shorter = Index::drop()
            .name("ix_sessions_user_id")
            .table("sessions")
            .to_owned();
        manager.drop_index(shorter).await
    }
}
