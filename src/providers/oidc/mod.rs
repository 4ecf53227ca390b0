//! Issuers of OpenID Connect: who somebody is, by the word of a provider she has an account with.
//! The authorization code flow with PKCE, state and nonce; what a token says is verified by the
//! `openidconnect` crate and the few checks below it.
//!
//! Promises: a person is (`iss`, `sub`), and nothing else of an answer decides who she is; an address
//! counts as verified only by the JSON value `true`, said of that address; what a token leaves out is asked of user
//! info, and user info that gives no answer keeps nobody out; every call goes through `providers::guard`; no
//! code, token or secret enters an error or a log, and no text of an issuer's reaches a browser.
//!
//! Refused: the crate's own client for codes. It keeps what it could not read of an answer, tokens and
//! all, in its errors, and of a token that it has verified it no longer tells what was a text and
//! what was true.

use std::{fmt, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::{CsrfToken, IssuerUrl, Nonce, PkceCodeChallenge};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::guard::{Guarded, Reach, Unanswered};
use crate::{
    clock::Clock,
    config::{OidcNetwork, OidcProvider},
    error::{Error, Result},
};

mod claims;
mod discovery;
mod exchange;

use discovery::Memory;

/// The issuers of this server.
#[derive(Clone, Debug, Default)]
pub struct Issuers(Arc<[Issuer]>);

/// One issuer.
#[derive(Debug)]
pub struct Issuer {
    provider: OidcProvider,
    url: IssuerUrl,
    http: Guarded,
    clock: Clock,
    /// What it said of itself; whoever finds it missing or old asks, and the others wait.
    memory: Mutex<Memory>,
}

/// A sign-in that was sent to an issuer: what its answer is compared with.
#[derive(Serialize, Deserialize)]
pub struct Sent {
    nonce: String,
    verifier: String,
}

/// Where a browser is sent, what comes back with it, and what to keep until then.
pub struct Departure {
    /// The issuer's own page.
    pub url: Url,
    /// What the answer is known by.
    pub state: String,
    /// What to keep, sealed.
    pub sent: Sent,
}

/// Somebody, as an issuer says.
#[derive(Clone, Serialize, Deserialize)]
pub struct Person {
    /// The issuer.
    pub issuer: String,
    /// Who she is there.
    pub subject: String,
    /// Her address, as it is written there.
    pub email: Option<String>,
    /// Whether the issuer has seen that she reads what is sent there.
    pub email_verified: bool,
    /// Her given name.
    pub first_name: Option<String>,
    /// Her family name.
    pub last_name: Option<String>,
    /// Her birthday, as it is written there.
    pub birth_date: Option<String>,
}

/// Shows nothing that opens anything.
impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sent")
    }
}

/// Shows nothing that opens anything.
impl fmt::Debug for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Departure")
    }
}

/// Shows where she is from, and nothing of her.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Person").field(&self.issuer).finish()
    }
}

/// Why nobody is known after all. The words are for the log.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IssuerFault {
    /// It could not be asked, or had trouble of its own.
    #[error("the issuer gave no answer: {0}")]
    Unavailable(String),
    /// What it said, or what was said in its name, is not acceptable.
    #[error("the issuer's answer is refused: {0}")]
    Refused(&'static str),
}

impl From<Unanswered> for IssuerFault {
    fn from(error: Unanswered) -> Self {
        match error {
            Unanswered::Lost(why) => Self::Unavailable(why),
            Unanswered::Forbidden(why) => Self::Refused(why),
            Unanswered::Redirected => Self::Refused("it redirects, which is not followed"),
            Unanswered::TooLarge => Self::Refused("it is larger than 1 MiB"),
        }
    }
}

/// How far the issuer's clock may be ahead of ours.
const SKEW: TimeDelta = TimeDelta::seconds(60);

impl Issuers {
    /// The issuers. Connects to nothing.
    pub fn new(providers: &[OidcProvider], clock: &Clock) -> Result<Self> {
        let issuers = providers
            .iter()
            .map(|one| Issuer::new(one.clone(), clock.clone()));
        Ok(Self(issuers.collect::<Result<Vec<_>>>()?.into()))
    }

    /// All of them, as the operator listed them.
    pub fn iter(&self) -> impl Iterator<Item = &Issuer> {
        self.0.iter()
    }

    /// The issuer of this name.
    pub fn find(&self, id: &str) -> Option<&Issuer> {
        self.iter().find(|issuer| issuer.id() == id)
    }
}

impl Issuer {
    fn new(provider: OidcProvider, clock: Clock) -> Result<Self> {
        let reach = match provider.network {
            OidcNetwork::Public => Reach::Public,
            OidcNetwork::Private => Reach::Private,
            OidcNetwork::Loopback => Reach::Loopback,
        };
        Ok(Self {
            url: IssuerUrl::new(provider.issuer.clone()).map_err(Error::internal)?,
            http: Guarded::new(reach)?,
            memory: Mutex::default(),
            provider,
            clock,
        })
    }

    /// Its name in addresses and settings.
    pub fn id(&self) -> &str {
        &self.provider.id
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.provider.name
    }

    /// Where it is, byte for byte as it says itself.
    pub fn url(&self) -> &str {
        &self.provider.issuer
    }

    /// Asks it for what a sign-in needs, and says what is wrong with the answer.
    pub async fn check(&self) -> Result<(), IssuerFault> {
        let metadata = self.metadata().await?;
        exchange::way(&self.provider, &metadata)?;
        claims::algorithms(&metadata)?;
        Ok(())
    }

    /// Where to send a browser that shall come back to `redirect_uri`.
    pub async fn depart(&self, redirect_uri: &str) -> Result<Departure, IssuerFault> {
        let metadata = self.metadata().await?;
        let mut url = metadata.authorization_endpoint().url().clone();
        self.http.permit(&url)?;
        let state = CsrfToken::new_random_len(32).into_secret();
        let nonce = Nonce::new_random_len(32);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.provider.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &self.provider.scopes)
            .append_pair("state", &state)
            .append_pair("nonce", nonce.secret())
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", "S256");
        let sent = Sent {
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        };
        Ok(Departure { url, state, sent })
    }

    /// Whether an answer is this issuer's, as far as it says whose it is: with several issuers, one of
    /// them could hand on what another one gave it.
    /// <https://www.rfc-editor.org/rfc/rfc9207>
    pub async fn recognise(&self, iss: Option<&str>) -> Result<(), IssuerFault> {
        let says = match iss {
            Some(_) => true,
            None => self.metadata().await?.additional_metadata().names_itself(),
        };
        if says && iss != Some(self.provider.issuer.as_str()) {
            return Err(IssuerFault::Refused("the answer is another issuer's"));
        }
        Ok(())
    }

    /// Exchanges a code for the person it stands for.
    pub async fn arrive(
        &self,
        redirect_uri: &str,
        code: &str,
        sent: &Sent,
    ) -> Result<Person, IssuerFault> {
        let metadata = self.metadata().await?;
        let tokens =
            exchange::exchange(self, &metadata, redirect_uri, code, &sent.verifier).await?;
        let nonce = Nonce::new(sent.nonce.clone());
        let keys = metadata.jwks().clone();
        let mut said = match claims::verify(self, &metadata, keys, &tokens, &nonce) {
            Err(claims::Doubt::UnknownKey) => {
                let unknown = IssuerFault::Refused("it is signed with an unknown key");
                let keys = self.newer_keys(&metadata).await?.ok_or(unknown.clone())?;
                let again = claims::verify(self, &metadata, keys, &tokens, &nonce);
                again.map_err(|doubt| doubt.into_fault(unknown))?
            }
            verified => {
                verified.map_err(|doubt| doubt.into_fault(IssuerFault::Refused("its key")))?
            }
        };
        said.retain(|_, value| !value.is_null());
        if claims::lacks(&said) {
            match exchange::user_info(self, &metadata, &tokens).await {
                Ok(None) => {}
                Ok(Some(more)) => claims::complete(&mut said, more)?,
                // Who she is, the token has proven.
                Err(fault) => {
                    let provider = self.id();
                    let reason = fault.to_string();
                    tracing::warn!(provider, reason, "an issuer gave no user info");
                }
            }
        }
        claims::person(&self.provider.issuer, &said)
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}
