use sea_orm_migration::{prelude::*, schema::text_null};

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["network", "first_network"] {
            let added = Table::alter()
                .table("sessions")
                .add_column(text_null(column))
                .to_owned();
            manager.alter_table(added).await?;
        }
        // An IPv4 address is its own network; those of IPv6 come with the next refresh.
        let known = "UPDATE sessions SET network = address, first_network = address \
                     WHERE address NOT LIKE '%:%'";
        manager.get_connection().execute_unprepared(known).await?;
        Ok(())
    }
}
