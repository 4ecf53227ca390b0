//! One sync of one item, as people see it.

use sea_orm::entity::prelude::*;

/// One row of `sync_jobs`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_jobs")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose sync it is.
    pub user_id: Uuid,
    /// What is synced.
    pub item_id: Uuid,
    /// Why it was asked for.
    pub trigger: SyncTrigger,
    /// Where it stands.
    pub status: SyncJobStatus,
    /// Pages fetched so far.
    pub pages: i32,
    /// Transactions that were new.
    pub added: i32,
    /// Transactions that changed.
    pub modified: i32,
    /// Transactions that went.
    pub removed: i32,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// How many attempts there may be.
    pub max_attempts: i32,
    /// What went wrong, as one of our codes.
    pub error_code: Option<String>,
    /// What went wrong, in a sentence for people.
    pub error_message: Option<String>,
    /// What the person can do about it.
    pub error_action: Option<String>,
    /// Whether it is tried again by itself.
    pub error_retryable: bool,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
    /// When its first attempt began.
    pub started_at: Option<DateTimeUtc>,
    /// When the provider was asked to ask the bank for it.
    pub refreshed_at: Option<DateTimeUtc>,
    /// When it ended.
    pub finished_at: Option<DateTimeUtc>,
    /// When it is tried again.
    pub next_attempt_at: Option<DateTimeUtc>,
}

/// Why a sync was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum SyncTrigger {
    /// The bank was just linked.
    #[sea_orm(string_value = "link")]
    Link,
    /// The provider said there is news.
    #[sea_orm(string_value = "webhook")]
    Webhook,
    /// The person asked.
    #[sea_orm(string_value = "manual")]
    Manual,
    /// The daily sweep.
    #[sea_orm(string_value = "schedule")]
    Schedule,
    /// The login was repaired.
    #[sea_orm(string_value = "repair")]
    Repair,
}

/// Where a sync job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum SyncJobStatus {
    /// Not started yet.
    #[sea_orm(string_value = "queued")]
    Queued,
    /// In progress.
    #[sea_orm(string_value = "running")]
    Running,
    /// Failed for now; tried again by itself.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// Done.
    #[sea_orm(string_value = "succeeded")]
    Succeeded,
    /// Given up, or only the person can help.
    #[sea_orm(string_value = "failed")]
    Failed,
    /// No longer wanted.
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

impl ActiveModelBehavior for ActiveModel {}
