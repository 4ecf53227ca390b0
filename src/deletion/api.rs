//! What the API offers of deleting an account.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::delete_account::delete_account;
use crate::{
    auth::{Auth, forget_cookie},
    error::Result,
    graphql::{
        ContextExt,
        errors::{UserError, settle},
        id,
    },
};

/// What proves that you are the person.
#[derive(InputObject)]
pub(super) struct DeleteAccountInput {
    /// Your password. Leave it out if you have none: then you must have signed in within ten minutes.
    pub(super) password: Option<String>,
}

/// What came of deleting an account.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct DeleteAccountPayload {
    /// The person who is gone.
    deleted_user_id: Option<ID>,
    /// What kept the account from being deleted; empty on success.
    user_errors: Vec<UserError>,
}

/// Deleting an account.
#[derive(Debug, Default)]
pub struct DeletionMutation;

/// Deleting an account.
#[Object]
impl DeletionMutation {
    /// Deletes your account and everything in it, for good: ask for `exportData` before. You are signed
    /// out on all devices at once, your banks are given up at their providers, and your address is free
    /// for a new account.
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What proves that you are the person.")] input: DeleteAccountInput,
    ) -> Result<DeleteAccountPayload> {
        let (auth, viewer) = (ctx.data_unchecked::<Auth>(), ctx.viewer()?);
        let password = input.password.as_deref();
        let deleted = delete_account(ctx.app(), auth, viewer, password, &ctx.client()).await;
        if deleted.is_ok() {
            forget_cookie(ctx);
        }
        let payload = deleted.map(|row| DeleteAccountPayload {
            deleted_user_id: Some(id::encode(id::USER, row)),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| DeleteAccountPayload {
            user_errors,
            ..Default::default()
        })
    }
}
