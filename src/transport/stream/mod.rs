//! Answers over HTTP that go on: a subscription as server-sent events or as Apollo's parts, in the
//! answer to a request of its own. What a subscription is, who may have it and how it ends are those
//! of the socket; only how it is written differs. The client's leaving drops the body and with it the
//! subscription.

use std::{convert::Infallible, pin::Pin};

use async_graphql::{Executor, Response as Answer};
use axum::{
    body::Body,
    http::{
        HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE, VARY},
    },
    response::Response,
};
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::{Caller, Door, Transport, accept::Framing, fault::Fault, prepare::Prepared, run};
use crate::{auth::Access, error::Error, graphql::errors::RequestId};

mod framing;

/// Tells proxies not to collect what is meant for now.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Begins a subscription. An answer instead of a stream is that of a document that does not run.
pub(super) fn open<E: Executor, D: Door>(
    transport: &Transport<E, D>,
    prepared: Prepared,
    caller: &Caller,
    access: Option<Access>,
    framing: Framing,
) -> Result<Response, Box<Answer>> {
    let mut events = Box::pin(transport.follow(prepared, caller).fuse());
    // A document is checked before anything of it waits, so what refuses it is there at once.
    let first = match events.next().now_or_never().flatten() {
        Some(Ok(answer)) if run::is_refusal(&answer) => return Err(answer.into()),
        first => first,
    };
    let every = transport.limits.ping_every;
    let mut beat = interval_at(Instant::now() + every, every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let door = transport.door.clone();
    let ended: Pin<Box<dyn Future<Output = ()> + Send>> = match access {
        Some(access) => Box::pin(async move { door.ended(access).await }),
        None => Box::pin(std::future::pending()),
    };
    let telling = Telling {
        framing,
        id: caller.id.clone(),
        events: stream::iter(first).chain(events).boxed(),
        ended,
        stopping: transport.stopping.clone(),
        beat,
        over: false,
    };
    let told = stream::unfold(telling, |mut telling| async move {
        let text = telling.next().await?;
        Some((Ok::<_, Infallible>(text), telling))
    });
    let opening = stream::once(async move { Ok(framing.opening().to_owned()) });
    Ok(dress(framing, Body::from_stream(opening.chain(told))))
}

/// A query or a mutation, told as a stream with one event.
pub(super) fn whole(framing: Framing, answer: &Answer) -> Response {
    let text = [&framing.event(answer), framing.closing()].concat();
    dress(framing, Body::from(text))
}

fn dress(framing: Framing, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, framing.content_type());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    headers.insert(UNBUFFERED, HeaderValue::from_static("no"));
    response
}

/// A subscription that is being told.
struct Telling {
    framing: Framing,
    id: RequestId,
    events: BoxStream<'static, Result<Answer, Fault>>,
    /// Ends when the session does that the request speaks for.
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
    stopping: CancellationToken,
    beat: Interval,
    over: bool,
}

impl Telling {
    /// What is written next; nothing after the end.
    async fn next(&mut self) -> Option<String> {
        if self.over {
            return None;
        }
        tokio::select! {
            // Nothing is told after the end, however much there is.
            biased;
            () = self.stopping.cancelled() => self.stop(),
            () = &mut self.ended => Some(self.fail(Error::Unauthenticated.into())),
            event = self.events.next() => Some(self.tell(event)),
            _ = self.beat.tick() => Some(self.framing.pulse()),
        }
    }

    fn tell(&mut self, event: Option<Result<Answer, Fault>>) -> String {
        self.beat.reset();
        match event {
            None => self.last(String::new()),
            Some(Err(fault)) => self.fail(fault),
            Some(Ok(answer)) if run::is_source_failure(&answer) => {
                self.last(self.framing.event(&answer))
            }
            Some(Ok(answer)) => self.framing.event(&answer),
        }
    }

    fn fail(&mut self, fault: Fault) -> String {
        let error = fault.error(&self.id);
        self.last(self.framing.fatal(&[error]))
    }

    fn last(&mut self, text: String) -> String {
        self.over = true;
        text + self.framing.closing()
    }

    /// A client of server-sent events that hears no end comes back by itself, and should.
    fn stop(&mut self) -> Option<String> {
        self.over = true;
        let stopping = || Fault::unavailable("The server is stopping.");
        (self.framing == Framing::Parts).then(|| self.fail(stopping()))
    }
}
