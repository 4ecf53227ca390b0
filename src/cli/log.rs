//! The log: to standard error, as `LOG_FORMAT` and `RUST_LOG` say, with colours only for a terminal.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

use super::failure::Failure;
use crate::config::{Config, LogFormat};

/// Starts the log.
pub(super) fn start(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log_filter);
    let filter = filter.map_err(|why| Failure::config(format!("RUST_LOG: {why}")))?;
    let log = fmt().with_env_filter(filter).with_writer(stderr);
    let started = match config.log_format {
        LogFormat::Json => log.json().flatten_event(true).try_init(),
        // On a terminal the choice stays with the subscriber, which knows of NO_COLOR.
        LogFormat::Text if stderr().is_terminal() => log.with_target(false).try_init(),
        LogFormat::Text => log.with_target(false).with_ansi(false).try_init(),
    };
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let said = panic
            .payload_as_str()
            .unwrap_or("nothing")
            .replace('\n', " ");
        tracing::error!(place, "a bug made this task stop: {said}");
    }));
    // A second log in one process would be a bug, and no reason not to serve.
    drop(started);
    Ok(())
}
