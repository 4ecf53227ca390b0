//! Runs what was prepared. A panic ends its own operation and nothing else; a query ends when its
//! client leaves; a mutation does not, since half of one is no use to anybody.

use std::{any::Any, panic::AssertUnwindSafe};

use async_graphql::{Executor, Request, Response, Value, parser::types::OperationType};
use futures_util::{FutureExt, Stream, StreamExt};
use tokio::time::timeout;
use tracing::Instrument;

use super::{Caller, Door, Transport, fault::Fault, order::Order, prepare::Prepared};
use crate::{auth::Access, graphql::errors::RequestId};

impl<E: Executor, D: Door> Transport<E, D> {
    /// Runs a query or a mutation.
    pub(super) async fn run(&self, prepared: Prepared, caller: &Caller) -> Result<Response, Fault> {
        let (executor, limit) = (self.executor.clone(), self.limits.execution_time);
        let (request, order, id) = (prepared.request, prepared.order, caller.id.clone());
        let work = async move {
            let work = AssertUnwindSafe(executor.execute(request)).catch_unwind();
            match timeout(limit, work).await {
                Ok(Ok(response)) => Ok(response),
                Ok(Err(panic)) => Err(panicked(&*panic, &id)),
                Err(_) => Err(Fault::unavailable(format!(
                    "The operation took longer than {} s and was stopped.",
                    limit.as_secs_f32()
                ))),
            }
        };
        let response = if prepared.kind == OperationType::Mutation {
            let task = self.running.spawn(work.in_current_span());
            task.await.unwrap_or_else(|_| Err(Fault::internal()))
        } else {
            work.await
        };
        response.map(|response| self.dress(response, &order, &caller.id))
    }

    /// Runs a subscription.
    pub(super) fn follow(
        &self,
        prepared: Prepared,
        caller: &Caller,
    ) -> impl Stream<Item = Result<Response, Fault>> + Send + use<E, D> {
        let (this, order, id) = (self.clone(), prepared.order, caller.id.clone());
        let stream = self.executor.execute_stream(prepared.request, None);
        AssertUnwindSafe(stream)
            .catch_unwind()
            .map(move |next| match next {
                Ok(response) => Ok(this.dress(response, &order, &id)),
                Err(panic) => Err(panicked(&*panic, &id)),
            })
    }

    /// Puts the fields in order, cuts the errors, and gives each the id to ask about it by.
    fn dress(&self, mut response: Response, order: &Order, id: &RequestId) -> Response {
        order.apply(&mut response.data);
        response.errors.truncate(self.limits.errors);
        for error in &mut response.errors {
            let extensions = error.extensions.get_or_insert_default();
            extensions.set("requestId", id.0.as_ref());
        }
        response
    }
}

/// Tells resolvers who asks.
pub(super) fn introduce(request: &mut Request, caller: &Caller, access: Option<Access>) {
    request.data.insert(caller.id.clone());
    request.data.insert(caller.client.clone());
    if let Some(access) = access {
        request.data.insert(access);
        request.data.insert(access.viewer);
    }
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

fn panicked(panic: &(dyn Any + Send), id: &RequestId) -> Fault {
    let said = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a word");
    tracing::error!(request.id = %id.0, panic = said, "a resolver panicked");
    Fault::internal()
}
