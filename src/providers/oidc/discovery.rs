//! What an issuer says of itself, and its keys: asked for when it is needed, and kept for an hour; for two while it
//! gives no answer. One that gave none is left alone for some seconds, so that not everybody waits for it in turn.

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::{
    AdditionalProviderMetadata, DiscoveryError, ProviderMetadata,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
        CoreJsonWebKey, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
        CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
        CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};

use super::{Issuer, IssuerFault};
use crate::providers::guard::Unanswered;

/// How long what an issuer said of itself is believed. A key it withdraws is believed no longer either.
const KEPT: TimeDelta = TimeDelta::hours(1);

/// How long it is believed while the issuer gives no answer.
const KEPT_WITHOUT_ANSWER: TimeDelta = TimeDelta::hours(2);

/// How long an issuer that failed is left alone.
const REST: TimeDelta = TimeDelta::seconds(10);

/// How often keys are asked for because a token names an unknown one, which anybody can make.
const KEYS_EACH: TimeDelta = TimeDelta::minutes(1);

/// What an issuer says of itself.
pub(super) type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What the standard added later.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Extra {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extra {}

impl Extra {
    /// Whether its answers say whose they are.
    pub(super) fn names_itself(&self) -> bool {
        self.authorization_response_iss_parameter_supported
    }
}

/// What an issuer said, and when.
#[derive(Debug)]
struct Known {
    metadata: Metadata,
    at: DateTime<Utc>,
    keys_at: DateTime<Utc>,
}

/// What is remembered of an issuer.
#[derive(Debug, Default)]
pub(super) struct Memory {
    known: Option<Known>,
    /// How it failed to say anything of itself, and when.
    failed: Option<(IssuerFault, DateTime<Utc>)>,
}

impl Memory {
    /// What it said, if that is younger.
    fn within(&self, age: TimeDelta, now: DateTime<Utc>) -> Option<Metadata> {
        let known = self.known.as_ref().filter(|known| now < known.at + age);
        known.map(|known| known.metadata.clone())
    }

    /// What stands for an answer that did not come: what it said before, for a while. Nothing stands for a wrong one.
    fn instead(&self, fault: &IssuerFault, now: DateTime<Utc>) -> Result<Metadata, IssuerFault> {
        let stale = match fault {
            IssuerFault::Unavailable(_) => self.within(KEPT_WITHOUT_ANSWER, now),
            IssuerFault::Refused(_) => None,
        };
        stale.ok_or_else(|| fault.clone())
    }
}

impl Issuer {
    /// What the issuer says of itself, with its keys.
    pub(super) async fn metadata(&self) -> Result<Metadata, IssuerFault> {
        let mut memory = self.memory.lock().await;
        let now = self.now();
        if let Some(metadata) = memory.within(KEPT, now) {
            return Ok(metadata);
        }
        if let Some((fault, at)) = &memory.failed
            && now < *at + REST
        {
            return memory.instead(fault, now);
        }
        match Metadata::discover_async(self.url.clone(), &self.http).await {
            Ok(metadata) => {
                memory.failed = None;
                memory.known = Some(Known {
                    metadata: metadata.clone(),
                    at: now,
                    keys_at: now,
                });
                Ok(metadata)
            }
            Err(error) => {
                let fault = fault(&error);
                let (provider, reason) = (self.id(), fault.to_string());
                tracing::warn!(provider, reason, "an issuer says nothing of itself");
                memory.failed = Some((fault.clone(), now));
                memory.instead(&fault, now)
            }
        }
    }

    /// The issuer's keys as they are now, if they were not asked for just before.
    pub(super) async fn newer_keys(
        &self,
        seen: &Metadata,
    ) -> Result<Option<CoreJsonWebKeySet>, IssuerFault> {
        let mut memory = self.memory.lock().await;
        let now = self.now();
        let Some(known) = memory.known.as_mut() else {
            return Ok(None);
        };
        if known.metadata.jwks() != seen.jwks() {
            // Somebody else has asked meanwhile.
            return Ok(Some(known.metadata.jwks().clone()));
        }
        if now < known.keys_at + KEYS_EACH {
            return Ok(None);
        }
        known.keys_at = now;
        let keys = CoreJsonWebKeySet::fetch_async(known.metadata.jwks_uri(), &self.http).await;
        let keys = keys.map_err(|error| fault(&error))?;
        known.metadata = known.metadata.clone().set_jwks(keys.clone());
        Ok(Some(keys))
    }
}

/// The crate's errors hold what they could not read, so that only their kind is told.
fn fault(error: &DiscoveryError<Unanswered>) -> IssuerFault {
    match error {
        DiscoveryError::Request(why) => why.clone().into(),
        DiscoveryError::Response(status, ..) => {
            IssuerFault::Unavailable(format!("its discovery or its keys answer {status}"))
        }
        DiscoveryError::Validation(_) => IssuerFault::Refused("its discovery names another issuer"),
        _ => IssuerFault::Refused("its discovery or its keys cannot be read"),
    }
}
