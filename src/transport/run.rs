//! Runs what was prepared. A panic ends its own operation and nothing else; a query ends when its
//! client leaves; a mutation does not, since half of one is no use to anybody.

use std::{
    any::Any,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use async_graphql::{Executor, Response, Value, parser::types::OperationType};
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::time::timeout;
use tracing::Instrument;

use super::{Caller, Door, Transport, fault::Fault, order::Order, prepare::Prepared};
use crate::{auth::Access, graphql::errors::RequestId};

impl<E: Executor, D: Door> Transport<E, D> {
    /// Tells resolvers who asks, and counts the operation as hers until it is over. Strangers are
    /// counted by their connections: nothing they may ask for goes on.
    pub(super) fn introduce(
        &self,
        prepared: &mut Prepared,
        caller: &Caller,
        access: Option<Access>,
    ) -> Result<(), Fault> {
        let data = &mut prepared.request.data;
        data.insert(caller.id.clone());
        data.insert(caller.client.clone());
        if let Some(access) = access {
            data.insert(access);
            data.insert(access.viewer);
            let most = self.limits.operations_per_user;
            let share = self.operations.take(access.viewer.user_id, most);
            let too_many = || format!("You have {most} operations running: end one first.");
            prepared.share = Some(share.ok_or_else(|| Fault::rate_limited(too_many()))?);
        }
        Ok(())
    }

    /// Runs a query or a mutation.
    pub(super) async fn run(&self, prepared: Prepared, caller: &Caller) -> Result<Response, Fault> {
        let (kind, began) = (prepared.kind, Instant::now());
        let response = self.execute(prepared, caller).await;
        let outcome = match &response {
            Ok(response) if response.errors.is_empty() => "ok",
            Ok(_) => "errors",
            Err(_) => "failed",
        };
        let kind = match kind {
            OperationType::Mutation => "mutation",
            _ => "query",
        };
        self.metrics.executed(kind, outcome, began.elapsed());
        response
    }

    async fn execute(&self, prepared: Prepared, caller: &Caller) -> Result<Response, Fault> {
        let (executor, limit) = (self.executor.clone(), self.limits.execution_time);
        let (request, order, id) = (prepared.request, prepared.order, caller.id.clone());
        let share = prepared.share;
        let work = async move {
            let _counted = share;
            let work = AssertUnwindSafe(executor.execute(request)).catch_unwind();
            work.await.map_err(|panic| panicked(&*panic, &id))
        };
        let response = if prepared.kind == OperationType::Mutation {
            // When it is no longer waited for, it goes on by itself.
            let task = self.running.spawn(work.in_current_span());
            let outcome = timeout(limit, task).await;
            let outcome =
                outcome.map_err(|_| late(limit, "goes on: look later what came of it"))?;
            outcome.unwrap_or_else(|_| Err(Fault::internal()))
        } else {
            let outcome = timeout(limit, work).await;
            outcome.map_err(|_| late(limit, "was stopped: ask for less"))?
        };
        let errors = self.limits.errors;
        response.map(|response| dress(response, &order, errors, &caller.id))
    }

    /// Runs a subscription.
    pub(super) fn follow(
        &self,
        prepared: Prepared,
        caller: &Caller,
    ) -> impl Stream<Item = Result<Response, Fault>> + Send + use<E, D> {
        let (order, id, errors) = (prepared.order, caller.id.clone(), self.limits.errors);
        let share = prepared.share;
        let stream = self.executor.execute_stream(prepared.request, None);
        let open = self.metrics.subscription();
        AssertUnwindSafe(stream).catch_unwind().map(move |next| {
            let _counted = (&share, &open);
            let response = next.map_err(|panic| panicked(&*panic, &id))?;
            Ok(dress(response, &order, errors, &id))
        })
    }
}

/// Puts the fields in order, cuts the errors, and gives each the id to ask about it by.
fn dress(mut response: Response, order: &Order, errors: usize, id: &RequestId) -> Response {
    order.apply(&mut response.data);
    response.errors.truncate(errors);
    for error in &mut response.errors {
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("requestId", id.0.as_ref());
    }
    response
}

/// Whether nothing ran: there is no data, and no error stands at a field.
pub(super) fn is_refusal(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Whether a subscription's source failed: there is no data, and no error stands below the root.
pub(super) fn is_source_failure(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.len() <= 1)
}

fn late(limit: Duration, then: &str) -> Fault {
    let seconds = limit.as_secs_f32();
    Fault::timeout(format!(
        "The operation takes longer than {seconds} s and {then}."
    ))
}

fn panicked(panic: &(dyn Any + Send), id: &RequestId) -> Fault {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a word");
    tracing::error!(request.id = %id.0, panic = said, "a resolver panicked");
    Fault::internal()
}
