//! A copy of everything the server holds about a person, asked for by her.

use sea_orm::entity::prelude::*;

/// One row of `data_exports`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "data_exports")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose data it is.
    pub user_id: Uuid,
    /// Where it stands.
    pub status: DataExportStatus,
    /// Bytes of the archive.
    pub size: Option<i64>,
    /// What is in the archive, a list.
    pub files: Option<Json>,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
    /// When it was finished or given up.
    pub finished_at: Option<DateTimeUtc>,
    /// When the archive is deleted.
    pub expires_at: Option<DateTimeUtc>,
}

/// Where an export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum DataExportStatus {
    /// Not begun yet, or to be begun again.
    #[sea_orm(string_value = "queued")]
    Queued,
    /// Being written.
    #[sea_orm(string_value = "running")]
    Running,
    /// There to be downloaded.
    #[sea_orm(string_value = "ready")]
    Ready,
    /// Given up.
    #[sea_orm(string_value = "failed")]
    Failed,
    /// Its archive is deleted.
    #[sea_orm(string_value = "expired")]
    Expired,
}

impl ActiveModelBehavior for ActiveModel {}
