//! Signing in with an account elsewhere, by OpenID Connect.
//!
//! An app asks for an address of ours (`start_social_login`) and sends the browser there. There the
//! browser gets a cookie and goes on to the issuer; it comes back to us, and what it brings is
//! verified; then it goes to the app with a code, which the app redeems for a session
//! (`complete_social_login`) or, if somebody is signed in, for an identity of hers (`link_identity`).
//! One row goes with it, and each step forgets the secret that opened it.
//!
//! Promises: a browser is sent to addresses of `REDIRECT_URIS` alone, compared byte for byte; an answer
//! counts once, and in the browser that was sent; a code counts once, for a minute, and only with what
//! the app's own challenge was made of, so that a code slipped under another app is of no use to it;
//! nobody gets into an account, and no account is made, before a code is redeemed; who somebody is
//! depends on (`iss`, `sub`) and never on an address.
//!
//! Refused: sending the app straight to the issuer's address. Without an address of our own between
//! them there is no browser to bind the answer to. And joining accounts by their addresses: whoever
//! registered first with another's address would share her account.

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use entity::{activity::ActivityKind, login_attempt};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::Auth;
use crate::{
    activity::{self, Entry},
    app::App,
    database::Txn,
    error::{Error, Result},
    providers::oidc::IssuerFault,
    seal::{Place, sha256_hex},
    viewer::ClientInfo,
};

mod arrive;
mod complete;
mod depart;
mod link;
mod redeem;
mod routes;
mod start;
#[cfg(test)]
mod tests;

pub(super) use complete::complete_social_login;
pub(super) use link::{UnlinkIdentityInput, link_identity, unlink_identity};
pub(super) use redeem::{CompleteSocialLoginInput, LinkIdentityInput};
pub use routes::routes;
pub(super) use start::{StartSocialLoginInput, start_social_login};

/// How long a sign-in may take at the issuer.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long the app has to redeem its code.
const CODE_LIFETIME: TimeDelta = TimeDelta::seconds(60);

/// A secret that opens one thing once: 32 random bytes, as text that needs no escaping.
fn secret() -> Result<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(Error::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is kept of such a secret.
fn kept(secret: &str) -> String {
    sha256_hex(secret.as_bytes())
}

/// Whether a text has the form of 32 bytes, as secrets and challenges have.
fn is_secret(text: &str) -> bool {
    text.len() == 43
        && URL_SAFE_NO_PAD
            .decode(text)
            .is_ok_and(|bytes| bytes.len() == 32)
}

/// Where a row's sealed part is. The row is nobody's: who comes back is not known before.
fn place(row: Uuid) -> Place {
    Place {
        column: "login_attempts.sealed",
        row,
        user: Uuid::nil(),
    }
}

/// What people call a provider, as far as it is still in the settings.
fn provider_name(app: &App, id: &str) -> String {
    let issuer = app.issuers.find(id);
    issuer.map_or(id, |issuer| issuer.name()).to_owned()
}

/// Forgets an attempt that leads nowhere.
async fn forget(auth: &Auth, id: Uuid) -> Result<()> {
    let txn = auth.app.db.begin().await?;
    login_attempt::Entity::delete_many()
        .filter(login_attempt::Column::Id.eq(id))
        .exec(&*txn)
        .await?;
    txn.commit().await
}

/// What is still open under a kept secret.
fn open(auth: &Auth, column: login_attempt::Column, secret: &str) -> Condition {
    Condition::all()
        .add(column.eq(kept(secret)))
        .add(login_attempt::Column::ExpiresAt.gt(auth.app.clock.now()))
}

/// What the app is told of an issuer's fault; what looks forged is written down.
async fn fault_word(
    auth: &Auth,
    attempt: &login_attempt::Model,
    fault: &IssuerFault,
    client: &ClientInfo,
) -> Result<&'static str> {
    let provider = attempt.provider.as_str();
    if let IssuerFault::Unavailable(why) = fault {
        tracing::warn!(provider, reason = why, "an issuer gave no answer");
        return Ok("provider_unavailable");
    }
    let why = fault.to_string();
    let told = Refused {
        provider,
        user_id: attempt.user_id,
        why: &why,
        client,
    };
    refused(auth, told).await?;
    Ok("login_refused")
}

/// Something that is refused, and somebody should read of.
struct Refused<'a> {
    /// The provider's name, as it is in the settings.
    provider: &'a str,
    /// In whose name it came, or whom it concerns, if that is known.
    user_id: Option<Uuid>,
    why: &'a str,
    client: &'a ClientInfo,
}

impl Refused<'_> {
    /// One line in the server's log.
    fn log(&self) {
        tracing::warn!(
            provider = self.provider,
            reason = self.why,
            user.id = ?self.user_id,
            client.address = self.client.address,
            "a social login is refused"
        );
    }

    /// The line, and an entry in the log of the person, in the caller's transaction.
    async fn record(&self, auth: &Auth, txn: &Txn) -> Result<()> {
        self.log();
        let Some(user_id) = self.user_id else {
            return Ok(());
        };
        let entry = Entry {
            detail: Some(provider_name(&auth.app, self.provider)),
            ..Entry::of(user_id, ActivityKind::IdentityRefused, self.client)
        };
        activity::record(&**txn, auth.app.clock.now(), entry).await
    }
}

/// The same in a transaction of its own.
async fn refused(auth: &Auth, refused: Refused<'_>) -> Result<()> {
    if refused.user_id.is_none() {
        refused.log();
        return Ok(());
    }
    let txn = auth.app.db.begin().await?;
    refused.record(auth, &txn).await?;
    txn.commit().await
}
