//! The keys of the issuers, and tokens as they are ordered.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::desk::{Alg, Forgery};
use crate::error::{Error, Result};

/// The keys: made fresh at each start.
#[derive(Debug)]
pub(crate) struct Signer {
    elliptic: EcdsaKeyPair,
    rsa: RsaKeyPair,
    /// Published nowhere.
    stray: EcdsaKeyPair,
    random: SystemRandom,
}

impl Signer {
    pub(super) fn new() -> Result<Self> {
        let elliptic =
            || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| Error::Key);
        Ok(Self {
            elliptic: elliptic()?,
            stray: elliptic()?,
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| Error::Key)?,
            random: SystemRandom::new(),
        })
    }

    /// The set of public keys.
    pub(super) fn public(&self) -> Value {
        // RSAPublicKey in DER, of 2048 bits and the usual exponent: nine bytes before the modulus.
        let modulus = self.rsa.public_key().as_ref().get(9..9 + 256);
        let rsa = json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "rsa", "e": "AQAB",
            "n": BASE64_URL_SAFE_NO_PAD.encode(modulus.unwrap_or_default()),
        });
        json!({ "keys": [point(&self.elliptic, "elliptic"), rsa] })
    }

    /// A token with these claims, and what is wrong with it.
    pub(super) fn token(
        &self,
        claims: &Map<String, Value>,
        alg: Alg,
        forgery: Forgery,
        client_secret: &str,
    ) -> Option<String> {
        let mut header = match alg {
            Alg::Es256 => json!({"alg": "ES256", "kid": "elliptic", "typ": "JWT"}),
            Alg::Rs256 => json!({"alg": "RS256", "kid": "rsa", "typ": "JWT"}),
        };
        match forgery {
            Forgery::AlgNone => header["alg"] = json!("none"),
            Forgery::AlgPublicKey | Forgery::AlgClientSecret => header["alg"] = json!("HS256"),
            Forgery::UnknownKey => header["kid"] = json!("stray"),
            Forgery::EmbeddedKey => header["jwk"] = point(&self.stray, "elliptic"),
            _ => {}
        }
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(&json!(claims)));
        let shared = |key: &[u8]| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key);
            hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
        };
        let signature = match (forgery, alg) {
            (Forgery::AlgNone, _) => Vec::new(),
            (Forgery::AlgPublicKey, _) => shared(self.rsa.public_key().as_ref()),
            (Forgery::AlgClientSecret, _) => shared(client_secret.as_bytes()),
            (Forgery::UnknownKey | Forgery::EmbeddedKey, _) => self.elliptic(&self.stray, &text)?,
            (_, Alg::Es256) => self.elliptic(&self.elliptic, &text)?,
            (_, Alg::Rs256) => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                let signed = self.rsa.sign(
                    &RSA_PKCS1_SHA256,
                    &self.random,
                    text.as_bytes(),
                    &mut signature,
                );
                signed.ok()?;
                signature
            }
        };
        let text = match forgery {
            Forgery::Changed => {
                let mut other = claims.clone();
                other.insert("sub".to_owned(), json!("somebody-else"));
                format!("{}.{}", part(&header), part(&json!(other)))
            }
            _ => text,
        };
        Some(format!(
            "{text}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature)
        ))
    }

    fn elliptic(&self, key: &EcdsaKeyPair, text: &str) -> Option<Vec<u8>> {
        let signature = key.sign(&self.random, text.as_bytes()).ok()?;
        Some(signature.as_ref().to_vec())
    }
}

/// An elliptic key as a set publishes it.
fn point(key: &EcdsaKeyPair, kid: &str) -> Value {
    // An uncompressed point: a marker, then x and y of 32 bytes each.
    let point = key.public_key().as_ref();
    let coordinate = |from: usize| {
        let bytes = point.get(from..from + 32).unwrap_or_default();
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    };
    json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid,
        "x": coordinate(1), "y": coordinate(33),
    })
}
