//! The door to a person's rows. Every read on somebody's behalf starts at [`Owned::owned_by`]; the
//! lint list forbids the ways round it.

use entity::{account, activity, item, sync_job, transaction};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};
use uuid::Uuid;

/// Who asks: a person with a session that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The person.
    pub user_id: Uuid,
    /// The session.
    pub session_id: Uuid,
}

/// Where a request came from, for the log of sign-ins and for throttling.
#[derive(Clone, Debug, Default)]
pub struct ClientInfo {
    /// The address at the other end of the connection. What a proxy claims in a header is not
    /// believed.
    pub address: Option<String>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
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

owned!(account, activity, item, sync_job, transaction);
