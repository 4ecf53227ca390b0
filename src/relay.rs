//! Passes hints on to those who follow a feed or a rate in this process, whichever process they came from.
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
    ticker::Tickers,
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
        () = wake(hints, &app.db, &app.followers, &app.tickers) => Ok(()),
        () = look_around(&app.clock, &app.db, &app.followers, &app.tickers) => Ok(()),
        result = app.db.listen(url) => result,
    }
}

/// Wakes followers as hints come, and all of them where hints were missed.
async fn wake(mut hints: Receiver<Hint>, db: &Database, followers: &Followers, tickers: &Tickers) {
    loop {
        match hints.recv().await {
            Ok(Hint::Feed(user_id, seq)) => followers.wake(user_id, seq),
            Ok(Hint::Rate(pair, seq)) => tickers.wake(&pair, seq),
            Ok(Hint::Resync) | Err(RecvError::Lagged(_)) => {
                catch_up(db, followers, tickers).await;
            }
            Ok(Hint::Jobs | Hint::Session(_)) => {}
            // Cannot come while `db` holds the sender; if it does, the rounds still find everything.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Looks at everything that is followed, round after round.
async fn look_around(clock: &Clock, db: &Database, followers: &Followers, tickers: &Tickers) {
    loop {
        clock.sleep(ROUND).await;
        catch_up(db, followers, tickers).await;
    }
}

async fn catch_up(db: &Database, followers: &Followers, tickers: &Tickers) {
    for outcome in [followers.catch_up(db).await, tickers.catch_up(db).await] {
        if let Err(error) = outcome {
            // The next round tries again; that the database is away is told where it hurts somebody.
            tracing::debug!(error = error.chain(), "cannot look for missed changes");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use entity::user;
    use sea_orm::{ActiveValue::Set, EntityTrait};
    use uuid::Uuid;

    use super::*;
    use crate::feed;

    async fn database() -> (Database, PathBuf) {
        let file = std::env::temp_dir().join(format!("passbook-{}.db", Uuid::now_v7()));
        let url = format!("sqlite://{}", file.display());
        let db = Database::connect(&url).await.unwrap();
        db.bring_up_to_date().await.unwrap();
        (db, file)
    }

    /// A person whose feed is at 1.
    async fn person(db: &Database) -> Uuid {
        let id = Uuid::now_v7();
        let now = Clock::default().now();
        let row = user::ActiveModel {
            id: Set(id),
            email: Set("ana@example.com".to_owned()),
            email_key: Set(format!("{id}@example.com")),
            password_hash: Set(String::new()),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        let mut txn = db.begin().await.unwrap();
        let insert = user::Entity::insert(row);
        insert.exec_without_returning(&*txn).await.unwrap();
        feed::open(&txn, id).await.unwrap();
        feed::next(&mut txn, id).await.unwrap();
        txn.commit().await.unwrap();
        id
    }

    #[tokio::test]
    async fn who_missed_hints_is_woken_all_the_same() {
        let (db, file) = database().await;
        let (followers, tickers) = (Followers::default(), Tickers::default());
        let hints = db.hints();
        let mut follower = followers.follow(person(&db).await);
        // More than the channel holds, so that the hint of the change above is among the lost.
        for _ in 0..10_000 {
            db.relay(Hint::Jobs);
        }
        tokio::select! {
            () = wake(hints, &db, &followers, &tickers) => {}
            () = follower.passed(0) => {}
        }
        db.close().await;
        std::fs::remove_file(file).unwrap();
    }

    #[tokio::test]
    async fn a_change_without_any_hint_is_found_by_the_next_round() {
        let (db, file) = database().await;
        let (followers, clock) = (Followers::default(), Clock::default());
        let tickers = Tickers::default();
        let mut follower = followers.follow(person(&db).await);
        tokio::select! {
            () = look_around(&clock, &db, &followers, &tickers) => {}
            () = follower.passed(0) => {}
            () = async { loop { clock.advance(ROUND); tokio::task::yield_now().await } } => {}
        }
        db.close().await;
        std::fs::remove_file(file).unwrap();
    }
}
