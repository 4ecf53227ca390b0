//! Sealed secrets. One master key from outside the database; from it one key per purpose. Sealing is
//! AES-256-GCM-SIV, which forgives a repeated nonce, with the place of the secret as additional data:
//! a ciphertext moved to another row or person does not open. Keys may be several: the first seals, all open. So
//! a key can be known to every replica before any of them seals with it.

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, Nonce, RandomizedNonceKey},
    constant_time, digest, hkdf, hmac,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use uuid::Uuid;

use crate::error::{Error, Result};

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 12;

/// Where a secret is kept: the table, its row and its owner.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Table and column.
    pub column: &'static str,
    /// Primary key of the row.
    pub row: Uuid,
    /// Whose row it is; nil for rows that are nobody's yet.
    pub user: Uuid,
}

/// The keys of this server.
pub struct Keys(Vec<Key>);

struct Key {
    id: [u8; KEY_ID],
    seal: RandomizedNonceKey,
    master: hkdf::Prk,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

impl Keys {
    /// Reads keys written as in `SECRET_KEY`: base64 of 32 bytes each, comma-separated, the one that seals first.
    ///
    /// # Errors
    /// A sentence that says what is wrong and never shows the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let keys: Result<Vec<Key>, String> = text
            .split(',')
            .map(|part| Key::parse(part.trim()))
            .collect();
        Ok(Self(keys?))
    }

    /// Seals a secret for one place.
    pub fn seal(&self, place: Place, secret: &[u8]) -> Result<Vec<u8>> {
        let key = self.first()?;
        let mut body = secret.to_vec();
        let aad = Aad::from(place.bytes(key.id));
        let nonce = key
            .seal
            .seal_in_place_append_tag(aad, &mut body)
            .map_err(Error::internal)?;
        let mut sealed = Vec::with_capacity(1 + KEY_ID + NONCE + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens a secret that was sealed for this place.
    ///
    /// # Errors
    /// If the place differs, the key is not among ours, or a bit was changed.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>> {
        let broken = || {
            Error::internal(format!(
                "the secret in {} of row {} does not open",
                place.column, place.row
            ))
        };
        let (head, rest) = sealed.split_at_checked(1 + KEY_ID).ok_or_else(broken)?;
        let key = self
            .0
            .iter()
            .find(|key| head.first() == Some(&VERSION) && head.ends_with(&key.id));
        let key = key.ok_or_else(broken)?;
        let (nonce, body) = rest.split_at_checked(NONCE).ok_or_else(broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let mut body = body.to_vec();
        let aad = Aad::from(place.bytes(key.id));
        let opened = key
            .seal
            .open_in_place(nonce, aad, &mut body)
            .map_err(|_| broken())?;
        Ok(opened.to_vec())
    }

    /// What a secret begins with that was sealed under the first key.
    pub fn head(&self) -> Result<Vec<u8>> {
        let first = self.first()?;
        Ok([&[VERSION][..], &first.id].concat())
    }

    /// The ids of the keys in hex, as the keys were given. They tell nothing of the keys.
    pub fn ids(&self) -> Vec<String> {
        self.0.iter().map(|key| hex(&key.id)).collect()
    }

    /// The keys of access tokens, the one that signs first, each with its id in hex.
    pub fn access_token_keys(&self) -> Result<Vec<(String, [u8; 32])>> {
        let keys = self.0.iter();
        keys.map(|key| Ok((hex(&key.id), derive(&key.master, b"access token")?)))
            .collect()
    }

    /// A keyed hash under the first key.
    pub fn mac(&self, purpose: &'static [u8], message: &[u8]) -> Result<[u8; 32]> {
        self.first()?.mac(purpose, message)
    }

    /// Whether a keyed hash was made by any of our keys, in constant time for each.
    pub fn mac_matches(&self, purpose: &'static [u8], message: &[u8], mac: &[u8]) -> bool {
        self.0.iter().any(|key| {
            let own = key.mac(purpose, message).ok();
            let own = own.as_ref().and_then(|own| own.get(..mac.len()));
            own.is_some_and(|own| constant_time::verify_slices_are_equal(own, mac).is_ok())
        })
    }

    fn first(&self) -> Result<&Key> {
        self.0
            .first()
            .ok_or_else(|| Error::internal("no secret key"))
    }
}

impl Key {
    fn parse(text: &str) -> Result<Self, String> {
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| "is not base64".to_owned())?;
        if bytes.len() != 32 {
            return Err(format!("has {} bytes where 32 are needed", bytes.len()));
        }
        if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
            return Err("is one byte repeated".to_owned());
        }
        let master = hkdf::Salt::new(hkdf::HKDF_SHA256, b"passbook").extract(&bytes);
        let unusable = |_| "cannot be used".to_owned();
        let seal = derive(&master, b"seal").map_err(unusable)?;
        let seal = RandomizedNonceKey::new(&AES_256_GCM_SIV, &seal);
        let seal = seal.map_err(|_| "cannot be used".to_owned())?;
        let id = derive(&master, b"key id").map_err(unusable)?;
        let id = digest::digest(&digest::SHA256, &id);
        let id = id.as_ref().first_chunk().copied();
        let id = id.ok_or_else(|| "cannot be used".to_owned())?;
        Ok(Self { id, seal, master })
    }

    fn mac(&self, purpose: &'static [u8], message: &[u8]) -> Result<[u8; 32]> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &derive(&self.master, purpose)?);
        let mac = hmac::sign(&key, message);
        let mac = mac.as_ref().try_into();
        mac.map_err(Error::internal)
    }
}

impl Place {
    fn bytes(&self, key: [u8; KEY_ID]) -> Vec<u8> {
        let mut bytes = self.column.as_bytes().to_vec();
        bytes.push(0);
        bytes.extend_from_slice(self.row.as_bytes());
        bytes.extend_from_slice(self.user.as_bytes());
        bytes.extend_from_slice(&key);
        bytes
    }
}

/// A key for one purpose. HKDF fails only for more than 255 blocks of output, and this is one; if it did, no key of
/// zeros may come of it.
fn derive(master: &hkdf::Prk, purpose: &'static [u8]) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    let info = [purpose];
    let okm = master.expand(&info, hkdf::HKDF_SHA256);
    let okm = okm.map_err(Error::internal)?;
    okm.fill(&mut key).map_err(Error::internal)?;
    Ok(key)
}

/// SHA-256 in lower-case hex: how bearer secrets are remembered.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn place(row: u128, user: u128) -> Place {
        Place {
            column: "items.access_token",
            row: Uuid::from_u128(row),
            user: Uuid::from_u128(user),
        }
    }

    #[test]
    fn a_secret_opens_only_where_it_was_sealed() {
        let keys = Keys::parse(OLD).unwrap();
        let sealed = keys.seal(place(1, 2), b"secret").unwrap();
        assert_eq!(keys.open(place(1, 2), &sealed).unwrap(), b"secret");
        assert!(keys.open(place(3, 2), &sealed).is_err());
        assert!(keys.open(place(1, 3), &sealed).is_err());
        let other = Place {
            column: "link_tokens.token",
            ..place(1, 2)
        };
        assert!(keys.open(other, &sealed).is_err());
    }

    #[test]
    fn an_old_key_still_opens_and_a_foreign_one_never() {
        let sealed = Keys::parse(OLD)
            .unwrap()
            .seal(place(1, 2), b"secret")
            .unwrap();
        let both = Keys::parse(&format!("{NEW},{OLD}")).unwrap();
        assert_eq!(both.open(place(1, 2), &sealed).unwrap(), b"secret");
        assert!(
            Keys::parse(NEW)
                .unwrap()
                .open(place(1, 2), &sealed)
                .is_err()
        );
    }

    #[test]
    fn a_changed_bit_does_not_open() {
        let keys = Keys::parse(OLD).unwrap();
        let sealed = keys.seal(place(1, 2), b"secret").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keys.open(place(1, 2), &changed).is_err(), "byte {at}");
        }
        assert!(keys.open(place(1, 2), &[]).is_err());
    }

    #[test]
    fn bad_keys_are_named_and_not_shown() {
        for (text, why) in [
            ("c2hvcnQ=", "5 bytes"),
            ("%%", "base64"),
            (&STANDARD.encode([0; 32]), "repeated"),
        ] {
            let message = Keys::parse(text).unwrap_err();
            assert!(
                message.contains(why) && !message.contains(text),
                "{message}"
            );
        }
    }
}
