//! One operation on a socket.

use std::{pin::pin, sync::Arc};

use async_graphql::{Executor, Response, ServerError, parser::types::OperationType};
use futures_util::StreamExt;
use tokio::sync::mpsc::Sender;

use super::message::Said;
use crate::transport::{Caller, Door, Transport, fault::Fault, prepare::Prepared, run};

/// A message on its way to the client.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) id: String,
    /// Which operation of this id: one that was completed may have messages on the way.
    pub(super) turn: u64,
    pub(super) text: String,
    /// Whether it is the operation's last.
    pub(super) last: bool,
}

/// Where an operation's messages go.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) turn: u64,
    pub(super) out: Sender<Box<Outgoing>>,
}

impl Line {
    async fn say(&self, text: String, last: bool) {
        let (id, turn) = (self.id.clone(), self.turn);
        // A socket that is gone wants no messages; its operations are about to be dropped.
        let outgoing = Outgoing {
            id,
            turn,
            text,
            last,
        };
        let _ = self.out.send(Box::new(outgoing)).await;
    }

    async fn next(&self, payload: &Response) {
        let id = &self.id;
        self.say(Said::Next { id, payload }.text(), false).await;
    }

    async fn complete(&self) {
        self.say(Said::Complete { id: &self.id }.text(), true).await;
    }

    async fn fail(&self, errors: &[ServerError]) {
        let (id, payload) = (&self.id, errors);
        self.say(Said::Error { id, payload }.text(), true).await;
    }
}

/// Runs an operation and tells the client all of it.
pub(super) async fn operate<E: Executor, D: Door>(
    transport: Arc<Transport<E, D>>,
    prepared: Box<Prepared>,
    caller: Caller,
    line: Line,
) {
    let outcome = if prepared.kind == OperationType::Subscription {
        follow(&transport, prepared, &caller, &line).await
    } else {
        // On the heap, since most of what runs for long is a subscription.
        Box::pin(once(&transport, prepared, &caller, &line)).await
    };
    let errors = match outcome {
        Ok(errors) if errors.is_empty() => return line.complete().await,
        Ok(errors) => errors,
        Err(fault) => vec![fault.error(&caller.id)],
    };
    transport.hold_back(&caller).await;
    line.fail(&errors).await;
}

/// A query or a mutation; the errors are those of a request that did not run.
async fn once<E: Executor, D: Door>(
    transport: &Transport<E, D>,
    prepared: Box<Prepared>,
    caller: &Caller,
    line: &Line,
) -> Result<Vec<ServerError>, Fault> {
    let response = transport.run(*prepared, caller).await?;
    if run::is_refusal(&response) {
        return Ok(response.errors);
    }
    line.next(&response).await;
    Ok(Vec::new())
}

/// A subscription; the errors are those of a source that failed.
async fn follow<E: Executor, D: Door>(
    transport: &Transport<E, D>,
    prepared: Box<Prepared>,
    caller: &Caller,
    line: &Line,
) -> Result<Vec<ServerError>, Fault> {
    let mut events = pin!(transport.follow(*prepared, caller));
    while let Some(response) = events.next().await {
        let response = response?;
        if run::is_source_failure(&response) {
            return Ok(response.errors);
        }
        line.next(&response).await;
    }
    Ok(Vec::new())
}
