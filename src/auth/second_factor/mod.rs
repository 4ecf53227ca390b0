//! The second factor: a code of an authenticator app (RFC 6238), or one of ten recovery codes.
//!
//! Somebody who has proven everything else gets a **challenge** and no session: a token for five minutes that opens
//! nothing by itself. It is made of the account as it stands, so that a new password or another secret voids it, and
//! nothing of it is stored. Five codes may be tried with it, and so many an hour with all of one account, which only
//! somebody who knows the password can use up. What a session tries is counted apart.
//!
//! A code is good once: the step it belongs to is kept, and no step up to it counts again. The secret is sealed as
//! logins at banks are; recovery codes are kept as hashes and shown once.
//!
//! Setting a new password, by mail or otherwise, does not switch it off.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{activity::ActivityKind, user};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};
use uuid::Uuid;

use super::Auth;
use crate::{
    activity::{self, Entry},
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    seal::Keys,
    viewer::ClientInfo,
};

mod complete_login;
mod disable;
mod enable;
mod recovery;
#[cfg(test)]
mod tests;
mod totp;

pub(super) use complete_login::{CompleteLoginInput, complete_login};
pub(super) use disable::{
    DisableTotpInput, RegenerateRecoveryCodesInput, disable_totp, regenerate_recovery_codes, remove,
};
pub(super) use enable::{ConfirmTotpInput, EnableTotpInput, confirm_totp, enable_totp};

use totp::Secret;

const PREFIX: &str = "psf_";
const PURPOSE: &[u8] = b"second factor";
const MAC: usize = 32;
/// 72 bytes in base64.
const LENGTH: usize = 96;
/// How long somebody has for the code.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// What is asked of somebody who has proven everything else.
pub(super) struct Challenge {
    pub(super) token: String,
    pub(super) expires_at: DateTime<Utc>,
}

/// Asks for a person's second factor.
pub(super) fn challenge(auth: &Auth, user: &user::Model) -> Result<Challenge> {
    let expires_at = auth.app.clock.now() + PATIENCE;
    let body = Body {
        sign_in: Uuid::now_v7(),
        user_id: user.id,
        expires_at: expires_at.timestamp_millis(),
    };
    let mac = auth.app.keys.mac(PURPOSE, &body.message(user))?;
    let bytes = [&body.bytes()[..], &mac].concat();
    Ok(Challenge {
        token: format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)),
        expires_at,
    })
}

/// What a challenge says.
struct Body {
    /// Names this sign-in, whose codes are counted.
    sign_in: Uuid,
    user_id: Uuid,
    /// In milliseconds since 1970.
    expires_at: i64,
}

impl Body {
    fn bytes(&self) -> Vec<u8> {
        let time = self.expires_at.to_be_bytes();
        [&self.sign_in.as_bytes()[..], self.user_id.as_bytes(), &time].concat()
    }

    /// What the hash is over: what it says, and the account as it stood.
    fn message(&self, user: &user::Model) -> Vec<u8> {
        let enabled = user.totp_enabled_at.map_or(0, |at| at.timestamp_micros());
        let account = [user.password_hash.as_bytes(), &enabled.to_be_bytes()].concat();
        [self.bytes(), account].concat()
    }
}

/// A challenge as it was shown to us; whether it is genuine only the account can tell.
struct Presented {
    body: Body,
    mac: [u8; MAC],
}

impl Presented {
    fn read(token: &str) -> Option<Self> {
        let text = token.strip_prefix(PREFIX)?;
        if text.len() != LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (sign_in, rest) = bytes.split_first_chunk::<16>()?;
        let (user_id, rest) = rest.split_first_chunk::<16>()?;
        let (expires_at, mac) = rest.split_first_chunk::<8>()?;
        let body = Body {
            sign_in: Uuid::from_bytes(*sign_in),
            user_id: Uuid::from_bytes(*user_id),
            expires_at: i64::from_be_bytes(*expires_at),
        };
        let mac = mac.try_into().ok()?;
        Some(Self { body, mac })
    }

    fn is_of(&self, user: &user::Model, keys: &Keys) -> bool {
        let same = self.body.user_id == user.id && user.totp_enabled_at.is_some();
        same && keys.mac_matches(PURPOSE, &self.body.message(user), &self.mac)
    }
}

/// A person.
async fn account(auth: &Auth, user_id: Uuid) -> Result<user::Model> {
    let user = user::Entity::find_by_id(user_id).one(auth.app.db.read());
    user.await?.ok_or(Error::Unauthenticated)
}

/// The row of a person, which nobody else changes until the transaction ends.
pub(super) async fn locked(txn: &Txn, user_id: Uuid) -> Result<user::Model> {
    let rows = user::Entity::find_by_id(user_id)
        .filter(user::Column::DeletedAt.is_null())
        .lock(LockType::NoKeyUpdate);
    rows.one(&**txn).await?.ok_or(Error::Unauthenticated)
}

/// Writes down since when the second factor is on, or that it is off.
async fn switch(
    txn: &Txn,
    user_id: Uuid,
    enabled_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<user::Model> {
    let rows = user::Entity::update_many()
        .col_expr(user::Column::TotpEnabledAt, Expr::value(enabled_at))
        .col_expr(user::Column::UpdatedAt, Expr::value(now))
        .filter(user::Column::Id.eq(user_id))
        .exec_with_returning(&**txn)
        .await?;
    rows.into_iter().next().ok_or(Error::Unauthenticated)
}

/// Uses a code of the app up, or a recovery code, which goes into the person's log.
async fn spend_code(
    auth: &Auth,
    txn: &Txn,
    user_id: Uuid,
    code: &str,
    client: &ClientInfo,
) -> Result<()> {
    let now = auth.app.clock.now();
    if recovery::is_like(code) {
        let left = recovery::spend(txn, user_id, code, now).await?;
        let left = left.ok_or_else(wrong_code)?;
        let entry = Entry {
            detail: Some(format!("{left} left")),
            ..Entry::of(user_id, ActivityKind::RecoveryCodeUsed, client)
        };
        return activity::record(&**txn, now, entry).await;
    }
    let row = totp_row(txn, user_id).await?.ok_or_else(wrong_code)?;
    let secret = Secret::open(&auth.app.keys, &row)?;
    let step = secret.step(code.trim(), now).ok_or_else(wrong_code)?;
    let taken = entity::totp::Entity::update_many()
        .col_expr(entity::totp::Column::LastStep, Expr::value(step))
        .filter(entity::totp::Column::Id.eq(row.id))
        .filter(entity::totp::Column::LastStep.lt(step))
        .exec(&**txn)
        .await?;
    if taken.rows_affected == 0 {
        return Err(wrong_code());
    }
    Ok(())
}

async fn totp_row(txn: &Txn, user_id: Uuid) -> Result<Option<entity::totp::Model>> {
    let rows = entity::totp::Entity::find().filter(entity::totp::Column::UserId.eq(user_id));
    Ok(rows.one(&**txn).await?)
}

fn wrong(field: &str, text: &str) -> Error {
    Refusal::new(ErrorCode::InvalidCredentials, text)
        .on(field)
        .into()
}

fn wrong_code() -> Error {
    wrong(
        "code",
        "This code is wrong or was used. Wait for the next one.",
    )
}
