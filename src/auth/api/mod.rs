//! The fields of sign-in.

use async_graphql::{Context, MergedObject, Object, SimpleObject};
use entity::user;
use sea_orm::EntityTrait;
use secrecy::ExposeSecret;

use super::{
    Auth, cookie,
    login::{self, LoginInput},
    logout::{self, LogoutInput},
    refresh::{self, RefreshSessionInput},
    register::{self, RegisterInput},
    session::Grant,
};
use crate::{
    error::{Error, Result},
    graphql::{
        ContextExt,
        errors::{UserError, settle},
        scalar::DateTime,
        user::User,
    },
};

mod profile;
mod sessions;
mod social;

use profile::ProfileMutation;
use sessions::{SessionsMutation, SessionsQuery};
use social::{SocialMutation, SocialQuery};

/// What can be asked of sign-in.
#[derive(Debug, Default, MergedObject)]
pub struct AuthQuery(ViewerQuery, SessionsQuery, SocialQuery);

/// What can be done about sign-in.
#[derive(Debug, Default, MergedObject)]
pub struct AuthMutation(
    SignInMutation,
    SessionsMutation,
    ProfileMutation,
    SocialMutation,
);

/// What begins, continues or ends a session answers.
#[derive(Default, SimpleObject)]
pub(super) struct SessionPayload {
    /// The person who is signed in; absent if something was refused.
    user: Option<User>,
    /// Goes with every request as `Authorization: Bearer …`. A JWT; treat it as opaque.
    access_token: Option<String>,
    /// After this the access token is void: refresh the session shortly before.
    access_token_expires_at: Option<DateTime>,
    /// Gets the next pair of tokens, once. Keep it where scripts of other origins cannot read it, or let
    /// the browser keep it: to a request with the header `Passbook-Session: cookie` it is given in an
    /// `HttpOnly` cookie and absent here.
    refresh_token: Option<String>,
    /// After this the session is over unless it was refreshed.
    refresh_token_expires_at: Option<DateTime>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What ends sessions answers.
#[derive(Default, SimpleObject)]
pub(super) struct LogoutPayload {
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// Who is signed in.
#[derive(Debug, Default)]
pub(crate) struct ViewerQuery;

/// Who is signed in.
#[Object]
impl ViewerQuery {
    /// The signed-in person.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<User> {
        let viewer = ctx.viewer()?;
        let row = user::Entity::find_by_id(viewer.user_id);
        let row = row.one(ctx.app().db.read()).await?;
        row.map(User::from).ok_or(Error::Unauthenticated)
    }
}

/// Signing in and out.
#[derive(Debug, Default)]
pub(crate) struct SignInMutation;

/// Signing in and out.
#[Object]
impl SignInMutation {
    /// Registers a person and signs in. All that is wrong with the input is told at once.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who registers.")] input: RegisterInput,
    ) -> Result<SessionPayload> {
        session(
            ctx,
            register::register(auth(ctx), input, &ctx.client()).await,
        )
    }

    /// Signs in with e-mail address and password.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: LoginInput,
    ) -> Result<SessionPayload> {
        session(ctx, login::login(auth(ctx), input, &ctx.client()).await)
    }

    /// Gets the next pair of tokens. The refresh token is replaced; of several requests with the same
    /// token within ten seconds, all get the same successor. A replaced token that comes back later
    /// ends the session.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What proves the session.")] input: RefreshSessionInput,
    ) -> Result<SessionPayload> {
        let token = cookie::demand(cookie::shown(ctx, input.refresh_token));
        let result = match token {
            Ok(token) => {
                refresh::refresh_session(auth(ctx), token.expose_secret(), &ctx.client()).await
            }
            Err(missing) => Err(missing),
        };
        if let Err(Error::Refused(_)) = result {
            cookie::forget(ctx);
        }
        session(ctx, result)
    }

    /// Ends this session: its tokens are refused and its subscriptions closed, everywhere within a
    /// second. Ending a session that is over succeeds.
    async fn logout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session to end; this one if left out.")] input: Option<LogoutInput>,
    ) -> Result<LogoutPayload> {
        let token = cookie::shown(ctx, input.and_then(|input| input.refresh_token));
        let token = token.as_ref().map(ExposeSecret::expose_secret);
        let viewer = ctx.viewer().ok();
        let result = logout::logout(auth(ctx), viewer, token, &ctx.client()).await;
        if result.is_ok() {
            cookie::forget(ctx);
        }
        ended(result)
    }

    /// Ends all sessions of the signed-in person, this one included.
    async fn logout_everywhere(&self, ctx: &Context<'_>) -> Result<LogoutPayload> {
        let viewer = ctx.viewer()?;
        let result = logout::logout_everywhere(auth(ctx), viewer, &ctx.client()).await;
        if result.is_ok() {
            cookie::forget(ctx);
        }
        ended(result)
    }
}

fn auth<'a>(ctx: &Context<'a>) -> &'a Auth {
    ctx.data_unchecked::<Auth>()
}

/// What a session that began or goes on answers, or why there is none.
fn session(ctx: &Context<'_>, result: Result<Grant>) -> Result<SessionPayload> {
    let result = result.map(|grant| granted(ctx, grant));
    settle(result, |user_errors| SessionPayload {
        user_errors,
        ..SessionPayload::default()
    })
}

fn ended(result: Result<()>) -> Result<LogoutPayload> {
    settle(result.map(|()| LogoutPayload::default()), |user_errors| {
        LogoutPayload { user_errors }
    })
}

fn granted(ctx: &Context<'_>, grant: Grant) -> SessionPayload {
    let left = grant.refresh_token_expires_at - ctx.app().clock.now();
    SessionPayload {
        user: Some(grant.user.into()),
        access_token: Some(grant.access_token),
        access_token_expires_at: Some(DateTime(grant.access_token_expires_at)),
        refresh_token: cookie::keep(ctx, grant.refresh_token, left.num_seconds()),
        refresh_token_expires_at: Some(DateTime(grant.refresh_token_expires_at)),
        user_errors: Vec::new(),
    }
}
