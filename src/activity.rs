//! The writer of a person's own log. Whoever does something worth telling the person writes one
//! entry, in the transaction that does it.

use chrono::{DateTime, TimeDelta, Utc};
use entity::activity::{self, ActivityKind};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Query,
};
use uuid::Uuid;

use crate::{error::Result, viewer::ClientInfo};

/// How long entries are kept: long enough to look back on a year.
const KEPT: TimeDelta = TimeDelta::days(365);

/// Within this time the same from the same place is one thing.
const REPEATED: TimeDelta = TimeDelta::minutes(1);

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Whose log it goes into.
    pub user_id: Uuid,
    /// What happened.
    pub kind: ActivityKind,
    /// The bank it was about.
    pub item_id: Option<Uuid>,
    /// A word more, such as the bank's name. Never a secret.
    pub detail: Option<String>,
    /// Where the request came from; nothing for what the server did by itself.
    pub client: ClientInfo,
}

impl Entry {
    /// Something the person did that was about no bank.
    pub fn of(user_id: Uuid, kind: ActivityKind, client: &ClientInfo) -> Self {
        Self {
            user_id,
            kind,
            item_id: None,
            detail: None,
            client: client.clone(),
        }
    }
}

/// Writes an entry.
pub async fn record(db: &impl ConnectionTrait, at: DateTime<Utc>, entry: Entry) -> Result<()> {
    let client = entry.client.abridged();
    let row = activity::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(entry.user_id),
        kind: Set(entry.kind),
        item_id: Set(entry.item_id),
        detail: Set(entry.detail),
        user_agent: Set(client.user_agent),
        address: Set(client.address),
        at: Set(at),
    };
    activity::Entity::insert(row)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Writes an entry, unless the same is there from the same place within the last minute: what costs nothing
/// to repeat fills nobody's log.
pub async fn record_once(db: &impl ConnectionTrait, at: DateTime<Utc>, entry: Entry) -> Result<()> {
    use activity::Column as Row;
    let client = entry.client.abridged();
    let is = |column: Row, value: Option<String>| match value {
        Some(value) => column.eq(value),
        None => column.is_null(),
    };
    let same = activity::Entity::find()
        .filter(Row::UserId.eq(entry.user_id))
        .filter(Row::Kind.eq(entry.kind))
        .filter(Row::At.gt(at - REPEATED))
        .filter(is(Row::Detail, entry.detail.clone()))
        .filter(is(Row::UserAgent, client.user_agent))
        .filter(is(Row::Address, client.address));
    if same.one(db).await?.is_some() {
        return Ok(());
    }
    record(db, at, entry).await
}

/// Forgets some of the entries that are older than a year; how many.
pub async fn prune(db: &impl ConnectionTrait, now: DateTime<Utc>, some: u64) -> Result<u64> {
    let old = Query::select()
        .column(activity::Column::Id)
        .from(activity::Entity)
        .and_where(activity::Column::At.lt(now - KEPT))
        .limit(some)
        .to_owned();
    let gone = activity::Entity::delete_many()
        .filter(activity::Column::Id.in_subquery(old))
        .exec(db)
        .await?;
    Ok(gone.rows_affected)
}
