//! `passbook demo`: the main job, shown. A server starts with the built-in sandbox; a person
//! registers and links a bank, and watches the sync and then news from the bank arrive. All of it goes
//! through the public API, as a client would, and the bank is walked as a person would walk it. Then
//! the server goes on for whoever wants to look around.
//!
//! Refused: the database, credentials and keys of the environment. Somebody who tries the demo beside
//! a real `.env` must not find an invented person in a real database.

use std::{fs, time::Duration};

use clap::Args;
use tokio::time::{Instant, timeout};

use super::{
    Overrides,
    failure::{Exit, Failure},
    log,
    open::Missing,
    signals,
    start::Process,
    table,
};
use crate::config::{Config, LOG_FILTER, NAMES};

mod bank;
mod client;
mod live;
mod look;
mod screen;
mod story;

use story::Place;

/// Everything the demo keeps: to start over, it is deleted.
const FOLDER: &str = "passbook-demo";
const DATABASE: &str = "sqlite://passbook-demo/passbook.db";

/// What the environment may still say.
const KEPT: [&str; 4] = ["LISTEN", "LOG_FORMAT", "RUST_LOG", "SANDBOX_LISTEN"];

/// How long the story may take; it usually takes five seconds.
const LIMIT: Duration = Duration::from_mins(1);

#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// End after the story, with an error if anything was missing; takes ports that are free.
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(args: DemoArgs) -> Result<(), Failure> {
    let mut config = Config::from_env(settings(args.once))?;
    if config.log_filter == LOG_FILTER {
        // What goes well is told by the story.
        "warn".clone_into(&mut config.log_filter);
    }
    log::start(&config)?;
    fs::create_dir_all(FOLDER).map_err(|error| {
        Failure::io(format!(
            "{FOLDER}: cannot be made: {error}; run the demo where you may write"
        ))
    })?;
    let began = Instant::now();
    let signals = signals::listen()?;
    let starting = async {
        let mut process = Process::start(config, Missing::Apply, signals.clone()).await?;
        process.serve().await?;
        process.work();
        Ok::<_, Failure>(process)
    };
    let process = tokio::select! {
        process = starting => process?,
        () = signals.drain.cancelled() => return stopped(args.once),
    };
    let place = Place {
        server: process.app.public_url.to_string(),
        sandbox: process.sandbox_url().unwrap_or_default(),
    };
    let mut running = std::pin::pin!(process.run());
    let told = tokio::select! {
        ended = &mut running => return ended.and_then(|()| stopped(args.once)),
        told = timeout(LIMIT, story::tell(&place)) => told.unwrap_or_else(|_| Err(late())),
    };
    let said = match told {
        Ok(_) if args.once => screen::over(began.elapsed()),
        Ok(item_id) => screen::go_on(&place, &item_id),
        Err(failure) => Err(failure),
    };
    if args.once || said.is_err() {
        signals.drain.cancel();
    }
    let ended = running.await;
    said.and(ended)
}

/// The settings of the demo: the same everywhere, but for where it listens and what it logs.
fn settings(once: bool) -> Overrides {
    let unset = NAMES.iter().filter(|name| !KEPT.contains(name));
    let mut settings: Overrides = unset.map(|name| (*name, String::new())).collect();
    settings.push(("DATABASE_URL", DATABASE.to_owned()));
    if once {
        let free = "127.0.0.1:0";
        settings.extend(["LISTEN", "SANDBOX_LISTEN"].map(|name| (name, free.to_owned())));
    }
    settings
}

/// The end of a demo that was told to end before it had shown everything.
fn stopped(once: bool) -> Result<(), Failure> {
    if once {
        return Err(broken("it was stopped before its end"));
    }
    Ok(())
}

fn late() -> Failure {
    let limit = LIMIT.as_secs();
    broken(format!(
        "it is not at its end after {limit} seconds; RUST_LOG=info shows what the server does"
    ))
}

/// Something did not happen as it should.
fn broken(what: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Problems, format!("the demo failed: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_real_is_touched_whatever_the_environment_says() {
        let settings = settings(false);
        for name in NAMES {
            let ours = settings.iter().any(|(set, _)| set == name);
            assert_ne!(ours, KEPT.contains(name), "{name}");
        }
        let pairs = settings.iter().map(|(name, value)| (*name, value.as_str()));
        let config = Config::from_pairs(pairs).unwrap();
        let path = std::path::Path::new(FOLDER).join("passbook.db");
        assert_eq!(config.sqlite_path(), Some(path));
        assert_eq!(config.plaid.env, crate::config::PlaidEnv::Local);
    }
}
