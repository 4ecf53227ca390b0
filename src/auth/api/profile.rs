//! The fields of a person's profile and password.

use async_graphql::{Context, Object, SimpleObject};

use super::auth;
use crate::{
    auth::{
        change_password::{ChangePasswordInput, change_password},
        profile::{UpdateProfileInput, update_profile},
    },
    error::Result,
    graphql::{
        ContextExt,
        errors::{UserError, settle},
        user::User,
    },
};

/// What came of changing a profile.
#[derive(Default, SimpleObject)]
pub(super) struct UpdateProfilePayload {
    /// The person as she is now; absent if something was refused.
    user: Option<User>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What came of changing the password.
#[derive(Default, SimpleObject)]
pub(super) struct ChangePasswordPayload {
    /// The person whose password is changed; absent if something was refused.
    user: Option<User>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// Changing what is known of a person.
#[derive(Debug, Default)]
pub(crate) struct ProfileMutation;

/// Changing what is known of a person.
#[Object]
impl ProfileMutation {
    /// Changes your name or birthday: what is left out stays, and null takes it away.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateProfileInput,
    ) -> Result<UpdateProfilePayload> {
        let user = update_profile(auth(ctx), ctx.viewer()?, input, &ctx.client()).await;
        let payload = user.map(|user| UpdateProfilePayload {
            user: Some(user.into()),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| UpdateProfilePayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Changes your password, and signs all your other devices out.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The old password and the new one.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload> {
        let user = change_password(auth(ctx), ctx.viewer()?, input, &ctx.client()).await;
        let payload = user.map(|user| ChangePasswordPayload {
            user: Some(user.into()),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| ChangePasswordPayload {
            user_errors,
            ..Default::default()
        })
    }
}
