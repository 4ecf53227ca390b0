//! Passes hints on to those who follow a feed in this process, whichever process they came from.
//! A hint that is lost costs until the next round of looking, never an event.

use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    clock::Clock,
    database::{Database, Hint},
    error::Result,
    feed::Followers,
};

/// How long a lost hint can stay unnoticed.
const ROUND: Duration = Duration::from_secs(2);

/// Passes hints on until the shutdown.
///
/// # Errors
/// If the database's address is malformed.
pub async fn run(app: App, shutdown: CancellationToken) -> Result<()> {
    let url = app.config.database_url.expose_secret();
    let hints = app.db.hints();
    tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        () = wake(hints, &app.followers, &app.db) => Ok(()),
        () = look_around(&app.clock, &app.followers, &app.db) => Ok(()),
        result = app.db.listen(url) => result,
    }
}

/// Wakes followers as hints come, and all of them where hints were missed.
async fn wake(mut hints: Receiver<Hint>, followers: &Followers, db: &Database) {
    loop {
        match hints.recv().await {
            Ok(Hint::Feed(user_id, seq)) => followers.wake(user_id, seq),
            Ok(Hint::Resync) | Err(RecvError::Lagged(_)) => catch_up(followers, db).await,
            Ok(Hint::Jobs | Hint::Session(_)) => {}
            // Cannot come while `db` holds the sender; if it does, the rounds still find everything.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Looks at everybody who is followed, round after round.
async fn look_around(clock: &Clock, followers: &Followers, db: &Database) {
    loop {
        clock.sleep(ROUND).await;
        catch_up(followers, db).await;
    }
}

async fn catch_up(followers: &Followers, db: &Database) {
    if let Err(error) = followers.catch_up(db).await {
        // The next round tries again; that the database is away is told where it hurts somebody.
        tracing::debug!(error = error.chain(), "cannot look for missed changes");
    }
}
