//! What administrators do about accounts.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use uuid::Uuid;

use crate::{
    admin::access::Act,
    auth::{self, Auth},
    error::{ErrorCode, Refusal, Result},
    graphql::{
        admin::AdminUser,
        errors::{UserError, settle},
        id,
    },
};

/// Whom to make an administrator.
#[derive(Debug, InputObject)]
pub(super) struct PromoteUserInput {
    /// The person.
    user_id: ID,
}

/// Who is to be an administrator no more.
#[derive(Debug, InputObject)]
pub(super) struct DemoteUserInput {
    /// The person.
    user_id: ID,
}

/// Whose account to lock.
#[derive(Debug, InputObject)]
pub(super) struct LockUserInput {
    /// The person.
    user_id: ID,
}

/// Whose account to unlock.
#[derive(Debug, InputObject)]
pub(super) struct UnlockUserInput {
    /// The person.
    user_id: ID,
}

/// Whose sessions to end.
#[derive(Debug, InputObject)]
pub(super) struct EndUserSessionsInput {
    /// The person.
    user_id: ID,
}

/// What came of changing somebody's account.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct AdminUserPayload {
    /// The person as she is now; absent if something was refused.
    user: Option<AdminUser>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What came of ending somebody's sessions.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct EndUserSessionsPayload {
    /// How many sessions this ended; absent if something was refused.
    ended_sessions: Option<i32>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What administrators do about accounts.
#[derive(Debug, Default)]
pub(crate) struct PeopleMutation;

/// What administrators do about accounts.
#[Object]
impl PeopleMutation {
    /// Makes somebody an administrator. For administrators.
    async fn promote_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: PromoteUserInput,
    ) -> Result<AdminUserPayload> {
        changed(promote_user(ctx, &input.user_id).await)
    }

    /// Takes from somebody what administrators may do; it holds for her next request. Not from the last one
    /// who can sign in. For administrators.
    async fn demote_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From whom.")] input: DemoteUserInput,
    ) -> Result<AdminUserPayload> {
        changed(demote_user(ctx, &input.user_id).await)
    }

    /// Locks somebody's account: she is signed out everywhere within a second and cannot sign in. Her banks go
    /// on being synced. Not that of the last administrator who can sign in. For administrators.
    async fn lock_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: LockUserInput,
    ) -> Result<AdminUserPayload> {
        changed(lock_user(ctx, &input.user_id).await)
    }

    /// Lets somebody sign in again. For administrators.
    async fn unlock_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: UnlockUserInput,
    ) -> Result<AdminUserPayload> {
        changed(unlock_user(ctx, &input.user_id).await)
    }

    /// Signs somebody out everywhere within a second. She can sign in again. For administrators.
    async fn end_user_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: EndUserSessionsInput,
    ) -> Result<EndUserSessionsPayload> {
        let ended = end_user_sessions(ctx, &input.user_id).await;
        let payload = ended.map(|ended| EndUserSessionsPayload {
            ended_sessions: Some(i32::try_from(ended).unwrap_or(i32::MAX)),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| EndUserSessionsPayload {
            user_errors,
            ..Default::default()
        })
    }
}

async fn promote_user(ctx: &Context<'_>, user_id: &str) -> Result<AdminUser> {
    let act = Act::begin(ctx).await?;
    let row_id = decode(user_id)?;
    let user = auth::promote_user(&act.txn, act.now, row_id).await?;
    act.commit(Some(row_id)).await?;
    Ok(user.into())
}

async fn demote_user(ctx: &Context<'_>, user_id: &str) -> Result<AdminUser> {
    let act = Act::begin(ctx).await?;
    let row_id = decode(user_id)?;
    let user = auth::demote_user(&act.txn, act.now, row_id).await?;
    act.commit(Some(row_id)).await?;
    Ok(user.into())
}

async fn lock_user(ctx: &Context<'_>, user_id: &str) -> Result<AdminUser> {
    let mut act = Act::begin(ctx).await?;
    let row_id = decode(user_id)?;
    let (user, ended) = auth::lock_user(&mut act.txn, act.now, row_id).await?;
    act.commit(Some(row_id)).await?;
    ctx.data_unchecked::<Auth>().over(ended);
    Ok(user.into())
}

async fn unlock_user(ctx: &Context<'_>, user_id: &str) -> Result<AdminUser> {
    let act = Act::begin(ctx).await?;
    let row_id = decode(user_id)?;
    let user = auth::unlock_user(&act.txn, act.now, row_id).await?;
    act.commit(Some(row_id)).await?;
    Ok(user.into())
}

async fn end_user_sessions(ctx: &Context<'_>, user_id: &str) -> Result<usize> {
    let mut act = Act::begin(ctx).await?;
    let row_id = decode(user_id)?;
    let ended = auth::end_user_sessions(&mut act.txn, act.now, row_id).await?;
    act.commit(Some(row_id)).await?;
    let count = ended.len();
    ctx.data_unchecked::<Auth>().over(ended);
    Ok(count)
}

fn changed(result: Result<AdminUser>) -> Result<AdminUserPayload> {
    let payload = result.map(|user| AdminUserPayload {
        user: Some(user),
        user_errors: Vec::new(),
    });
    settle(payload, |user_errors| AdminUserPayload {
        user_errors,
        ..Default::default()
    })
}

/// The row of a person; what is no person's id answers as an unknown one does.
fn decode(user_id: &str) -> Result<Uuid> {
    id::decode(id::USER, user_id).ok_or_else(|| {
        let refusal = Refusal::new(ErrorCode::NotFound, auth::NOBODY);
        refusal.on("userId").into()
    })
}
