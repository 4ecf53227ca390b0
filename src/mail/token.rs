//! The token in a mail: the mail's id and a keyed hash over it and the row's salt.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::mail;
use uuid::Uuid;

use crate::{error::Result, seal::Keys};

const PREFIX: &str = "pmt_";
const PURPOSE: &[u8] = b"mail token";
const MAC: usize = 32;
/// 48 bytes in base64.
const LENGTH: usize = 64;

/// The token of a mail.
pub(super) fn token(keys: &Keys, mail: &mail::Model) -> Result<String> {
    let mac = keys.mac(PURPOSE, &message(mail))?;
    let bytes = [mail.id.as_bytes(), &mac[..]].concat();
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// A token as it was shown to us; whether it is genuine only the mail's row can tell.
pub(super) struct Presented {
    pub(super) mail_id: Uuid,
    mac: [u8; MAC],
}

impl Presented {
    pub(super) fn read(token: &str) -> Option<Self> {
        let text = token.trim().strip_prefix(PREFIX)?;
        if text.len() != LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, mac) = bytes.split_first_chunk::<16>()?;
        Some(Self {
            mail_id: Uuid::from_bytes(*id),
            mac: mac.try_into().ok()?,
        })
    }

    /// Whether we made it for this mail, under any of our keys.
    pub(super) fn is_of(&self, mail: &mail::Model, keys: &Keys) -> bool {
        mail.id == self.mail_id && keys.mac_matches(PURPOSE, &message(mail), &self.mac)
    }
}

fn message(mail: &mail::Model) -> Vec<u8> {
    [mail.id.as_bytes(), &mail.salt[..]].concat()
}
