//! Jobs as those see them who look after the server, newest first. Each state that is rare among the rows
//! has an index of its own, whose condition stands here word for word.

use entity::job::{self, JobState};
use sea_orm::{
    ActiveEnum, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, Select,
    Statement, sea_query::Expr,
};

use super::UNDER_WAY;
use crate::{database::Database, error::Result};

const DEAD: &str = "state = 'dead'";
const CANCELLED: &str = "state = 'cancelled'";

/// The jobs in a state, or of a kind.
pub fn list(state: Option<JobState>, kind: Option<&str>) -> Select<job::Entity> {
    let mut rows = job::Entity::find();
    if let Some(state) = state {
        rows = match state {
            JobState::Dead => rows.filter(Expr::cust(DEAD)),
            JobState::Cancelled => rows.filter(Expr::cust(CANCELLED)),
            // Cast, or SQLite takes the index on what is queued, which has another order.
            JobState::Queued | JobState::Running | JobState::Waiting => rows
                .filter(Expr::cust(format!("state IN {UNDER_WAY}")))
                .filter(
                    Expr::col(job::Column::State)
                        .cast_as("text")
                        .eq(state.to_value()),
                ),
            // Nearly all of them.
            JobState::Succeeded => rows.filter(job::Column::State.eq(state)),
        };
    }
    match kind {
        Some(kind) => rows.filter(job::Column::Kind.eq(kind)),
        None => rows,
    }
}

/// How many jobs were given up. It reads those, and no others.
pub async fn dead(db: &Database) -> Result<i64> {
    let sql = format!("SELECT COUNT(*) FROM jobs WHERE {DEAD}");
    let statement = Statement::from_string(db.backend(), sql);
    let row = db.read().query_one_raw(statement).await?;
    Ok(row
        .map(|row| row.try_get_by_index(0))
        .transpose()?
        .unwrap_or_default())
}
