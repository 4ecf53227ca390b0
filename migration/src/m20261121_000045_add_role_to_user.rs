use sea_orm_migration::{
    prelude::*,
    schema::{text, timestamp_with_time_zone_null},
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName, Debug)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut column in [
            text("role").default("user").to_owned(),
            timestamp_with_time_zone_null("locked_at"),
        ] {
            let table = Table::alter()
                .table("users")
                .add_column(&mut column)
                .to_owned();
            manager.alter_table(table).await?;
        }
        let connection = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            // Byte by byte, as SQLite compares it: so that an index answers what an address begins with.
            connection
                .execute_unprepared(
                    "ALTER TABLE users ALTER COLUMN email_key TYPE text COLLATE \"C\"",
                )
                .await?;
        }
        for index in [
            "ix_users_admin ON users (email_key) WHERE role = 'admin'",
            "ix_users_locked ON users (email_key) WHERE locked_at IS NOT NULL",
        ] {
            connection
                .execute_unprepared(&format!("CREATE INDEX {index}"))
                .await?;
        }
        Ok(())
    }
}
