//! The server at a glance, in numbers that cost what there is to be done and not what there is.

use async_graphql::SimpleObject;
use entity::{
    item::{self, LinkStatus as Health},
    job::JobState,
};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

use crate::{
    app::App,
    error::Result,
    graphql::{admin::job::JobStatus, item::LinkStatus},
    jobs::{self, Backlog},
};

/// The server at a glance.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct Overview {
    /// Jobs that have not ended, by kind and state.
    backlog: Vec<JobCount>,
    /// For how many seconds the oldest job that is due has been waiting to begin; 0 if none is.
    overdue_seconds: i64,
    /// How many jobs were given up in the last month: `jobs(filter: {status: DEAD})` lists them.
    dead_jobs: i64,
    /// Logins at banks that do not work as they should, by their health. Those that do are not counted.
    troubled_items: Vec<ItemCount>,
}

/// How many jobs of a kind are in a state.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct JobCount {
    /// The kind, such as `sync.item`.
    kind: String,
    /// The state.
    status: JobStatus,
    /// How many.
    count: i64,
}

/// How many logins at banks are of some health.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct ItemCount {
    /// The health.
    link_status: LinkStatus,
    /// How many.
    count: i64,
}

/// Everything but success.
const TROUBLED: [Health; 6] = [
    Health::Processing,
    Health::InvalidCredentials,
    Health::Challenged,
    Health::LoginRequired,
    Health::Disconnected,
    Health::Error,
];

/// Reads the overview.
pub(super) async fn overview(app: &App) -> Result<Overview> {
    let backlog = jobs::backlog(app).await?;
    let waiting = backlog.iter().filter(|one| one.state != "running");
    let overdue_ms = waiting.map(|one| one.overdue_ms).max().unwrap_or_default();
    Ok(Overview {
        overdue_seconds: overdue_ms.max(0) / 1_000,
        backlog: backlog.into_iter().filter_map(count).collect(),
        dead_jobs: jobs::dead(&app.db).await?,
        troubled_items: troubled(app).await?,
    })
}

fn count(one: Backlog) -> Option<JobCount> {
    let state = JobState::try_from_value(&one.state).ok()?;
    Some(JobCount {
        kind: one.kind,
        status: state.into(),
        count: one.jobs,
    })
}

async fn troubled(app: &App) -> Result<Vec<ItemCount>> {
    let counts: Vec<(Health, i64)> = item::Entity::find()
        .select_only()
        .column(item::Column::LinkStatus)
        .expr(Expr::cust("COUNT(*)"))
        .filter(item::Column::LinkStatus.is_in(TROUBLED))
        .filter(item::Column::RemovedAt.is_null())
        .group_by(item::Column::LinkStatus)
        .into_tuple()
        .all(app.db.read())
        .await?;
    let counts = counts.into_iter().map(|(health, count)| ItemCount {
        link_status: health.into(),
        count,
    });
    Ok(counts.collect())
}
