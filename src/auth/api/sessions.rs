//! The fields of sessions.

#![expect(
    clippy::too_many_arguments,
    reason = "a connection has four arguments by itself"
)]

use async_graphql::{Context, ID, Object, SimpleObject};

use super::auth;
use crate::{
    auth::sessions::{EndSessionInput, end_session, sessions},
    error::Result,
    graphql::{
        ContextExt,
        errors::{UserError, settle},
        id,
        page::{Connection, RawPage, cost},
        session::Session,
    },
};

/// What came of ending a session.
#[derive(Default, SimpleObject)]
pub(super) struct EndSessionPayload {
    /// The session that is over.
    ended_session_id: Option<ID>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// Where a person is signed in.
#[derive(Debug, Default)]
pub(crate) struct SessionsQuery;

/// Where a person is signed in.
#[Object]
impl SessionsQuery {
    /// Where you are signed in, newest first; sessions that are over are left out.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<Session>> {
        let rows = sessions(ctx.app(), ctx.viewer()?);
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        rows.page(ctx.app().db.read(), page, ctx.wants_total())
            .await
    }
}

/// Ending sessions.
#[derive(Debug, Default)]
pub(crate) struct SessionsMutation;

/// Ending sessions.
#[Object]
impl SessionsMutation {
    /// Signs one of your devices out: its tokens are refused and its subscriptions closed, everywhere
    /// within a second.
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session to end.")] input: EndSessionInput,
    ) -> Result<EndSessionPayload> {
        let viewer = ctx.viewer()?;
        let ended = end_session(auth(ctx), viewer, &input.session_id, &ctx.client()).await;
        let payload = ended.map(|row| EndSessionPayload {
            ended_session_id: Some(id::encode(id::SESSION, row)),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| EndSessionPayload {
            user_errors,
            ..Default::default()
        })
    }
}
