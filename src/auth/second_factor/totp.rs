//! One-time passwords by time, as RFC 6238 has them and every authenticator app takes them without being told: six
//! digits, thirty seconds, SHA-1 (whose collisions do not matter within HMAC). Thirty lines over the HMAC that is here
//! anyway; the crates for it bring another implementation of it and more ways than this one.

use aws_lc_rs::{constant_time, hmac, rand};
use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;
use entity::totp;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    seal::{Keys, Place},
};

/// Seconds.
const STEP: i64 = 30;
/// As long as the hash, as RFC 4226 recommends.
const SECRET: usize = 20;
const ISSUER: &str = "Passbook";

/// A secret that an authenticator app shares with us.
pub(super) struct Secret(SecretSlice<u8>);

impl Secret {
    pub(super) fn generate() -> Result<Self> {
        let mut bytes = vec![0; SECRET];
        rand::fill(&mut bytes).map_err(Error::internal)?;
        Ok(Self(bytes.into()))
    }

    pub(super) fn open(keys: &Keys, row: &totp::Model) -> Result<Self> {
        let bytes = keys.open(place(row.id, row.user_id), &row.secret)?;
        Ok(Self(bytes.into()))
    }

    pub(super) fn seal(&self, keys: &Keys, row: Uuid, user: Uuid) -> Result<Vec<u8>> {
        keys.seal(place(row, user), self.0.expose_secret())
    }

    /// As it is typed into an app.
    pub(super) fn text(&self) -> SecretString {
        BASE32_NOPAD.encode(self.0.expose_secret()).into()
    }

    /// As it is read from a picture.
    pub(super) fn uri(&self, email: &str) -> SecretString {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte);
        let label: Vec<String> = email
            .bytes()
            .map(|byte| match byte {
                byte if plain(byte) => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect();
        let label = label.concat();
        let secret = self.text();
        let secret = secret.expose_secret();
        format!("otpauth://totp/{ISSUER}:{label}?secret={secret}&issuer={ISSUER}").into()
    }

    /// The step a code belongs to, if it is one of now or of the step before or after: clocks differ, and people type.
    pub(super) fn step(&self, code: &str, now: DateTime<Utc>) -> Option<i64> {
        let current = now.timestamp().div_euclid(STEP);
        (current - 1..=current + 1).rev().find(|step| {
            let own = self.code(*step);
            constant_time::verify_slices_are_equal(own.as_bytes(), code.as_bytes()).is_ok()
        })
    }

    pub(super) fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.expose_secret());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let bytes = tag.as_ref();
        let offset = usize::from(bytes.last().copied().unwrap_or_default() & 0xf);
        let number = bytes.iter().skip(offset).take(4);
        let number = number.fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
    }
}

fn place(row: Uuid, user: Uuid) -> Place {
    Place {
        column: "totps.secret",
        row,
        user,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Secret {
        Secret(b"12345678901234567890".to_vec().into())
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, the last six of eight digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(known().code(seconds / STEP), code, "{seconds}");
        }
    }

    #[test]
    fn a_code_counts_in_its_step_and_in_those_beside_it() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        for (seconds, step) in [
            (29, None),
            (30, Some(2)),
            (59, Some(2)),
            (89, Some(2)),
            (119, Some(2)),
            (120, None),
        ] {
            let code = known().code(2);
            let found = known().step(&code, at(seconds + STEP - 30));
            assert_eq!(found, step, "{seconds}");
        }
        for code in ["", "28708", "2870822", "abcdef", "２８７０８２"] {
            assert_eq!(known().step(code, at(59)), None, "{code}");
        }
    }

    #[test]
    fn an_app_is_told_everything_by_one_address() {
        let uri = known().uri("ana+bank@example.com");
        assert_eq!(
            uri.expose_secret(),
            "otpauth://totp/Passbook:ana%2Bbank@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Passbook"
        );
    }
}
