//! The door to a person's rows. Every read on somebody's behalf starts at [`Owned::owned_by`], or at
//! [`items_and_removed`] for what is told of an item that is gone; `tests/it/isolation` tries every id
//! the schema takes with another person's. Refused: row level security, which SQLite does not have.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{header, request::Parts},
};
use entity::{
    account, activity, challenge, data_export, identity, item, removed_transaction, session,
    sync_job, transaction, user,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select,
    sea_query::LockType,
};
use uuid::Uuid;

use crate::error::Result;

/// How many characters of a client's own words are kept.
const LONGEST_KEPT: usize = 300;

/// Who asks: a person with a session that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Viewer {
    /// The person.
    pub user_id: Uuid,
    /// The session.
    pub session_id: Uuid,
}

/// Where a request comes from, as far as the transport can tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo {
    /// The address the client connected from.
    pub address: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

impl ClientInfo {
    /// Where a request comes from.
    pub fn of(parts: &Parts) -> Self {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let agent = parts.headers.get(header::USER_AGENT);
        let agent = agent.and_then(|agent| agent.to_str().ok());
        Self {
            address: address.map(|address| address.0.ip().to_string()),
            user_agent: agent.map(|agent| agent.chars().take(256).collect()),
        }
    }

    /// Whose the address is, if it is known.
    pub fn network(&self) -> Option<IpAddr> {
        Some(network(self.address.as_deref()?.parse().ok()?))
    }

    /// The same, short enough to be kept with a row: a client may call itself anything.
    #[must_use]
    pub fn abridged(&self) -> Self {
        let abridge = |text: &String| {
            let shown = text.chars().filter(|c| !c.is_control());
            shown.take(LONGEST_KEPT).collect()
        };
        Self {
            address: self.address.as_ref().map(abridge),
            user_agent: self.user_agent.as_ref().map(abridge),
        }
    }
}

/// Whose an address is: who has an IPv6 address has the 64 bits behind it.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let network = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address => address,
    }
}

/// Whether a person is here. Who is stays for this transaction: whoever deletes the account waits for
/// its end, so that nothing of hers is written behind what takes everything away.
pub async fn is_here(db: &impl ConnectionTrait, user_id: Uuid) -> Result<bool> {
    let rows = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::Id.eq(user_id))
        .filter(user::Column::DeletedAt.is_null())
        .lock(LockType::Share);
    Ok(rows.into_tuple::<Uuid>().one(db).await?.is_some())
}

/// A table whose rows belong to people.
pub trait Owned: EntityTrait {
    /// The column that says to whom.
    fn owner() -> Self::Column;

    /// The rows of one person, and no others.
    fn owned_by(viewer: Viewer) -> Select<Self> {
        Self::find().filter(Self::owner().eq(viewer.user_id))
    }
}

macro_rules! owned {
    ($($table:ident),+) => {$(
        impl Owned for $table::Entity {
            fn owner() -> Self::Column {
                $table::Column::UserId
            }
        }
    )+};
}

owned!(
    account,
    activity,
    challenge,
    data_export,
    identity,
    removed_transaction,
    session,
    sync_job,
    transaction
);

impl Owned for item::Entity {
    fn owner() -> Self::Column {
        item::Column::UserId
    }

    /// A removed item is gone for its owner, though its row waits for the provider to let go.
    fn owned_by(viewer: Viewer) -> Select<Self> {
        items_and_removed(viewer).filter(item::Column::RemovedAt.is_null())
    }
}

/// The items of one person, those that are removed too: their removal is the last thing that she hears
/// of them.
pub fn items_and_removed(viewer: Viewer) -> Select<item::Entity> {
    item::Entity::find().filter(item::Column::UserId.eq(viewer.user_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_does_not_decide_how_much_is_kept_of_it() {
        let client = ClientInfo {
            address: Some("192.0.2.1".to_owned()),
            user_agent: Some(format!("a\0\n{}", "é".repeat(10_000))),
        };
        let kept = client.abridged();
        assert_eq!(kept.address, client.address);
        assert_eq!(kept.user_agent.unwrap(), format!("a{}", "é".repeat(299)));
    }
}
