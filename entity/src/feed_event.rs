//! What changed, by number: ids only, never data.

use sea_orm::entity::prelude::*;

/// One row of `feed_events`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feed_events")]
pub struct Model {
    /// Whose feed it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Its number; all changes of one commit share it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// What sort of thing changed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: EventKind,
    /// Which thing changed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject_id: Uuid,
    /// When.
    pub at: DateTimeUtc,
}

/// What sort of thing an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum EventKind {
    /// A sync job; the subject is its id.
    #[sea_orm(string_value = "sync_job")]
    SyncJob,
    /// An item; the subject is its id.
    #[sea_orm(string_value = "item")]
    Item,
    /// Transactions; the subject is the sync job that changed them, or the removed item they went with.
    #[sea_orm(string_value = "transactions")]
    Transactions,
    /// A data export; the subject is its id.
    #[sea_orm(string_value = "data_export")]
    DataExport,
}

impl ActiveModelBehavior for ActiveModel {}
