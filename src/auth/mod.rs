//! Sign-in.

use chrono::{DateTime, Utc};

use crate::{
    app::App,
    error::{Error, Result},
    viewer::Viewer,
};

/// The handle of sign-in: who a token belongs to, and since when it does not any more.
#[derive(Clone, Debug)]
pub struct Auth {
    app: App,
}

/// What an access token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Who asks.
    pub viewer: Viewer,
    /// After this the token is void.
    pub expires_at: DateTime<Utc>,
}

impl Auth {
    /// The handle.
    pub fn new(app: App) -> Result<Self> {
        Ok(Self { app })
    }

    /// Whom an access token belongs to, if its session is not over.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, whatever is wrong with it.
    pub async fn authenticate(&self, _token: &str) -> Result<Access> {
        let _ = self.app.clock.now();
        Err(Error::Unauthenticated)
    }

    /// Waits until the session is revoked or the token expires.
    pub async fn ended(&self, _access: Access) {
        std::future::pending::<()>().await;
    }
}
