//! Addresses that open one thing for one session, for minutes: where a browser saves a file, it sends
//! no token. An address is made each time it is asked for and kept nowhere; what makes it genuine is a
//! keyed hash over the thing, the person, the session and the end.
//!
//! Refused: an address that is good as long as the thing is there, which whoever finds it in a history
//! could use; and one that outlives its session, so that signing out would not end it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{error::Result, seal::Keys, viewer::Viewer};

const PURPOSE: &[u8] = b"signed url";
/// How long an address is good.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(5);
/// Person, session, end and hash.
const LENGTH: usize = 16 + 16 + 8 + 32;

/// What stands behind the `?` of an address for a thing.
pub fn sign(keys: &Keys, thing: &str, viewer: Viewer, now: DateTime<Utc>) -> Result<String> {
    let until = (now + LIFETIME).timestamp();
    let claim = claim(viewer, until);
    let mac = keys.mac(PURPOSE, &message(thing, &claim))?;
    let token = URL_SAFE_NO_PAD.encode([&claim[..], &mac].concat());
    Ok(format!("token={token}"))
}

/// For whom an address of a thing is good now; nobody if it is not genuine, or its time is over.
pub fn verify(keys: &Keys, thing: &str, query: &str, now: DateTime<Utc>) -> Option<Viewer> {
    let token = query.strip_prefix("token=")?;
    if token.len() != LENGTH / 3 * 4 {
        return None;
    }
    let bytes: [u8; LENGTH] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
    let (claim, mac) = bytes.split_at(LENGTH - 32);
    if !keys.mac_matches(PURPOSE, &message(thing, claim), mac) {
        return None;
    }
    let (user, rest) = claim.split_first_chunk::<16>()?;
    let (session, until) = rest.split_first_chunk::<16>()?;
    let until = i64::from_be_bytes(until.try_into().ok()?);
    (now.timestamp() < until).then(|| Viewer {
        user_id: Uuid::from_bytes(*user),
        session_id: Uuid::from_bytes(*session),
    })
}

fn claim(viewer: Viewer, until: i64) -> Vec<u8> {
    let (user, session) = (viewer.user_id, viewer.session_id);
    [
        user.as_bytes(),
        session.as_bytes(),
        &until.to_be_bytes()[..],
    ]
    .concat()
}

/// The claim has one length, so that no thing's name can lend it a byte.
fn message(thing: &str, claim: &[u8]) -> Vec<u8> {
    [claim, thing.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn viewer() -> Viewer {
        Viewer {
            user_id: Uuid::from_u128(1),
            session_id: Uuid::from_u128(2),
        }
    }

    #[test]
    fn an_address_is_good_for_its_thing_and_its_time() {
        let keys = Keys::parse(OLD).unwrap();
        let now = DateTime::UNIX_EPOCH;
        let query = sign(&keys, "one", viewer(), now).unwrap();
        assert_eq!(verify(&keys, "one", &query, now), Some(viewer()));
        let last = now + LIFETIME - TimeDelta::seconds(1);
        assert_eq!(verify(&keys, "one", &query, last), Some(viewer()));
        assert_eq!(verify(&keys, "one", &query, now + LIFETIME), None);
        assert_eq!(verify(&keys, "two", &query, now), None);
        let other = Keys::parse(NEW).unwrap();
        assert_eq!(verify(&other, "one", &query, now), None);
        let both = Keys::parse(&format!("{NEW},{OLD}")).unwrap();
        assert_eq!(verify(&both, "one", &query, now), Some(viewer()));
    }

    #[test]
    fn an_address_that_was_changed_anywhere_is_good_for_nobody() {
        let keys = Keys::parse(OLD).unwrap();
        let now = DateTime::UNIX_EPOCH;
        let query = sign(&keys, "one", viewer(), now).unwrap();
        for at in 0..query.len() {
            let mut bytes = query.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(verify(&keys, "one", &changed, now), None, "{at}");
            assert_eq!(verify(&keys, "one", &query[..at], now), None, "{at}");
        }
        for more in ["=", "A", "&token=x"] {
            let longer = format!("{query}{more}");
            assert_eq!(verify(&keys, "one", &longer, now), None, "{more}");
        }
    }
}
