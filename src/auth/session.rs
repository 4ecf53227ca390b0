//! Sessions as rows, and the tokens made of them. A refresh token is the session's id, the number of
//! its rotation, and a keyed hash over both and the row's salt: nothing that opens a session is
//! stored, and the current token can be made again for the tab that came second.

use std::time::Duration;

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use entity::{session, user};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use uuid::Uuid;

use super::Auth;
use crate::{
    database::Txn,
    error::{Error, Result},
    seal::Keys,
    viewer::{ClientInfo, Viewer},
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

/// Begins a session.
pub(super) async fn begin(
    auth: &Auth,
    txn: &Txn,
    user_id: Uuid,
    client: &ClientInfo,
) -> Result<session::Model> {
    let now = auth.app.clock.now();
    let mut salt = vec![0; 16];
    rand::fill(&mut salt).map_err(Error::internal)?;
    let client = client.abridged();
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
        created_at: Set(now),
        revoked_at: Set(None),
        revoked_reason: Set(None),
    };
    Ok(row.insert(&**txn).await?)
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
