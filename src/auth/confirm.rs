//! Making sure that who is signed in is the person, for what cannot be taken back. Her password says
//! so; somebody without one, who signs in elsewhere, has to have done that a moment ago.

use chrono::TimeDelta;
use entity::{
    activity::ActivityKind,
    session::{self, RevokedReason},
    user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{
    Auth, login::tell_afterwards, logout::revoke, password::Verdict, rules, second_factor::locked,
    session::refuse_ended, throttle,
};
use crate::{
    database::Txn,
    error::{Error, ErrorCode, Refusal, Result},
    viewer::{ClientInfo, Owned, Viewer},
};

/// How old the session of somebody without a password may be.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// What a viewer has shown who is the person: the hash of the password she gave, or that she had none. Hashing takes
/// a while, so it is looked at again where it is used.
#[derive(Debug)]
#[must_use = "it proves nothing until it is looked at again in the transaction of the deed"]
pub(crate) struct Proof {
    viewer: Viewer,
    password_hash: SecretString,
}

impl Proof {
    /// The person, whose row nobody else changes until the transaction ends, if the password is still the one she gave
    /// and her session still open.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` if it was changed meanwhile, `UNAUTHENTICATED` if the session or the account is gone.
    pub(crate) async fn stands(&self, txn: &Txn) -> Result<user::Model> {
        let user = locked(txn, self.viewer.user_id).await?;
        refuse_ended(txn, self.viewer).await?;
        if user.password_hash == self.password_hash.expose_secret() {
            return Ok(user);
        }
        Err(wrong())
    }
}

impl Auth {
    /// Makes sure that the viewer is the person; who does not prove it goes into her log as `failed`.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` for a wrong password, `INVALID_INPUT` where one is missing,
    /// `SIGN_IN_AGAIN` for somebody without one whose session is not fresh, `RATE_LIMITED`.
    pub(crate) async fn confirm(
        &self,
        viewer: Viewer,
        password: Option<&str>,
        failed: ActivityKind,
        client: &ClientInfo,
    ) -> Result<Proof> {
        let rows = user::Entity::find()
            .filter(user::Column::Id.eq(viewer.user_id))
            .filter(user::Column::DeletedAt.is_null());
        let user = rows.one(self.app.db.read()).await?;
        let user = user.ok_or(Error::Unauthenticated)?;
        let proof = Proof {
            viewer,
            password_hash: user.password_hash.as_str().into(),
        };
        if user.password_hash.is_empty() {
            if self.is_fresh(viewer).await? {
                return Ok(proof);
            }
            throttle::confirmation(&self.app, user.id).await?;
            tell_afterwards(self, user.id, failed, client);
            let text = "You have no password, and signed in too long ago for this. Sign in again, then repeat it within ten minutes.";
            return Err(Refusal::new(ErrorCode::SignInAgain, text).into());
        }
        let text = "Enter your password.";
        let password = password.ok_or_else(|| Error::invalid("password", text))?;
        if password.len() > rules::LONGEST_PASSWORD {
            return Err(rules::too_long("password").into());
        }
        throttle::confirmation(&self.app, user.id).await?;
        let stored = Some(user.password_hash.as_str());
        if self.passwords.verify(password, stored).await? == Verdict::Wrong {
            tell_afterwards(self, user.id, failed, client);
            return Err(wrong());
        }
        Ok(proof)
    }

    async fn is_fresh(&self, viewer: Viewer) -> Result<bool> {
        let rows = session::Entity::owned_by(viewer)
            .filter(session::Column::Id.eq(viewer.session_id))
            .filter(session::Column::RevokedAt.is_null())
            .filter(session::Column::CreatedAt.gt(self.app.clock.now() - FRESH));
        Ok(rows.one(self.app.db.read()).await?.is_some())
    }

    /// Ends all sessions of somebody who leaves, and commits.
    pub(crate) async fn sign_out_for_good(&self, txn: Txn, user_id: Uuid) -> Result<()> {
        let all = session::Column::UserId.eq(user_id);
        revoke(self, txn, all, RevokedReason::AccountDeleted, None).await
    }
}

fn wrong() -> Error {
    Refusal::new(ErrorCode::InvalidCredentials, "The password is wrong.")
        .on("password")
        .into()
}
