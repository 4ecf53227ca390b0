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
        let keys = keys.access_token_keys()?;
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

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;

    const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const HALF_AN_HOUR: Duration = Duration::from_mins(30);
    const NOW: i64 = 1_800_000_000;

    fn tokens(keys: &str) -> AccessTokens {
        AccessTokens::new(&Keys::parse(keys).unwrap(), HALF_AN_HOUR).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        moment(seconds).unwrap()
    }

    fn viewer() -> Viewer {
        Viewer {
            user_id: Uuid::from_u128(1),
            session_id: Uuid::from_u128(2),
        }
    }

    fn good_header() -> Value {
        let (kid, _) = Keys::parse(OLD)
            .unwrap()
            .access_token_keys()
            .unwrap()
            .remove(0);
        json!({"typ": "at+jwt", "alg": "HS256", "kid": kid})
    }

    fn good_claims() -> Value {
        let sub = id::encode(id::USER, Uuid::from_u128(1)).0;
        json!({"iss": "passbook", "aud": "passbook", "sub": sub, "sid": Uuid::from_u128(2), "iat": NOW, "exp": NOW + 1800})
    }

    fn with(mut object: Value, name: &str, value: Value) -> Value {
        object[name] = value;
        object
    }

    fn without(mut object: Value, name: &str) -> Value {
        object.as_object_mut().unwrap().remove(name).unwrap();
        object
    }

    /// A token signed with the right key, whatever it says.
    fn signed(header: &Value, claims: &Value) -> String {
        let (_, key) = Keys::parse(OLD)
            .unwrap()
            .access_token_keys()
            .unwrap()
            .remove(0);
        signed_with(&key, header, claims)
    }

    fn signed_with(key: &[u8], header: &Value, claims: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let signature = hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn a_token_stands_for_its_session_until_it_expires() {
        let tokens = tokens(OLD);
        let (token, expires_at) = tokens.issue(viewer(), at(NOW), at(NOW + 9999)).unwrap();
        assert_eq!(expires_at, at(NOW + 1800));
        let access = tokens.verify(&token, at(NOW + 1799)).unwrap();
        assert_eq!((access.viewer, access.expires_at), (viewer(), expires_at));
        assert_eq!(tokens.verify(&token, at(NOW + 1800)), None);
        // The clock that issued it may be a little ahead of ours, and no more than that.
        assert!(tokens.verify(&token, at(NOW - 30)).is_some());
        assert_eq!(tokens.verify(&token, at(NOW - 31)), None);
    }

    #[test]
    fn a_token_ends_with_its_session_and_with_a_shortened_lifetime() {
        let (token, expires_at) = tokens(OLD).issue(viewer(), at(NOW), at(NOW + 60)).unwrap();
        assert_eq!(expires_at, at(NOW + 60));
        assert_eq!(tokens(OLD).verify(&token, at(NOW + 60)), None);
        let (token, _) = tokens(OLD)
            .issue(viewer(), at(NOW), at(NOW + 9999))
            .unwrap();
        let keys = Keys::parse(OLD).unwrap();
        let stricter = AccessTokens::new(&keys, Duration::from_mins(1)).unwrap();
        assert!(stricter.verify(&token, at(NOW + 59)).is_some());
        assert_eq!(stricter.verify(&token, at(NOW + 60)), None);
    }

    #[test]
    fn an_old_key_verifies_until_it_is_taken_away() {
        let (token, _) = tokens(OLD)
            .issue(viewer(), at(NOW), at(NOW + 9999))
            .unwrap();
        let both = tokens(&format!("{NEW},{OLD}"));
        assert!(both.verify(&token, at(NOW)).is_some());
        assert_eq!(tokens(NEW).verify(&token, at(NOW)), None);
        let (token, _) = both.issue(viewer(), at(NOW), at(NOW + 9999)).unwrap();
        assert!(tokens(NEW).verify(&token, at(NOW)).is_some());
    }

    #[test]
    fn a_forged_header_is_refused() {
        let accepts = |header: &Value| {
            let token = signed(header, &good_claims());
            tokens(OLD).verify(&token, at(NOW)).is_some()
        };
        assert!(accepts(&good_header()));
        for (name, value) in [
            ("alg", json!("none")),
            ("alg", json!("RS256")),
            ("alg", json!("ES256")),
            ("alg", json!("HS512")),
            ("alg", json!("hs256")),
            ("typ", json!("JWT")),
            ("kid", json!("../../etc/passwd")),
            ("kid", json!("' OR 1=1 --")),
            ("kid", json!("")),
            ("kid", json!(7)),
            ("jku", json!("https://evil.example/keys")),
            ("jwk", json!({"kty": "oct", "k": "AAAA"})),
            ("x5u", json!("https://evil.example/cert")),
            ("crit", json!(["exp"])),
            ("b64", json!(false)),
        ] {
            let header = with(good_header(), name, value);
            assert!(!accepts(&header), "{header}");
        }
        for name in ["typ", "kid", "alg"] {
            assert!(!accepts(&without(good_header(), name)), "no {name}");
        }
    }

    #[test]
    fn wrong_claims_are_refused_though_the_signature_is_right() {
        let accepts = |claims: &Value| {
            let token = signed(&good_header(), claims);
            tokens(OLD).verify(&token, at(NOW)).is_some()
        };
        assert!(accepts(&good_claims()));
        assert!(accepts(&with(good_claims(), "nbf", json!(NOW + 30))));
        for (name, value) in [
            ("iss", json!("https://passbook")),
            ("aud", json!("elsewhere")),
            ("aud", json!(["passbook", "elsewhere"])),
            ("sub", json!("user_x")),
            ("sub", json!(id::encode(id::ITEM, Uuid::from_u128(1)).0)),
            ("sid", json!("")),
            ("exp", json!(NOW - 31)),
            ("exp", json!(NOW)),
            ("exp", json!(1_u64 << 63)),
            ("exp", json!(i64::MAX)),
            ("exp", json!(-1)),
            ("exp", json!((NOW + 10).to_string())),
            ("exp", Value::Null),
            ("iat", json!(NOW + 31)),
            ("iat", json!(i64::MIN)),
            ("nbf", json!(NOW + 31)),
        ] {
            let claims = with(good_claims(), name, value);
            assert!(!accepts(&claims), "{claims}");
        }
        for name in ["iss", "aud", "sub", "sid", "iat", "exp"] {
            assert!(!accepts(&without(good_claims(), name)), "no {name}");
        }
    }

    #[test]
    fn a_foreign_signature_or_no_token_at_all_is_refused() {
        let good = signed(&good_header(), &good_claims());
        let message = good.rsplit_once('.').unwrap().0;
        let mut garbage = vec![
            signed_with(&[7; 32], &good_header(), &good_claims()),
            signed_with(b"", &good_header(), &good_claims()),
            format!("{message}."),
            message.to_owned(),
            format!("{good}."),
            format!("{good}.{good}"),
            format!(" {good}"),
            format!("{good}="),
            String::new(),
            "..".to_owned(),
            "\0".to_owned(),
            "ü.ü.ü".to_owned(),
            "a".repeat(64 * 1024),
        ];
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            garbage.push(String::from_utf8(bytes).unwrap());
        }
        for token in garbage {
            assert_eq!(tokens(OLD).verify(&token, at(NOW)), None, "{token}");
        }
        // Well signed, and still too long to be looked at.
        let padded = with(good_claims(), "pad", json!("x".repeat(64 * 1024)));
        let token = signed(&good_header(), &padded);
        assert_eq!(tokens(OLD).verify(&token, at(NOW)), None);
    }

    #[test]
    fn neither_keys_nor_claims_are_shown() {
        assert_eq!(format!("{:?}", tokens(OLD)), "AccessTokens(1)");
    }
}
