//! Cursors: a sort key with a keyed hash over it, the person and the field.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    app::App,
    error::{Error, Result},
    seal::Keys,
    viewer::Viewer,
};

const MAC: usize = 12;

/// What a cursor is bound to.
#[derive(Clone, Debug)]
pub struct Scope {
    keys: Arc<Keys>,
    bound: String,
}

impl Scope {
    /// Cursors of one person in one field; name the order too, where a field has several.
    pub fn new(app: &App, viewer: Viewer, field: &str) -> Self {
        Self {
            keys: app.keys.clone(),
            bound: format!("{} {field} ", viewer.user_id),
        }
    }

    /// The cursor for a sort key.
    pub fn encode(&self, key: &str) -> String {
        let mac = self
            .keys
            .mac(b"cursor", format!("{}{key}", self.bound).as_bytes())
            .unwrap_or_default();
        let mut bytes = mac.get(..MAC).unwrap_or_default().to_vec();
        bytes.extend_from_slice(key.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The sort key of a cursor made here.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` with the same text whatever is wrong with it.
    pub fn decode(&self, argument: &str, cursor: &str) -> Result<String> {
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let (mac, key) = bytes.split_at_checked(MAC)?;
            let key = std::str::from_utf8(key).ok()?;
            let message = format!("{}{key}", self.bound);
            self.keys
                .mac_matches(b"cursor", message.as_bytes(), mac)
                .then(|| key.to_owned())
        };
        read().ok_or_else(|| not_a_cursor(argument))
    }
}

/// The one answer to whatever is wrong with a cursor.
pub(super) fn not_a_cursor(argument: &str) -> Error {
    let remedy = "pass one that this field returned to you";
    Error::BadInput(format!(
        "`{argument}` is not a cursor of this list: {remedy}."
    ))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::{prelude::ProptestConfig, test_runner::RngSeed};
    use uuid::Uuid;

    use super::*;

    pub(crate) fn scope(user: u128, field: &str) -> Scope {
        let keys = Keys::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        Scope {
            keys: Arc::new(keys),
            bound: format!("{} {field} ", Uuid::from_u128(user)),
        }
    }

    #[test]
    fn a_cursor_is_good_for_its_person_and_field_only() {
        let cursor = scope(1, "items").encode("2026-01-31 x");
        assert_eq!(
            scope(1, "items").decode("after", &cursor).unwrap(),
            "2026-01-31 x"
        );
        let stranger = scope(2, "items")
            .decode("after", &cursor)
            .unwrap_err()
            .to_string();
        let field = scope(1, "accounts")
            .decode("after", &cursor)
            .unwrap_err()
            .to_string();
        let edited = scope(1, "items")
            .decode("after", &format!("{cursor}AA"))
            .unwrap_err()
            .to_string();
        assert_eq!((&stranger, &stranger), (&field, &edited));
        for text in ["", "x", "AAAA", "é", &"A".repeat(10_000)] {
            assert!(scope(1, "items").decode("after", text).is_err());
        }
    }

    proptest::proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn no_text_but_the_very_cursor_is_one(key in ".{0,40}", made_up in ".{0,60}", at in 0_usize..80, byte: u8) {
            let scope = scope(1, "items");
            let cursor = scope.encode(&key);
            assert_eq!(scope.decode("after", &cursor).unwrap(), key);
            assert!(scope.decode("after", &made_up).is_err());
            let mut edited = cursor.clone().into_bytes();
            let at = at % edited.len();
            edited[at] = byte;
            if edited != cursor.as_bytes() {
                let edited = String::from_utf8_lossy(&edited);
                assert!(scope.decode("after", &edited).is_err(), "{cursor} {edited}");
            }
        }
    }
}
