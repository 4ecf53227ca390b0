//! The fields of what is proven by mail: an address, and who somebody is that has forgotten her password.

use async_graphql::{Context, Object, SimpleObject};

use super::{Answer, SessionPayload, auth, session};
use crate::{
    auth::{
        change_email::{ChangeEmailInput, change_email},
        reset_password::{
            RequestPasswordResetInput, ResetPasswordInput, request_password_reset, reset_password,
        },
        verify_email::{Verified, VerifyEmailInput, request_email_verification, verify_email},
    },
    error::Result,
    graphql::{
        ContextExt,
        errors::{UserError, settle},
        user::User,
    },
};

/// What came of asking for a mail that proves an address.
#[derive(Default, SimpleObject)]
pub(super) struct RequestEmailVerificationPayload {
    /// The person; with `emailVerified`, nothing was sent. Absent if something was refused.
    user: Option<User>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What came of asking for another address.
#[derive(Default, SimpleObject)]
pub(super) struct ChangeEmailPayload {
    /// The person, with the address she has until the new one is proven; absent if something was refused.
    user: Option<User>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What came of asking for a new password. It does not tell whether there is such an account.
#[derive(Default, SimpleObject)]
pub(super) struct RequestPasswordResetPayload {
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What is proven by mail.
#[derive(Debug, Default)]
pub(crate) struct MailMutation;

/// What is proven by mail.
#[Object]
impl MailMutation {
    /// Sends you a mail that proves your address: its token goes to `verifyEmail`, within a day. The newest mail counts.
    async fn request_email_verification(
        &self,
        ctx: &Context<'_>,
    ) -> Result<RequestEmailVerificationPayload> {
        let user = request_email_verification(auth(ctx), ctx.viewer()?, &ctx.client()).await;
        let payload = user.map(|user| RequestEmailVerificationPayload {
            user: Some(user.into()),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| RequestEmailVerificationPayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Proves an address with the token from a mail: makes an account of a registration, confirms the address of an
    /// account, or puts a new one in its place. Whoever is signed in needs nothing else and gets only `user`; everybody
    /// else gives the password too and is signed in by it.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token, and the password of somebody who is not signed in.")]
        input: VerifyEmailInput,
    ) -> Result<SessionPayload> {
        let viewer = ctx.viewer().ok();
        let verified = verify_email(auth(ctx), viewer, input, &ctx.client()).await;
        session(ctx, verified)
    }

    /// Asks for another address. A mail goes to the new one, whose token goes to `verifyEmail` within a day; until then
    /// you sign in with the old one, which is told of it. A new password takes it back.
    async fn change_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new address, and your password.")] input: ChangeEmailInput,
    ) -> Result<ChangeEmailPayload> {
        let user = change_email(auth(ctx), ctx.viewer()?, input, &ctx.client()).await;
        let payload = user.map(|user| ChangeEmailPayload {
            user: Some(user.into()),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| ChangeEmailPayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Sends a mail to the account with this address, if there is one: its token goes to `resetPassword`, within an hour.
    /// The answer is the same for every address.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose password is forgotten.")] input: RequestPasswordResetInput,
    ) -> Result<RequestPasswordResetPayload> {
        let asked = request_password_reset(auth(ctx), input, &ctx.client()).await;
        let payload = asked.map(|()| RequestPasswordResetPayload::default());
        settle(payload, |user_errors| RequestPasswordResetPayload {
            user_errors,
        })
    }

    /// Sets a new password with the token from a mail, signs all devices out and this one in. A second factor stays and
    /// is asked for.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token, and the new password.")] input: ResetPasswordInput,
    ) -> Result<SessionPayload> {
        let admission = reset_password(auth(ctx), input, &ctx.client()).await;
        session(ctx, admission)
    }
}

impl From<Verified> for Answer {
    fn from(verified: Verified) -> Self {
        match verified {
            Verified::Admitted(admission) => admission.into(),
            Verified::Here(user) => Self::Same(user),
        }
    }
}
