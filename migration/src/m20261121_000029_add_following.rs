use sea_orm_migration::{
    prelude::*,
    schema::{boolean, text_null, timestamp_with_time_zone_null},
};

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, mut column) in [
            ("items", text_null("link_message")),
            (
                "items",
                boolean("person_can_help").default(false).to_owned(),
            ),
            ("institutions", text_null("logo_url")),
            ("sync_jobs", timestamp_with_time_zone_null("refreshed_at")),
        ] {
            let table = Table::alter()
                .table(table)
                .add_column(&mut column)
                .to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
