//! The parts of a running process, such as server and worker. They live and end together: a part
//! that ends by itself takes the others with it, since half a server answers wrongly for ever.

use std::{collections::HashMap, future::Future, time::Duration};

use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{failure::Failure, signals::Signals};
use crate::error::{Error, Result};

/// How long parts have to finish what they are doing: under the ten seconds that supervisors give,
/// and more than any part takes for itself.
const DRAIN: Duration = Duration::from_secs(9);

#[derive(Debug)]
pub(super) struct Parts {
    signals: Signals,
    set: JoinSet<Result<()>>,
    names: HashMap<Id, &'static str>,
}

impl Parts {
    pub(super) fn new(signals: Signals) -> Self {
        Self {
            signals,
            set: JoinSet::new(),
            names: HashMap::new(),
        }
    }

    /// What tells parts to finish.
    pub(super) fn shutdown(&self) -> CancellationToken {
        self.signals.drain.clone()
    }

    /// Starts a part.
    pub(super) fn add(
        &mut self,
        name: &'static str,
        part: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        let task = self.set.spawn(part);
        self.names.insert(task.id(), name);
    }

    /// Runs until a signal comes or a part ends, then lets the others finish.
    pub(super) async fn run(mut self) -> Result<(), Failure> {
        let Signals { drain, now } = self.signals.clone();
        let outcome = tokio::select! {
            () = drain.cancelled() => Ok(()),
            failure = self.next() => failure.map_or(Ok(()), Err),
        };
        drain.cancel();
        let drained = async {
            while !self.set.is_empty() {
                if let Some(failure) = self.next().await {
                    tracing::error!("{}", failure.faults.join("; "));
                }
            }
        };
        tokio::select! {
            () = drained => tracing::info!("ended"),
            () = tokio::time::sleep(DRAIN) => {
                tracing::warn!("ended before everything was finished; what was not is taken up by the next start");
            }
            () = now.cancelled() => tracing::warn!("ended at once"),
        }
        outcome
    }

    /// Waits for the next part to end; what it failed with, unless it was asked to end and did.
    async fn next(&mut self) -> Option<Failure> {
        let ended = self.set.join_next_with_id().await?;
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(Error::internal(error))),
        };
        let name = self.names.remove(&id).unwrap_or("a part");
        match result {
            Ok(()) if self.signals.drain.is_cancelled() => None,
            Ok(()) => Some(Error::internal(format!("the {name} ended by itself")).into()),
            Err(error) => {
                let mut failure = Failure::from(error);
                for fault in &mut failure.faults {
                    *fault = format!("the {name} failed: {fault}");
                }
                Some(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::{cli::failure::Exit, jobs, transport::Limits};

    #[tokio::test]
    async fn a_part_that_ends_takes_the_others_with_it() {
        let mut parts = Parts::new(Signals::default());
        let shutdown = parts.shutdown();
        parts.add("server", async move {
            shutdown.cancelled().await;
            Ok(())
        });
        parts.add("worker", async { Ok(()) });
        let failure = parts.run().await.unwrap_err();
        assert_eq!(failure.exit, Exit::Software);
        assert!(failure.faults[0].contains("worker"), "{failure:?}");
    }

    #[tokio::test]
    async fn a_part_that_panics_is_named() {
        let mut parts = Parts::new(Signals::default());
        parts.add("worker", async { panic!("on purpose") });
        let failure = parts.run().await.unwrap_err();
        assert!(failure.faults[0].contains("worker"), "{failure:?}");
    }

    #[test]
    fn every_part_gives_up_before_the_process_does() {
        let server = Limits::default().drain;
        assert!(server < DRAIN && jobs::DRAIN < DRAIN);
    }

    #[tokio::test]
    async fn the_second_signal_waits_for_nobody() {
        let signals = Signals::default();
        let mut parts = Parts::new(signals.clone());
        parts.add("server", pending());
        signals.drain.cancel();
        signals.now.cancel();
        parts.run().await.unwrap();
    }
}
