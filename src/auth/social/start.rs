//! Beginning a social login: nothing but a row, and an address of ours that goes on from it.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use entity::{activity::ActivityKind, login_attempt};
use sea_orm::{ActiveValue::Set, EntityTrait};
use uuid::Uuid;

use super::{LIFETIME, Refused, is_secret, kept, refused, secret};
use crate::{
    app::App,
    auth::{Auth, throttle},
    error::{Error, ErrorCode, Refusal, Result},
    viewer::{ClientInfo, Viewer},
};

/// With whom somebody signs in, and where the browser returns to.
#[derive(InputObject)]
pub(in crate::auth) struct StartSocialLoginInput {
    /// The provider, by its `id` in `identityProviders`.
    provider: String,
    /// Where the browser returns to, exactly as the operator has registered it. It gets `code` there, or
    /// `error`: `access_denied` if the person did not want to, `login_refused` if the provider's answer
    /// was not acceptable, `provider_unavailable` or `provider_error` if the provider had trouble.
    redirect_uri: String,
    /// The app's own PKCE challenge, S256: base64url without padding of the SHA-256 of a verifier that only
    /// the app knows, and that `completeSocialLogin` or `linkIdentity` asks for.
    code_challenge: String,
    /// Whether the signed-in person links an identity, by `linkIdentity`, instead of signing in.
    #[graphql(default)]
    link: bool,
    /// With `link`: your password, since an identity is a way in for good. Leave it out if you have none: then you
    /// must have signed in within ten minutes.
    password: Option<String>,
}

/// Where to send the browser, and until when.
pub(in crate::auth) struct Started {
    pub(in crate::auth) authorization_url: String,
    pub(in crate::auth) expires_at: DateTime<Utc>,
}

/// Begins a social login, or the linking of an identity.
pub(in crate::auth) async fn start_social_login(
    auth: &Auth,
    viewer: Option<Viewer>,
    input: StartSocialLoginInput,
    client: &ClientInfo,
) -> Result<Started> {
    let app = &auth.app;
    let viewer = match (input.link, viewer) {
        (true, None) => return Err(Error::Unauthenticated),
        (true, viewer) => viewer,
        (false, _) => None,
    };
    // Counted first, so that nobody fills the log.
    throttle::social_start(app, client).await?;
    let faults = faults(app, &input);
    if !faults.is_empty() {
        tell_astray(auth, &input, viewer, client).await?;
        return Err(Error::Refused(faults));
    }
    let mut proof = None;
    if let Some(viewer) = viewer {
        let failed = ActivityKind::IdentityRefused;
        let given = input.password.as_deref();
        proof = Some(auth.confirm(viewer, given, failed, client).await?);
    }
    let ticket = secret()?;
    let expires_at = app.clock.now() + LIFETIME;
    let authorization_url = format!(
        "{}/auth/{}/start?ticket={ticket}",
        app.public_url, input.provider
    );
    let row = login_attempt::ActiveModel {
        id: Set(Uuid::now_v7()),
        provider: Set(input.provider),
        redirect_uri: Set(input.redirect_uri),
        code_challenge: Set(input.code_challenge),
        user_id: Set(viewer.map(|viewer| viewer.user_id)),
        ticket_hash: Set(Some(kept(&ticket))),
        expires_at: Set(expires_at),
        ..Default::default()
    };
    let txn = app.db.begin().await?;
    if let Some(proof) = proof {
        proof.stands(&txn).await?;
    }
    login_attempt::Entity::insert(row)
        .exec_without_returning(&*txn)
        .await?;
    txn.commit().await?;
    Ok(Started {
        authorization_url,
        expires_at,
    })
}

/// Tells of a browser that was to be sent where the operator has nothing.
async fn tell_astray(
    auth: &Auth,
    input: &StartSocialLoginInput,
    viewer: Option<Viewer>,
    client: &ClientInfo,
) -> Result<()> {
    if auth.app.config.redirect_uris.contains(&input.redirect_uri) {
        return Ok(());
    }
    let issuer = auth.app.issuers.find(&input.provider);
    let told = Refused {
        // Nothing that a stranger typed.
        provider: issuer.map_or("unknown", |issuer| issuer.id()),
        user_id: viewer.map(|viewer| viewer.user_id),
        why: "the redirect address is not registered",
        client,
    };
    refused(auth, told).await
}

/// All that is wrong with what was asked for.
fn faults(app: &App, input: &StartSocialLoginInput) -> Vec<Refusal> {
    let fault = |field: &str, text: &str| Refusal::new(ErrorCode::InvalidInput, text).on(field);
    let mut faults = Vec::new();
    if app.issuers.find(&input.provider).is_none() {
        faults.push(fault(
            "provider",
            "There is no such provider: `identityProviders` lists them.",
        ));
    }
    if !app.config.redirect_uris.contains(&input.redirect_uri) {
        let text = "This address is not registered: the operator lists it in REDIRECT_URIS, letter for letter.";
        faults.push(fault("redirectUri", text));
    }
    if !is_secret(&input.code_challenge) {
        let text = "Pass an S256 challenge: base64url without padding of the SHA-256 of a random verifier.";
        faults.push(fault("codeChallenge", text));
    }
    faults
}
