//! Sign-in: who a token belongs to, and since when it does not any more.
//!
//! A session is one row. Its **access token** is a short-lived JWT that verifies by itself: the only
//! other thing asked is a set in memory of the sessions revoked lately, so a request costs no SQL.
//! Its **refresh token** is derived from the row and never stored; each use replaces it, tabs that
//! refresh at once all get the same successor, and a replaced token that comes back later ends the
//! session. **Passwords** are argon2id; at most one is hashed per core.
//!
//! However somebody has proven who she is, `admit` makes a session of it, or asks for the second factor. What a
//! mail has to do with it is in `verify_email`, `change_email` and `reset_password`.
//!
//! Promises: a session that was ended answers `UNAUTHENTICATED` at once in the process that ended it
//! and within a second in the others, open sockets included, and a restart does not forget. Answers
//! never tell whether an address is known at login, nor why a refresh token was refused.
//!
//! Refused: a look-up of the session with every request (one query for each, for an event that is
//! rare); refresh tokens stored as hashes (the successor could not be handed out twice, and tabs
//! would sign each other out).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{
    app::App,
    error::{Error, Result},
    viewer::Viewer,
};

mod admit;
mod api;
mod change_email;
mod change_password;
mod confirm;
mod cookie;
mod create_user;
mod lock;
mod login;
mod logout;
mod password;
mod profile;
mod prune;
mod refresh;
mod register;
mod reset_password;
mod revocation;
mod role;
mod rules;
mod second_factor;
mod session;
mod sessions;
mod social;
mod strength;
#[cfg(test)]
mod tests;
mod throttle;
mod token;
mod verify_email;

pub use api::{AuthMutation, AuthQuery};
pub(crate) use cookie::forget as forget_cookie;
pub use cookie::{Cookies, WISH};
pub use create_user::{Newcomer, create_user, newcomer};
pub use lock::{lock_user, unlock_user};
pub use logout::end_user_sessions;
pub use prune::PruneSessions;
pub use role::{NOBODY, demote_user, let_go, promote_user};
pub use social::routes;

use password::Passwords;
use revocation::Revocations;
use token::AccessTokens;

/// The handle of sign-in. Clones share everything.
#[derive(Clone, Debug)]
pub struct Auth {
    app: App,
    passwords: Arc<Passwords>,
    tokens: Arc<AccessTokens>,
    revocations: Arc<Revocations>,
    /// What is written after the answer, so that the time of the answer tells nothing.
    afterwards: TaskTracker,
}

/// An access token that lets nobody in, with a request that needs none.
#[derive(Debug)]
pub struct TurnedAway(pub SecretString);

/// What an access token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Who asks.
    pub viewer: Viewer,
    /// After this the token is void.
    pub expires_at: DateTime<Utc>,
}

impl Auth {
    /// The handle. Spawn [`Auth::run`] beside it.
    pub fn new(app: App) -> Result<Self> {
        let lifetime = app.config.access_token_ttl;
        Ok(Self {
            passwords: Arc::new(Passwords::new(app.metrics.clone())?),
            tokens: Arc::new(AccessTokens::new(&app.keys, lifetime)?),
            revocations: Arc::new(Revocations::new(lifetime)),
            afterwards: TaskTracker::new(),
            app,
        })
    }

    /// Whom an access token belongs to, if its session is not over.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, whatever is wrong with it; `UNAVAILABLE` while the revoked sessions were
    /// not read once.
    pub async fn authenticate(&self, token: &str) -> Result<Access> {
        let access = self.tokens.verify(token, self.app.clock.now());
        let access = access.ok_or(Error::Unauthenticated)?;
        self.revocations.ready(&self.app).await?;
        if self.revocations.contains(access.viewer.session_id) {
            return Err(Error::Unauthenticated);
        }
        Ok(access)
    }

    /// Whom an access token was given to, though the session be over; nobody once the token is.
    fn bearer(&self, token: &str) -> Option<Viewer> {
        let access = self.tokens.verify(token, self.app.clock.now());
        access.map(|access| access.viewer)
    }

    /// Has this process know at once of sessions that a committed transaction has ended; the others hear
    /// of them by its hints.
    pub fn over(&self, ended: Vec<Uuid>) {
        let now = self.app.clock.now();
        let ended = ended.into_iter().map(|session| (session, now));
        self.revocations.add(ended);
    }

    /// Waits until the session is revoked or the token expires.
    pub async fn ended(&self, access: Access) {
        let Some(mut open) = self.revocations.watch(access.viewer.session_id) else {
            return;
        };
        let left = access.expires_at - self.app.clock.now();
        let expired = self.app.clock.sleep(left.to_std().unwrap_or_default());
        tokio::select! {
            // Revoking drops the other end.
            _ = open.changed() => {}
            () = expired => {}
        }
    }

    /// Keeps the set of revoked sessions up to date until `shutdown`, then finishes what is still to
    /// be written. Every process that calls [`Auth::authenticate`] runs it once.
    pub async fn run(self, shutdown: CancellationToken) {
        tokio::select! {
            () = self.revocations.follow(&self.app) => {}
            () = shutdown.cancelled() => {}
        }
        self.afterwards.close();
        self.afterwards.wait().await;
    }
}
