//! Work to be done in the background. The engine knows only these columns.

use sea_orm::entity::prelude::*;

/// One row of `jobs`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Which job it is, `slice.verb`.
    pub kind: String,
    /// What it works on; at most one job of a kind and key waits, and at most one runs.
    pub key: String,
    /// Whose data it works on, if one person's.
    pub user_id: Option<Uuid>,
    /// What it shares slots with; empty if it shares them with nothing.
    pub concurrency_key: String,
    /// Ids only, never data.
    pub payload: Json,
    /// Where it stands.
    pub state: JobState,
    /// How often it was started.
    pub attempt: i32,
    /// How often its worker died under it.
    pub crashes: i32,
    /// How often it may be started.
    pub max_attempts: i32,
    /// Not before this, milliseconds since 1970 by the database's clock.
    pub run_at: i64,
    /// Not before this even for the impatient: a provider asked us to wait. While it is queued, when
    /// somebody who is in a hurry last asked for it. Milliseconds since 1970.
    pub hold_until: i64,
    /// Who runs it.
    pub worker: Option<i64>,
    /// Grows with every start; only the latest start may commit.
    pub fence: i64,
    /// The worker is taken for dead after this, milliseconds since 1970.
    pub lease_until: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was asked for, milliseconds since 1970.
    pub created_at: i64,
    /// When it ended, milliseconds since 1970.
    pub finished_at: Option<i64>,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum JobState {
    /// Not started yet.
    #[sea_orm(string_value = "queued")]
    Queued,
    /// A worker holds it.
    #[sea_orm(string_value = "running")]
    Running,
    /// Failed for now; tried again later.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// Done.
    #[sea_orm(string_value = "succeeded")]
    Succeeded,
    /// Given up.
    #[sea_orm(string_value = "dead")]
    Dead,
    /// Called off before it began, or between two attempts.
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

impl ActiveModelBehavior for ActiveModel {}
