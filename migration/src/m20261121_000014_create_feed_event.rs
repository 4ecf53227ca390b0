use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text, timestamp_with_time_zone, uuid},
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
                    .table("feed_events")
                    .col(uuid("user_id"))
                    .col(big_integer("seq"))
                    .col(text("kind"))
                    .col(uuid("subject_id"))
                    .col(timestamp_with_time_zone("at"))
                    .primary_key(
                        Index::create()
                            .col("user_id")
                            .col("seq")
                            .col("kind")
                            .col("subject_id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("feed_events", "user_id")
                            .to("feeds", "user_id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        index(manager, "feed_events", &["at"]).await?;
        Ok(())
    }
}
