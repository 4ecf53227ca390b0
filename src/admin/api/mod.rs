//! What administrators may ask for, all under one field, so that the rest of the schema stays a person's.

#![expect(
    clippy::too_many_arguments,
    reason = "a connection has four arguments by itself"
)]

use async_graphql::{Context, ID, MergedObject, Object};

use super::{
    access::{admit, look},
    lists::{
        self, AdminAccessFilter, AdminActivityFilter, AdminItemFilter, AdminUserFilter, JobFilter,
        WebhookDeliveryFilter,
    },
    overview::{self, Overview},
};
use crate::{
    error::Result,
    graphql::{
        ContextExt,
        admin::{AdminAccess, AdminActivity, AdminItem, AdminUser, Job, WebhookDelivery},
        page::{Connection, RawPage, cost},
    },
    viewer::Viewer,
};

mod people;
mod work;

use people::PeopleMutation;
use work::WorkMutation;

/// What administrators can do.
#[derive(Debug, Default, MergedObject)]
pub struct AdminMutation(PeopleMutation, WorkMutation);

/// What administrators can ask for.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdminQuery;

/// What administrators can ask for.
#[Object]
impl AdminQuery {
    /// What only administrators see. For everybody else it is null, with the error `FORBIDDEN`, whatever is
    /// asked for below it.
    async fn admin(&self, ctx: &Context<'_>) -> Result<Option<Admin>> {
        let viewer = admit(ctx).await?;
        Ok(Some(Admin { viewer }))
    }
}

/// What only administrators see. Each field that is asked for is written down in `auditLog`, and in the
/// person's own `activity` where it is about one person alone. No list here has a `totalCount`: counting would
/// read it whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admin {
    viewer: Viewer,
}

/// What only administrators see. Each field that is asked for is written down in `auditLog`, and in the
/// person's own `activity` where it is about one person alone. No list here has a `totalCount`: counting would
/// read it whole.
#[Object]
impl Admin {
    /// The server at a glance.
    async fn overview(&self, ctx: &Context<'_>) -> Result<Overview> {
        look(ctx, None).await?;
        overview::overview(ctx.app()).await
    }

    /// People, by their addresses.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them; all if absent.")] filter: Option<AdminUserFilter>,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<AdminUser>> {
        look(ctx, None).await?;
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        lists::users(ctx.app(), self.viewer, filter.unwrap_or_default(), page).await
    }

    /// A person; absent if nobody has this id.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The person's id.")] id: ID,
    ) -> Result<Option<AdminUser>> {
        Ok(look(ctx, Some(id.as_str())).await?.map(AdminUser::from))
    }

    /// Logins at banks, newest first; removed ones are left out.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them; all if absent.")] filter: Option<AdminItemFilter>,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<AdminItem>> {
        let filter = filter.unwrap_or_default();
        look(ctx, filter.user_id.as_deref().map(String::as_str)).await?;
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        let rows = lists::items(ctx.app(), self.viewer, filter);
        rows.page(ctx.app().db.read(), page, false).await
    }

    /// Work in the background, newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of it; all if absent.")] filter: Option<JobFilter>,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<Job>> {
        look(ctx, None).await?;
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        let rows = lists::jobs(ctx.app(), self.viewer, &filter.unwrap_or_default())?;
        rows.page(ctx.app().db.read(), page, false).await
    }

    /// Webhooks that providers have sent in the last month, newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn webhook_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them; all if absent.")] filter: Option<WebhookDeliveryFilter>,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<WebhookDelivery>> {
        look(ctx, None).await?;
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        let rows = lists::deliveries(ctx.app(), self.viewer, &filter.unwrap_or_default());
        rows.page(ctx.app().db.read(), page, false).await
    }

    /// What happened to people's accounts, newest first: their own logs together, without the names of banks.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of it; all if absent.")] filter: Option<AdminActivityFilter>,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<AdminActivity>> {
        let filter = filter.unwrap_or_default();
        look(ctx, filter.user_id.as_deref().map(String::as_str)).await?;
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        let rows = lists::activity(ctx.app(), self.viewer, filter);
        rows.page(ctx.app().db.read(), page, false).await
    }

    /// What administrators, and the operator at the command line, looked at and did in the last year,
    /// newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of it; all if absent.")] filter: Option<AdminAccessFilter>,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<AdminAccess>> {
        let filter = filter.unwrap_or_default();
        look(ctx, filter.user_id.as_deref().map(String::as_str)).await?;
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        let rows = lists::audit_log(ctx.app(), self.viewer, filter);
        rows.page(ctx.app().db.read(), page, false).await
    }
}
