//! The log: to standard error, as `LOG_FORMAT` and `RUST_LOG` say, with colours only for a terminal.
//!
//! Whatever `RUST_LOG` asks for, nothing is logged that holds whole messages: the WebSocket library
//! writes each one it reads, access tokens and all.

use std::io::{IsTerminal, stderr};

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    fmt::layer,
    layer::SubscriberExt,
    registry,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use super::failure::Failure;
use crate::config::{Config, LogFormat};

/// Starts the log.
pub(super) fn start(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log_filter);
    let filter = filter.map_err(|why| Failure::config(format!("RUST_LOG: {why}")))?;
    // The hint costs what is not logged no more than a comparison.
    let quiet = filter_fn(tells_no_message).with_max_level_hint(Level::TRACE);
    let log = form(config.log_format).with_filter(filter.and(quiet));
    let started = registry().with(log).try_init();
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

/// How lines are written.
fn form<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let lines = layer().with_writer(stderr);
    match format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        // On a terminal the choice stays with the layer, which knows of NO_COLOR.
        LogFormat::Text if stderr().is_terminal() => lines.with_target(false).boxed(),
        LogFormat::Text => lines.with_target(false).with_ansi(false).boxed(),
    }
}

fn tells_no_message(line: &Metadata<'_>) -> bool {
    let library = line.target().split("::").next();
    !matches!(library, Some("tungstenite" | "tokio_tungstenite")) || *line.level() <= Level::INFO
}
