//! The fields of sign-in.

use async_graphql::{Context, MergedObject, Object, SimpleObject};
use entity::user;
use sea_orm::EntityTrait;
use secrecy::ExposeSecret;

use super::{
    Auth, TurnedAway,
    admit::Admission,
    cookie,
    login::{self, LoginInput},
    logout::{self, LogoutInput},
    refresh::{self, RefreshSessionInput},
    register::{self, RegisterInput, Registered},
    second_factor::{self, Challenge, CompleteLoginInput},
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
    viewer::Viewer,
};

mod mail;
mod profile;
mod sessions;
mod social;
mod totp;

use mail::MailMutation;
use profile::ProfileMutation;
use sessions::{SessionsMutation, SessionsQuery};
use social::{SocialMutation, SocialQuery};
use totp::SecondFactorMutation;

/// What can be asked of sign-in.
#[derive(Debug, Default, MergedObject)]
pub struct AuthQuery(ViewerQuery, SessionsQuery, SocialQuery);

/// What can be done about sign-in.
#[derive(Debug, Default, MergedObject)]
pub struct AuthMutation(
    SignInMutation,
    SessionsMutation,
    ProfileMutation,
    MailMutation,
    SecondFactorMutation,
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
    /// There is no session yet: ask the person for a code of her authenticator app and go on with `completeLogin`.
    second_factor: Option<SecondFactorChallenge>,
    /// There is no account yet: a mail is on its way to the address, and `verifyEmail` goes on with the token in
    /// it. Where the address has an account already, the answer is the same, and the mail says so.
    verification_sent: bool,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// A sign-in that takes a second factor.
#[derive(SimpleObject)]
pub(super) struct SecondFactorChallenge {
    /// Goes to `completeLogin`, with the code. It opens nothing by itself.
    token: String,
    /// After this, sign in again.
    expires_at: DateTime,
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
    /// Registers a person. Depending on the server she is signed in at once, or a mail is sent to the address first
    /// (`verificationSent`), or nobody new is taken (`NOT_OFFERED`). All that is wrong with the input is told at once.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who registers.")] input: RegisterInput,
    ) -> Result<SessionPayload> {
        let registered = register::register(auth(ctx), input, &ctx.client()).await;
        session(ctx, registered)
    }

    /// Signs in with e-mail address and password. Whoever has a second factor gets no session but `secondFactor`.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: LoginInput,
    ) -> Result<SessionPayload> {
        session(ctx, login::login(auth(ctx), input, &ctx.client()).await)
    }

    /// Completes a sign-in that asked for a second factor. Five codes may be tried with one token.
    async fn complete_login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token of the sign-in, and a code.")] input: CompleteLoginInput,
    ) -> Result<SessionPayload> {
        let grant = second_factor::complete_login(auth(ctx), input, &ctx.client()).await;
        session(ctx, grant)
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
        // The cookie stays where it is refused: it may be the one that another tab was given a moment ago.
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
        let viewer = ctx.viewer().ok().or_else(|| signed_out(ctx));
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

/// Who had the session of the access token, if it was ended while the token would still be good.
fn signed_out(ctx: &Context<'_>) -> Option<Viewer> {
    let TurnedAway(token) = ctx.data_opt()?;
    auth(ctx).bearer(token.expose_secret())
}

/// What may come of asking for a session.
pub(super) enum Answer {
    /// A session that began or goes on.
    Session(Box<Grant>),
    /// A question first.
    SecondFactor(Challenge),
    /// A mail first.
    VerificationSent,
    /// The one there was already.
    Same(Box<user::Model>),
}

/// What a session that began or goes on answers, or why there is none.
fn session<T: Into<Answer>>(ctx: &Context<'_>, result: Result<T>) -> Result<SessionPayload> {
    let result = result.map(|answer| told(ctx, answer.into()));
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

fn told(ctx: &Context<'_>, answer: Answer) -> SessionPayload {
    match answer {
        Answer::Session(grant) => granted(ctx, *grant),
        Answer::SecondFactor(challenge) => SessionPayload {
            second_factor: Some(SecondFactorChallenge {
                token: challenge.token,
                expires_at: DateTime(challenge.expires_at),
            }),
            ..SessionPayload::default()
        },
        Answer::VerificationSent => SessionPayload {
            verification_sent: true,
            ..SessionPayload::default()
        },
        Answer::Same(user) => SessionPayload {
            user: Some((*user).into()),
            ..SessionPayload::default()
        },
    }
}

fn granted(ctx: &Context<'_>, grant: Grant) -> SessionPayload {
    let left = grant.refresh_token_expires_at - ctx.app().clock.now();
    SessionPayload {
        user: Some(grant.user.into()),
        access_token: Some(grant.access_token),
        access_token_expires_at: Some(DateTime(grant.access_token_expires_at)),
        refresh_token: cookie::keep(ctx, grant.refresh_token, left.num_seconds()),
        refresh_token_expires_at: Some(DateTime(grant.refresh_token_expires_at)),
        ..SessionPayload::default()
    }
}

impl From<Grant> for Answer {
    fn from(grant: Grant) -> Self {
        Self::Session(Box::new(grant))
    }
}

impl From<Admission> for Answer {
    fn from(admission: Admission) -> Self {
        match admission {
            Admission::Session(grant) => Self::Session(grant),
            Admission::SecondFactor(challenge) => Self::SecondFactor(challenge),
        }
    }
}

impl From<Registered> for Answer {
    fn from(registered: Registered) -> Self {
        match registered {
            Registered::Here(admission) => admission.into(),
            Registered::Asked => Self::VerificationSent,
        }
    }
}
