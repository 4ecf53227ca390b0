//! An entry of the administrators' log.

use std::sync::Arc;

use async_graphql::{Context, Object};
use entity::admin_access;

use super::user::{self, AdminUser};
use crate::{error::Result, graphql::scalar::DateTime};

/// Something an administrator looked at or did. Entries are kept for a year, and none is ever changed but to take out
/// who has deleted her account.
#[derive(Clone, Debug)]
pub struct AdminAccess(pub Arc<admin_access::Model>);

impl From<admin_access::Model> for AdminAccess {
    fn from(row: admin_access::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// Something an administrator looked at or did. Entries are kept for a year, and none is ever changed but to take out
/// who has deleted her account.
#[Object]
impl AdminAccess {
    /// The administrator; absent for the operator at the command line, and for somebody who is gone.
    async fn admin(&self, ctx: &Context<'_>) -> Result<Option<AdminUser>> {
        user::of(ctx, self.0.admin_id).await
    }

    /// The field of `admin`, the mutation, or the command, such as `passbook user lock`.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// Its arguments, as JSON; of more than 2,000 characters only how they begin, as `cut`.
    async fn arguments(&self) -> &str {
        &self.0.arguments
    }

    /// The person it concerned, if it concerned one alone and she is still here.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<AdminUser>> {
        user::of(ctx, self.0.user_id).await
    }

    /// When.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// The network address the client connected from, where a client was involved.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// What the client called itself, where a client was involved.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }
}
