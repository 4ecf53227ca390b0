//! The writer of a person's own log. Whoever does something worth telling the person writes one
//! entry, in the transaction that does it.

use chrono::{DateTime, Utc};
use entity::activity::{self, ActivityKind};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::{error::Result, viewer::ClientInfo};

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
