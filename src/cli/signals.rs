//! SIGTERM and SIGINT: the first asks everything to finish what it is doing, the second not to wait.

use tokio_util::sync::CancellationToken;

use super::failure::Failure;

/// What the signals ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct Signals {
    /// Finish and end.
    pub(super) drain: CancellationToken,
    /// End.
    pub(super) now: CancellationToken,
}

/// Listens for signals from now on.
pub(super) fn listen() -> Result<Signals, Failure> {
    let signals = Signals::default();
    let heard = signals.clone();
    let mut source = Source::new()?;
    tokio::spawn(async move {
        source.next().await;
        tracing::info!(
            "ending: no new work, what is under way has ten seconds; a second signal ends at once"
        );
        heard.drain.cancel();
        source.next().await;
        heard.now.cancel();
    });
    Ok(signals)
}

#[cfg(unix)]
struct Source {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let deaf = |error| Failure::io(format!("signals cannot be received: {error}"));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(deaf)?,
            terminate: signal(SignalKind::terminate()).map_err(deaf)?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Source;

#[cfg(not(unix))]
impl Source {
    fn new() -> Result<Self, Failure> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
