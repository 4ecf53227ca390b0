//! The fields of signing in with an account elsewhere.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{SessionPayload, auth, session};
use crate::{
    auth::social::{
        CompleteSocialLoginInput, LinkIdentityInput, StartSocialLoginInput, UnlinkIdentityInput,
        complete_social_login, link_identity, start_social_login, unlink_identity,
    },
    error::Result,
    graphql::{
        ContextExt,
        errors::{UserError, settle},
        id,
        identity::{Identity, IdentityProvider},
        scalar::DateTime,
    },
};

/// What came of beginning a social login.
#[derive(Default, SimpleObject)]
pub(super) struct StartSocialLoginPayload {
    /// Where to send the browser, once, as a page of its own and not in a frame; absent if something was
    /// refused.
    authorization_url: Option<String>,
    /// Until when the person has to be back.
    expires_at: Option<DateTime>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What came of linking an identity.
#[derive(Default, SimpleObject)]
pub(super) struct LinkIdentityPayload {
    /// The identity, which lets its owner in from now on; absent if something was refused.
    identity: Option<Identity>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What came of unlinking an identity.
#[derive(Default, SimpleObject)]
pub(super) struct UnlinkIdentityPayload {
    /// The identity that lets nobody in any more.
    unlinked_identity_id: Option<ID>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// With whom people can sign in.
#[derive(Debug, Default)]
pub(crate) struct SocialQuery;

/// With whom people can sign in.
#[Object]
impl SocialQuery {
    /// The providers people may sign in with, for a sign-in page: anybody may ask.
    async fn identity_providers(&self, ctx: &Context<'_>) -> Vec<IdentityProvider> {
        let issuers = ctx.app().issuers.iter();
        let offered = issuers.map(|issuer| IdentityProvider {
            id: issuer.id().to_owned(),
            name: issuer.name().to_owned(),
        });
        offered.collect()
    }
}

/// Signing in with an account elsewhere.
#[derive(Debug, Default)]
pub(crate) struct SocialMutation;

/// Signing in with an account elsewhere.
#[Object]
impl SocialMutation {
    /// Begins to sign in with an account elsewhere, or with `link` to link one to the account of whoever
    /// is signed in: answers an address to send the browser to, which comes back to `redirectUri` with a
    /// `code` for `completeSocialLogin` or `linkIdentity`.
    async fn start_social_login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "With whom, and where the browser returns to.")]
        input: StartSocialLoginInput,
    ) -> Result<StartSocialLoginPayload> {
        let started = start_social_login(auth(ctx), ctx.viewer().ok(), input, &ctx.client()).await;
        let payload = started.map(|started| StartSocialLoginPayload {
            authorization_url: Some(started.authorization_url),
            expires_at: Some(DateTime(started.expires_at)),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| StartSocialLoginPayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Signs in with the code that came back with the browser. An identity that is new here gets an account
    /// of its own, if the provider has verified its e-mail address and nobody has an account with that.
    async fn complete_social_login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What came back, and what proves who asked for it.")]
        input: CompleteSocialLoginInput,
    ) -> Result<SessionPayload> {
        let grant = complete_social_login(auth(ctx), input, &ctx.client()).await;
        session(ctx, grant)
    }

    /// Links the identity that came back with the browser to your account: from then on it lets you in.
    /// Begin with `startSocialLogin` and `link`.
    async fn link_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What came back, and what proves who asked for it.")]
        input: LinkIdentityInput,
    ) -> Result<LinkIdentityPayload> {
        let linked = link_identity(auth(ctx), ctx.viewer()?, input, &ctx.client()).await;
        let payload = linked.map(|row| LinkIdentityPayload {
            identity: Some(row.into()),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| LinkIdentityPayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Unlinks an identity of yours, unless it is your only way in. Who is signed in stays so.
    async fn unlink_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which identity to unlink.")] input: UnlinkIdentityInput,
    ) -> Result<UnlinkIdentityPayload> {
        let viewer = ctx.viewer()?;
        let unlinked = unlink_identity(auth(ctx), viewer, &input.identity_id, &ctx.client()).await;
        let payload = unlinked.map(|row| UnlinkIdentityPayload {
            unlinked_identity_id: Some(id::encode(id::IDENTITY, row)),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| UnlinkIdentityPayload {
            user_errors,
            ..Default::default()
        })
    }
}
