//! The door to what only administrators get, and the book that lies beside it.

use async_graphql::{Context, Value, indexmap::IndexMap};
use chrono::{DateTime, Utc};
use entity::{
    activity::ActivityKind,
    user::{self, Role},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};
use uuid::Uuid;

use crate::{
    activity::{self, Entry},
    audit::{self, Access},
    database::Txn,
    error::{Error, Result},
    graphql::{ContextExt, id},
    viewer::{ClientInfo, Viewer},
};

/// Lets an administrator in.
///
/// # Errors
/// `UNAUTHENTICATED` for strangers, `FORBIDDEN` for everybody else.
pub(super) async fn admit(ctx: &Context<'_>) -> Result<Viewer> {
    let viewer = ctx.viewer()?;
    let role: Option<Role> = user::Entity::find()
        .select_only()
        .column(user::Column::Role)
        .filter(user::Column::Id.eq(viewer.user_id))
        .filter(user::Column::LockedAt.is_null())
        .into_tuple()
        .one(ctx.app().db.read())
        .await?;
    match role {
        Some(Role::Admin) => Ok(viewer),
        _ => Err(Error::Forbidden),
    }
}

/// Writes down that an administrator looks at a field, before it is read; and in the log of the person it
/// is about, if it is about one alone. Returns her, if she is here.
pub(super) async fn look(ctx: &Context<'_>, user_id: Option<&str>) -> Result<Option<user::Model>> {
    let viewer = ctx.viewer()?;
    let now = ctx.app().clock.now();
    let txn = ctx.app().db.begin().await?;
    let named = named(&txn, user_id).await?;
    let whose = named.as_ref().map(|user| user.id);
    audit::record(&*txn, now, access(ctx, viewer, whose)?).await?;
    // Of somebody who leaves the entry says whose it was, so that it is found and taken out of it in the end.
    let here = named.filter(|user| user.deleted_at.is_none());
    if let Some(user) = here.as_ref().filter(|user| user.id != viewer.user_id) {
        let (kind, what) = (ActivityKind::AccountViewed, ctx.field().name());
        tell(&txn, now, user.id, kind, what).await?;
    }
    txn.commit().await?;
    Ok(here)
}

/// Something an administrator is about to do.
pub(super) struct Act {
    /// What it is done in.
    pub(super) txn: Txn,
    /// When.
    pub(super) now: DateTime<Utc>,
    access: Access,
}

impl Act {
    /// Lets an administrator begin.
    ///
    /// # Errors
    /// As [`admit`].
    pub(super) async fn begin(ctx: &Context<'_>) -> Result<Self> {
        let viewer = admit(ctx).await?;
        Ok(Self {
            now: ctx.app().clock.now(),
            access: access(ctx, viewer, None)?,
            txn: ctx.app().db.begin().await?,
        })
    }

    /// Writes it down and commits; `whose` it was, if one person's, whose log tells it by itself.
    pub(super) async fn commit(mut self, whose: Option<Uuid>) -> Result<()> {
        self.access.user_id = whose;
        audit::record(&*self.txn, self.now, self.access).await?;
        self.txn.commit().await
    }

    /// The same for what the person's log does not tell by itself.
    pub(super) async fn commit_and_tell(self, whose: Option<Uuid>) -> Result<()> {
        if let Some(user_id) = whose {
            let (kind, what) = (ActivityKind::AdminActed, &self.access.action);
            tell(&self.txn, self.now, user_id, kind, what).await?;
        }
        self.commit(whose).await
    }
}

/// The person an id names, as long as anything is left of her. Her row stays until the transaction ends.
async fn named(txn: &Txn, user_id: Option<&str>) -> Result<Option<user::Model>> {
    let Some(row_id) = user_id.and_then(|user_id| id::decode(id::USER, user_id)) else {
        return Ok(None);
    };
    let rows = user::Entity::find()
        .filter(user::Column::Id.eq(row_id))
        .lock(LockType::Share);
    Ok(rows.one(&**txn).await?)
}

/// Tells a person. Where the administrator was is none of her business.
async fn tell(
    txn: &Txn,
    now: DateTime<Utc>,
    user_id: Uuid,
    kind: ActivityKind,
    what: &str,
) -> Result<()> {
    let entry = Entry {
        detail: Some(what.to_owned()),
        ..Entry::of(user_id, kind, &ClientInfo::default())
    };
    activity::record(&**txn, now, entry).await
}

fn access(ctx: &Context<'_>, viewer: Viewer, user_id: Option<Uuid>) -> Result<Access> {
    let arguments = ctx
        .field()
        .arguments()
        .map_err(|error| Error::internal(error.message))?;
    let arguments: IndexMap<_, _> = arguments.into_iter().collect();
    Ok(Access {
        admin_id: Some(viewer.user_id),
        action: ctx.field().name().to_owned(),
        arguments: Value::Object(arguments)
            .into_json()
            .map_err(Error::internal)?
            .to_string(),
        user_id,
        client: ctx.client(),
    })
}
