//! Sessions as rows, and the tokens made of them. A refresh token is the session's id, the number of
//! its rotation, and a keyed hash over both and the row's salt: nothing that opens a session is
//! stored, and the current token can be made again for the tab that came second.

use std::time::Duration;

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use entity::{session, user};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, QueryFilter, QuerySelect, sea_query::LockType,
};
use uuid::Uuid;

use super::{Auth, lock::refuse_locked};
use crate::{
    database::Txn,
    error::{Error, Result},
    seal::Keys,
    viewer::{ClientInfo, Owned, Viewer, is_here},
};

const PREFIX: &str = "prt_";
const PURPOSE: &[u8] = b"refresh token";
const MAC: usize = 32;
/// After this a session is over however often it was refreshed.
const LONGEST_SESSION: Duration = Duration::from_hours(90 * 24);

/// What a client gets when its session begins or goes on.
pub(super) struct Grant {
    pub(super) user: user::Model,
    pub(super) access_token: String,
    pub(super) access_token_expires_at: DateTime<Utc>,
    pub(super) refresh_token: String,
    pub(super) refresh_token_expires_at: DateTime<Utc>,
}

/// Begins a session, for whoever has proven to be this person.
///
/// # Errors
/// `ACCOUNT_LOCKED`.
pub(super) async fn begin(
    auth: &Auth,
    txn: &Txn,
    user_id: Uuid,
    client: &ClientInfo,
) -> Result<session::Model> {
    if !is_here(&**txn, user_id).await? {
        // Deleted since the password was compared.
        return Err(Error::Unauthenticated);
    }
    refuse_locked(txn, user_id).await?;
    let now = auth.app.clock.now();
    let mut salt = vec![0; 16];
    rand::fill(&mut salt).map_err(Error::internal)?;
    let client = client.abridged();
    let network = client.network().map(|network| network.to_string());
    let ends_at = now + LONGEST_SESSION;
    let row = session::ActiveModel {
        id: Set(Uuid::now_v7()),
        user_id: Set(user_id),
        salt: Set(salt),
        generation: Set(0),
        rotated_at: Set(now),
        expires_at: Set(expiry(auth, now, ends_at)),
        ends_at: Set(ends_at),
        user_agent: Set(client.user_agent),
        address: Set(client.address),
        network: Set(network.clone()),
        first_network: Set(network),
        created_at: Set(now),
        revoked_at: Set(None),
        revoked_reason: Set(None),
    };
    Ok(row.insert(&**txn).await?)
}

/// Refuses a request whose session was ended after it was let in, in the transaction of what it does: it holds the row,
/// so that whoever ends the session comes before it or finds what it did. For what outlives sessions; the person's
/// own row has to be held before, as by whoever ends them all.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub(super) async fn refuse_ended(txn: &Txn, viewer: Viewer) -> Result<()> {
    let open = session::Entity::owned_by(viewer)
        .select_only()
        .column(session::Column::Id)
        .filter(session::Column::Id.eq(viewer.session_id))
        .filter(session::Column::RevokedAt.is_null())
        .lock(LockType::Share);
    let open = open.into_tuple::<Uuid>().one(&**txn).await?;
    open.map(drop).ok_or(Error::Unauthenticated)
}

/// When a session that is used now is over.
pub(super) fn expiry(auth: &Auth, now: DateTime<Utc>, ends_at: DateTime<Utc>) -> DateTime<Utc> {
    (now + auth.app.config.refresh_token_ttl).min(ends_at)
}

/// The tokens of a session as it stands.
pub(super) fn grant(auth: &Auth, user: user::Model, session: &session::Model) -> Result<Grant> {
    let viewer = Viewer {
        user_id: user.id,
        session_id: session.id,
    };
    let now = auth.app.clock.now();
    let (access_token, access_token_expires_at) =
        auth.tokens.issue(viewer, now, session.expires_at)?;
    Ok(Grant {
        user,
        access_token,
        access_token_expires_at,
        refresh_token: refresh_token(&auth.app.keys, session)?,
        refresh_token_expires_at: session.expires_at,
    })
}

/// The current refresh token of a session.
pub(super) fn refresh_token(keys: &Keys, session: &session::Model) -> Result<String> {
    let mut bytes = message(session.id, session.generation, &[]);
    let mac = keys.mac(
        PURPOSE,
        &message(session.id, session.generation, &session.salt),
    )?;
    bytes.extend_from_slice(&mac);
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// A refresh token as it was shown to us; whether it is genuine only the session's row can tell.
pub(super) struct Presented {
    pub(super) session_id: Uuid,
    pub(super) generation: i64,
    mac: [u8; MAC],
}

impl Presented {
    pub(super) fn read(token: &str) -> Option<Self> {
        let text = token.strip_prefix(PREFIX)?;
        // 56 bytes, and what is not of that length is not worth decoding.
        if text.len() != 75 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, mac) = rest.split_first_chunk::<8>()?;
        Some(Self {
            session_id: Uuid::from_bytes(*id),
            generation: i64::from_be_bytes(*generation),
            mac: mac.try_into().ok()?,
        })
    }

    /// Whether we made it for this session, under any of our keys.
    pub(super) fn is_of(&self, session: &session::Model, keys: &Keys) -> bool {
        let message = message(self.session_id, self.generation, &session.salt);
        session.id == self.session_id && keys.mac_matches(PURPOSE, &message, &self.mac)
    }
}

fn message(session_id: Uuid, generation: i64, salt: &[u8]) -> Vec<u8> {
    [session_id.as_bytes(), &generation.to_be_bytes()[..], salt].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn session(id: u128, generation: i64, salt: u8) -> session::Model {
        let now = DateTime::UNIX_EPOCH;
        session::Model {
            id: Uuid::from_u128(id),
            user_id: Uuid::from_u128(9),
            salt: vec![salt; 16],
            generation,
            rotated_at: now,
            expires_at: now,
            ends_at: now,
            user_agent: None,
            address: None,
            network: None,
            first_network: None,
            created_at: now,
            revoked_at: None,
            revoked_reason: None,
        }
    }

    #[test]
    fn a_refresh_token_is_of_one_session_and_one_rotation() {
        let keys = Keys::parse(OLD).unwrap();
        let token = refresh_token(&keys, &session(1, 3, 5)).unwrap();
        assert_eq!(token, refresh_token(&keys, &session(1, 3, 5)).unwrap());
        let read = Presented::read(&token).unwrap();
        assert_eq!((read.session_id, read.generation), (Uuid::from_u128(1), 3));
        // The row may have gone on: that is for the caller to see.
        assert!(read.is_of(&session(1, 4, 5), &keys));
        assert!(!read.is_of(&session(2, 3, 5), &keys));
        assert!(!read.is_of(&session(1, 3, 6), &keys));
        let others = [session(1, 2, 5), session(2, 3, 5), session(1, 3, 6)];
        for other in others {
            assert_ne!(token, refresh_token(&keys, &other).unwrap());
        }
    }

    #[test]
    fn an_old_key_still_knows_its_tokens_and_a_foreign_one_never() {
        let row = session(1, 0, 5);
        let token = refresh_token(&Keys::parse(OLD).unwrap(), &row).unwrap();
        let read = Presented::read(&token).unwrap();
        let both = Keys::parse(&format!("{NEW},{OLD}")).unwrap();
        assert!(read.is_of(&row, &both));
        assert!(!read.is_of(&row, &Keys::parse(NEW).unwrap()));
    }

    #[test]
    fn what_is_not_a_refresh_token_reads_as_nothing_or_is_nobodys() {
        let keys = Keys::parse(OLD).unwrap();
        let row = session(1, 0, 5);
        let token = refresh_token(&keys, &row).unwrap();
        let accepted =
            |text: &str| Presented::read(text).is_some_and(|read| read.is_of(&row, &keys));
        assert!(accepted(&token));
        let body = &token[PREFIX.len()..];
        // Shorter hashes match the beginning of the right one: the length has to be exact.
        for cut in 0..body.len() {
            assert!(!accepted(&format!("{PREFIX}{}", &body[..cut])), "{cut}");
        }
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert!(!accepted(&String::from_utf8(bytes).unwrap()), "{at}");
        }
        let long = "A".repeat(1 << 20);
        for text in [
            body,
            "",
            "prt_",
            &format!("{token}A"),
            &format!("{token}="),
            &long,
        ] {
            assert!(!accepted(text), "{text:.99}");
        }
    }
}
