//! The lists that are sorted by id, which is the order their rows were made in.

use async_graphql::{ID, InputObject};
use entity::{account, activity, item, sync_job};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::{
    app::App,
    error::Result,
    graphql::{
        account::AccountType,
        activity::ActivityKind,
        id,
        page::{ById, Scope},
        scalar::DateTime,
        sync_job::{SyncJobStatus, SyncTrigger},
    },
    viewer::{Owned, Viewer},
};

/// Which accounts; all conditions must hold. A condition left out holds for every account, an empty
/// list for none.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AccountFilter {
    /// Of one of these items; at most 250. An id that is not one of yours matches nothing.
    pub item_ids: Option<Vec<ID>>,
    /// Of one of these types.
    pub types: Option<Vec<AccountType>>,
    /// Whether to list closed accounts too; not if absent.
    pub include_closed: Option<bool>,
}

/// Which syncs; all conditions must hold. A condition left out holds for every sync, an empty list
/// for none.
#[derive(Clone, Debug, Default, InputObject)]
pub struct SyncJobFilter {
    /// Of one of these items; at most 250. An id that is not one of yours matches nothing.
    pub item_ids: Option<Vec<ID>>,
    /// In one of these states.
    pub statuses: Option<Vec<SyncJobStatus>>,
    /// Asked for in one of these ways.
    pub triggers: Option<Vec<SyncTrigger>>,
}

/// Which entries of the log; all conditions must hold. A condition left out holds for every entry, an
/// empty list for none.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ActivityFilter {
    /// Of one of these kinds.
    pub kinds: Option<Vec<ActivityKind>>,
    /// Of this moment or later.
    pub since: Option<DateTime>,
}

/// The items of a person, oldest first.
pub(super) fn items(app: &App, viewer: Viewer) -> ById<item::Entity> {
    ById {
        scope: Scope::new(app, viewer, "items"),
        rows: item::Entity::owned_by(viewer),
        id: item::Column::Id,
        newest_first: false,
    }
}

/// The accounts of a person, oldest first.
pub(super) fn accounts(
    app: &App,
    viewer: Viewer,
    filter: AccountFilter,
) -> Result<ById<account::Entity>> {
    use account::Column::{ClosedAt, Id, ItemId, Kind};
    let items = id::decode_all("itemIds", id::ITEM, filter.item_ids)?;
    let open = filter.include_closed != Some(true);
    let rows = account::Entity::owned_by(viewer)
        .apply_if(items, |rows, items| rows.filter(ItemId.is_in(items)))
        .apply_if(filter.types, |rows, types| {
            rows.filter(Kind.is_in(types.into_iter().map(account::AccountKind::from)))
        })
        .apply_if(open.then_some(()), |rows, ()| {
            rows.filter(ClosedAt.is_null())
        });
    Ok(ById {
        scope: Scope::new(app, viewer, "accounts"),
        rows,
        id: Id,
        newest_first: false,
    })
}

/// The syncs of a person, newest first.
pub(super) fn sync_jobs(
    app: &App,
    viewer: Viewer,
    filter: SyncJobFilter,
) -> Result<ById<sync_job::Entity>> {
    use sync_job::Column::{Id, ItemId, Status, Trigger};
    let items = id::decode_all("itemIds", id::ITEM, filter.item_ids)?;
    // The syncs of a removed item stay in the list, but its id names nothing any more.
    let living = |items: Vec<Uuid>| {
        let items = item::Entity::owned_by(viewer).filter(item::Column::Id.is_in(items));
        items.select_only().column(item::Column::Id).into_query()
    };
    let rows = sync_job::Entity::owned_by(viewer)
        .apply_if(items, |rows, items| {
            rows.filter(ItemId.in_subquery(living(items)))
        })
        .apply_if(filter.statuses, |rows, statuses| {
            rows.filter(Status.is_in(statuses.into_iter().map(sync_job::SyncJobStatus::from)))
        })
        .apply_if(filter.triggers, |rows, triggers| {
            rows.filter(Trigger.is_in(triggers.into_iter().map(sync_job::SyncTrigger::from)))
        });
    Ok(ById {
        scope: Scope::new(app, viewer, "syncJobs"),
        rows,
        id: Id,
        newest_first: true,
    })
}

/// The log of a person, newest first.
pub(super) fn activity(
    app: &App,
    viewer: Viewer,
    filter: ActivityFilter,
) -> ById<activity::Entity> {
    use activity::Column::{At, Kind};
    let rows = activity::Entity::owned_by(viewer)
        .apply_if(filter.kinds, |rows, kinds| {
            rows.filter(Kind.is_in(kinds.into_iter().map(activity::ActivityKind::from)))
        })
        .apply_if(filter.since, |rows, since| rows.filter(At.gte(since.0)));
    ById {
        scope: Scope::new(app, viewer, "activity"),
        rows,
        id: activity::Column::Id,
        newest_first: true,
    }
}
