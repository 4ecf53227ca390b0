//! The keys webhooks are signed with: P-256, made fresh at each start, two live ones from the beginning.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::seed::Seed;
use crate::settings::SignatureFault;

/// A key as `/webhook_verification_key/get` publishes it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PublicKey {
    alg: &'static str,
    crv: &'static str,
    kty: &'static str,
    r#use: &'static str,
    pub(crate) kid: String,
    x: String,
    y: String,
    created_at: i64,
    pub(crate) expired_at: Option<i64>,
}

#[derive(Debug)]
struct Key {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

/// All keys there ever were; the last one signs.
#[derive(Debug)]
pub(crate) struct Keys {
    keys: Vec<Key>,
    random: SystemRandom,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'static str,
}

#[derive(Serialize)]
struct Claims {
    iat: i64,
    request_body_sha256: String,
}

impl Keys {
    pub(crate) fn new(now: i64) -> Result<Self> {
        let mut keys = Self {
            keys: Vec::new(),
            random: SystemRandom::new(),
        };
        keys.add(now)?;
        keys.add(now)?;
        Ok(keys)
    }

    fn add(&mut self, now: i64) -> Result<String> {
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| Error::Key)?;
        // An uncompressed point: a marker, then x and y of 32 bytes each.
        let point = pair.public_key().as_ref();
        let coordinate = |from: usize| {
            point
                .get(from..from + 32)
                .map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes))
                .ok_or(Error::Key)
        };
        let (x, y) = (coordinate(1)?, coordinate(33)?);
        let word = point
            .get(1..9)
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u64::from_be_bytes);
        let kid = Seed(word).uuid().to_string();
        let public = PublicKey {
            alg: "ES256",
            crv: "P-256",
            kty: "EC",
            r#use: "sig",
            kid: kid.clone(),
            x,
            y,
            created_at: now,
            expired_at: None,
        };
        self.keys.push(Key { pair, public });
        Ok(kid)
    }

    /// Signs with a new key from now on. The one before is published as expired; the spare one stays live.
    pub(crate) fn rotate(&mut self, now: i64) -> Result<String> {
        if let Some(signing) = self.keys.last_mut() {
            signing.public.expired_at = Some(now);
        }
        self.add(now)
    }

    pub(crate) fn find(&self, kid: &str) -> Option<PublicKey> {
        self.keys
            .iter()
            .map(|key| &key.public)
            .find(|key| key.kid == kid)
            .cloned()
    }

    pub(crate) fn all(&self) -> Vec<PublicKey> {
        self.keys.iter().map(|key| key.public.clone()).collect()
    }

    /// The value of `Plaid-Verification` for a body, or nothing where the fault is its absence.
    pub(crate) fn sign(&self, body: &[u8], now: i64, fault: SignatureFault) -> Option<String> {
        if fault == SignatureFault::Missing {
            return None;
        }
        let key = self.keys.last()?;
        let unknown = Seed(0).of(&key.public.kid).uuid().to_string();
        let header = Header {
            alg: if fault == SignatureFault::WrongAlgorithm {
                "HS256"
            } else {
                "ES256"
            },
            kid: if fault == SignatureFault::UnknownKey {
                &unknown
            } else {
                &key.public.kid
            },
            typ: "JWT",
        };
        let iat = if fault == SignatureFault::OldIssue {
            now - 3_600
        } else {
            now
        };
        let claims = Claims {
            iat,
            request_body_sha256: sha256(body),
        };
        let text = format!("{}.{}", encode(&header)?, encode(&claims)?);
        let signature = key.pair.sign(&self.random, text.as_bytes()).ok()?;
        Some(format!(
            "{text}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature)
        ))
    }
}

fn encode(part: &impl Serialize) -> Option<String> {
    serde_json::to_vec(part)
        .ok()
        .map(|json| BASE64_URL_SAFE_NO_PAD.encode(json))
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in digest(&SHA256, bytes).as_ref() {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    text
}
