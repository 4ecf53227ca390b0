//! The door to a person's rows. Every read on somebody's behalf starts at [`Owned::owned_by`]; the
//! lint list forbids the ways round it.

use entity::{account, activity, item, removed_transaction, sync_job, transaction};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select};
use uuid::Uuid;

/// Who asks: a person with a session that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Viewer {
    /// The person.
    pub user_id: Uuid,
    /// The session.
    pub session_id: Uuid,
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
    item,
    removed_transaction,
    sync_job,
    transaction
);
