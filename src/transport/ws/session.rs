//! The state of one socket.

use std::{collections::HashMap, future::pending, pin::Pin, sync::Arc};

use async_graphql::Executor;
use axum::extract::ws::{Message, WebSocket};
use serde_json::{Map, Value as Json};
use tokio::{
    sync::mpsc,
    time::{Instant, Interval, MissedTickBehavior, Sleep, interval_at, sleep, timeout},
};
use tokio_util::{bytes::Bytes, task::AbortOnDropHandle};
use tracing::Instrument;

use super::{
    End,
    message::{Heard, Said, read},
    operation::{Line, Outgoing, operate},
    pace::Pace,
};
use crate::{
    auth::Access,
    error::Error,
    transport::{
        Caller, Door, Transport, bearer,
        fault::Fault,
        params::Params,
        prepare::{Prepared, prepare},
    },
};

/// Goes on, or ends the socket.
type Step = Result<(), End>;

/// Messages that may wait for the client, of all its operations.
const QUEUE: usize = 16;

pub(super) struct Session<'s, E, D> {
    transport: Arc<Transport<E, D>>,
    socket: &'s mut WebSocket,
    caller: Caller,
    access: Option<Access>,
    /// Ends when the session does that the socket speaks for; here until the socket waits for it.
    ended: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    initialised: bool,
    /// When the client last gave a sign of life.
    seen: Instant,
    pace: Pace,
    operations: HashMap<String, (u64, AbortOnDropHandle<()>)>,
    turn: u64,
    out: mpsc::Sender<Box<Outgoing>>,
    outbox: mpsc::Receiver<Box<Outgoing>>,
}

impl<'s, E: Executor, D: Door> Session<'s, E, D> {
    pub(super) fn new(
        transport: Arc<Transport<E, D>>,
        socket: &'s mut WebSocket,
        caller: Caller,
        access: Option<Access>,
    ) -> Self {
        let (out, outbox) = mpsc::channel(QUEUE);
        let (a_second, at_once) = transport.limits.pace;
        let mut session = Self {
            transport,
            socket,
            caller,
            access: None,
            ended: None,
            initialised: false,
            seen: Instant::now(),
            pace: Pace::new(a_second, at_once),
            operations: HashMap::new(),
            turn: 0,
            out,
            outbox,
        };
        if let Some(access) = access {
            session.enter(access);
        }
        session
    }

    /// Serves the socket until it ends; every operation on it ends with it. The end of the session comes before whatever
    /// the socket is about, which may wait for a client that takes nothing.
    pub(super) async fn run(&mut self) -> End {
        let limits = self.transport.limits.clone();
        let stopping = self.transport.stopping.clone();
        let mut init = Box::pin(sleep(limits.init_time));
        let first = Instant::now() + limits.ping_every;
        let mut ping = interval_at(first, limits.ping_every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ended: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(pending());
        loop {
            if let Some(entered) = self.ended.take() {
                ended = entered;
            }
            let step = tokio::select! {
                biased;
                () = stopping.cancelled() => Err(End::close(1001, "The server is stopping")),
                () = &mut ended => Err(End::close(4403, "Forbidden")),
                step = self.step(&mut init, &mut ping) => step,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Does what comes next.
    async fn step(&mut self, init: &mut Pin<Box<Sleep>>, ping: &mut Interval) -> Step {
        tokio::select! {
            () = init, if !self.initialised => {
                Err(End::close(4408, "Connection initialisation timeout"))
            }
            _ = ping.tick() => self.ping().await,
            Some(outgoing) = self.outbox.recv() => self.forward(outgoing).await,
            message = self.socket.recv() => self.hear(message).await,
        }
    }

    fn enter(&mut self, access: Access) {
        let door = self.transport.door.clone();
        self.access = Some(access);
        self.ended = Some(Box::pin(async move { door.ended(access).await }));
    }

    async fn send(&mut self, message: Message) -> Step {
        let patience = self.transport.limits.stall;
        match timeout(patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        }
    }

    async fn ping(&mut self) -> Step {
        if self.seen.elapsed() > self.transport.limits.silence {
            return Err(End::Gone);
        }
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn forward(&mut self, outgoing: Box<Outgoing>) -> Step {
        // What a completed operation still had on the way, nobody wants.
        let current = self.operations.get(&outgoing.id);
        if current.is_none_or(|(turn, _)| *turn != outgoing.turn) {
            return Ok(());
        }
        if outgoing.last {
            self.operations.remove(&outgoing.id);
        }
        self.send(Message::Text(outgoing.text.into())).await
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Step {
        self.seen = Instant::now();
        if !self.pace.keeps(self.seen) {
            let (a_second, _) = self.transport.limits.pace;
            let why = format!("Too many messages: send at most {a_second} a second");
            return Err(End::close(1008, why));
        }
        match message {
            None => Err(End::Gone),
            Some(Err(error)) => Err(broken(&error)),
            Some(Ok(Message::Close(_))) => Err(End::Left),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Binary(_))) => Err(End::close(4400, "Messages are text")),
            Some(Ok(Message::Text(text))) if text.len() > self.transport.limits.message => {
                Err(too_long())
            }
            Some(Ok(Message::Text(text))) => match read(&text) {
                // On the heap, since most of the time nothing is said.
                Ok(heard) => Box::pin(self.obey(heard)).await,
                Err(why) => Err(End::close(4400, why)),
            },
        }
    }

    async fn obey(&mut self, heard: Heard) -> Step {
        match heard {
            Heard::Init(_) if self.initialised => {
                Err(End::close(4429, "Too many initialisation requests"))
            }
            Heard::Init(payload) => self.init(payload).await,
            Heard::Ping(payload) => {
                let pong = Said::Pong { payload }.text();
                self.send(Message::Text(pong.into())).await
            }
            Heard::Pong => Ok(()),
            Heard::Subscribe(..) if !self.initialised => Err(End::close(4401, "Unauthorized")),
            Heard::Subscribe(id, params) => self.subscribe(id, params).await,
            Heard::Complete(id) => {
                self.operations.remove(&id);
                Ok(())
            }
        }
    }

    async fn init(&mut self, payload: Map<String, Json>) -> Step {
        let named = |(name, _): &(String, Json)| name.eq_ignore_ascii_case("authorization");
        let given = payload.into_iter().find(named);
        if let Some((_, value)) = given.filter(|(_, value)| !value.is_null()) {
            let token = value.as_str().and_then(bearer);
            let forbidden = || End::close(4403, "Forbidden");
            let token = token.ok_or_else(forbidden)?;
            match self.transport.door.authenticate(token).await {
                Ok(access) => self.enter(access),
                Err(Error::Unauthenticated) => return Err(forbidden()),
                Err(error) => {
                    tracing::error!(error = error.chain(), "a token could not be checked");
                    return Err(End::close(1013, "Try again later"));
                }
            }
        }
        self.initialised = true;
        let text = Said::ConnectionAck.text();
        self.send(Message::Text(text.into())).await
    }

    async fn subscribe(&mut self, id: String, params: Params) -> Step {
        if self.operations.contains_key(&id) {
            let why = format!("Subscriber for {id} already exists");
            return Err(End::close(4409, why));
        }
        let caller = self.caller.again();
        let most = self.transport.limits.operations;
        let prepared = if self.operations.len() >= most {
            Err(Fault::rate_limited(format!(
                "A socket carries at most {most} operations at once: complete one first."
            )))
        } else {
            self.prepare(params, &caller)
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(fault) => {
                self.transport.hold_back(&caller).await;
                let payload = &[fault.error(&caller.id)];
                let text = Said::Error { id: &id, payload }.text();
                return self.send(Message::Text(text.into())).await;
            }
        };
        self.turn += 1;
        let span = tracing::info_span!("operation", request.id = %caller.id.0);
        let line = Line {
            id: id.clone(),
            turn: self.turn,
            out: self.out.clone(),
        };
        let work = operate(self.transport.clone(), prepared.into(), caller, line).instrument(span);
        let task = AbortOnDropHandle::new(tokio::spawn(work));
        self.operations.insert(id, (self.turn, task));
        Ok(())
    }

    fn prepare(&self, params: Params, caller: &Caller) -> Result<Prepared, Fault> {
        let mut prepared = prepare(params, &self.transport.limits)?;
        self.transport
            .introduce(&mut prepared, caller, self.access)?;
        Ok(prepared)
    }
}

/// What a frame that cannot be read means. The socket's library keeps the sort of error to itself.
fn broken(error: &axum::Error) -> End {
    let text = error.to_string().to_lowercase();
    if text.contains("too long") {
        too_long()
    } else if text.contains("utf-8") {
        End::close(1007, "Text is UTF-8")
    } else if text.contains("protocol error") {
        End::close(1002, "This is not a WebSocket frame")
    } else {
        End::Gone
    }
}

fn too_long() -> End {
    End::close(1009, "Message too long")
}
