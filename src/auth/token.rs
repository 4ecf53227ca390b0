//! Access tokens: signed JWTs (HS256) that verify without a look-up. The header must be, field for
//! field, one we write ourselves: no other algorithm, type, key or extension is ever looked at.
//! Time is compared with our own clock, without leeway at the end of a token: a client refreshes a
//! moment early, and nobody stays a moment late.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Access;
use crate::{
    error::{Error, Result},
    graphql::id,
    seal::Keys,
    viewer::Viewer,
};

const TYPE: &str = "at+jwt";
/// Issuer and audience: tokens are by this server and for it.
const PARTY: &str = "passbook";
/// Ours are about 350 bytes.
const LONGEST: usize = 4096;
/// How far the clock of another replica may be ahead of ours.
const SKEW: TimeDelta = TimeDelta::seconds(30);

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: Uuid,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    exp: i64,
}

/// Signs and verifies access tokens.
pub(super) struct AccessTokens {
    sign: EncodingKey,
    /// Newest first; the first signs.
    keys: Vec<(Header, DecodingKey)>,
    rules: Validation,
    lifetime: TimeDelta,
}

impl std::fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccessTokens({})", self.keys.len())
    }
}

impl AccessTokens {
    pub(super) fn new(keys: &Keys, lifetime: Duration) -> Result<Self> {
        let keys = keys.access_token_keys();
        let (_, newest) = keys
            .first()
            .ok_or_else(|| Error::internal("no key signs access tokens"))?;
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[PARTY]);
        rules.set_audience(&[PARTY]);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // By our own clock, below.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        Ok(Self {
            sign: EncodingKey::from_secret(newest),
            keys: keys
                .iter()
                .map(|(kid, key)| (header(kid), DecodingKey::from_secret(key)))
                .collect(),
            rules,
            lifetime: TimeDelta::from_std(lifetime).map_err(Error::internal)?,
        })
    }

    /// A token of this session, which lasts no longer than the session itself.
    pub(super) fn issue(
        &self,
        viewer: Viewer,
        now: DateTime<Utc>,
        session_ends: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>)> {
        let (header, _) = self
            .keys
            .first()
            .ok_or_else(|| Error::internal("no key signs access tokens"))?;
        let exp = (now + self.lifetime).min(session_ends).timestamp();
        let claims = Claims {
            iss: PARTY.to_owned(),
            aud: PARTY.to_owned(),
            sub: id::encode(id::USER, viewer.user_id).0,
            sid: viewer.session_id,
            iat: now.timestamp(),
            nbf: None,
            exp,
        };
        let token = encode(header, &claims, &self.sign).map_err(Error::internal)?;
        Ok((token, moment(exp).unwrap_or(now)))
    }

    /// What a token stands for, if it is ours and not over.
    pub(super) fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<Access> {
        if token.len() > LONGEST {
            return None;
        }
        let header = decode_header(token).ok()?;
        let (_, key) = self.keys.iter().find(|(ours, _)| *ours == header)?;
        let claims = decode::<Claims>(token, key, &self.rules).ok()?.claims;
        let begins = moment(claims.iat.max(claims.nbf.unwrap_or(i64::MIN)))?;
        // Where the operator has shortened the lifetime, that holds for older tokens too: the set of
        // revoked sessions reaches back no further.
        let longest = moment(claims.iat)?.checked_add_signed(self.lifetime)?;
        let expires_at = moment(claims.exp)?.min(longest);
        if begins > now + SKEW || expires_at <= now {
            return None;
        }
        let viewer = Viewer {
            user_id: id::decode(id::USER, &claims.sub)?,
            session_id: claims.sid,
        };
        Some(Access { viewer, expires_at })
    }
}

fn header(kid: &str) -> Header {
    Header {
        typ: Some(TYPE.to_owned()),
        kid: Some(kid.to_owned()),
        ..Header::new(Algorithm::HS256)
    }
}

fn moment(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
}
