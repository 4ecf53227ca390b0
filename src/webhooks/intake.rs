//! The way into the inbox. Deliveries wait in lanes: those of one lane are committed in the order they
//! came, together where several wait, and no lane waits for another. On SQLite, where one writes at a
//! time, there is one lane, so that deliveries that come together share a commit. On PostgreSQL every
//! item has its own: a long transaction of one person's holds up what comes about her, and nobody else.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use sea_orm::DbBackend;
use secrecy::ExposeSecret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::keep::keep;
use crate::{
    app::App,
    error::{Error, Result},
    providers::{Delivery, ProviderKind, Subject},
    seal::sha256_hex,
};

/// Deliveries that may wait; beyond that senders are told to come back.
const QUEUE: usize = 2_048;
/// Deliveries in one commit.
const BATCH: usize = 256;
/// Lanes that commit at once. Each takes a connection, and the API wants some too.
const LANES: usize = 8;

/// The way into the inbox.
#[derive(Clone, Debug)]
pub struct Intake {
    seats: Arc<Semaphore>,
    door: mpsc::UnboundedSender<Waiting>,
}

/// A delivery whose sender waits for the answer.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) provider: ProviderKind,
    pub(super) delivery: Delivery,
    pub(super) body: Vec<u8>,
    kept: oneshot::Sender<Result<()>>,
    _seat: OwnedSemaphorePermit,
}

impl Intake {
    /// The inbox and the task that writes it; the task ends when the last handle is dropped.
    pub fn new(app: App) -> (Self, impl Future<Output = ()> + Send) {
        let (door, arrivals) = mpsc::unbounded_channel();
        let seats = Arc::new(Semaphore::new(QUEUE));
        (Self { seats, door }, write(app, arrivals))
    }

    /// Keeps a delivery; returns when it is on disk.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it could not be kept: the provider should send it again.
    pub async fn take(
        &self,
        provider: ProviderKind,
        delivery: Delivery,
        body: Vec<u8>,
    ) -> Result<()> {
        let seat = self.seats.clone().try_acquire_owned();
        let seat = seat.map_err(|_| unavailable("the inbox is full"))?;
        let (kept, outcome) = oneshot::channel();
        let waiting = Waiting {
            provider,
            delivery,
            body,
            kept,
            _seat: seat,
        };
        let closed = || unavailable("the inbox is closed");
        self.door.send(waiting).map_err(|_| closed())?;
        outcome.await.unwrap_or_else(|_| Err(closed()))
    }
}

fn unavailable(what: &str) -> Error {
    let what: Box<dyn std::error::Error + Send + Sync> = what.into();
    Error::Unavailable(Arc::from(what))
}

/// The deliveries that wait, by lane. A lane is here as long as one of its deliveries waits or is
/// being kept, and in the queue as long as nobody works on it.
#[derive(Default)]
struct Lanes {
    waiting: HashMap<String, VecDeque<Waiting>>,
    queue: VecDeque<String>,
}

impl Lanes {
    fn add(&mut self, lane: String, delivery: Waiting) {
        let waiting = self.waiting.entry(lane.clone()).or_insert_with(|| {
            self.queue.push_back(lane);
            VecDeque::new()
        });
        waiting.push_back(delivery);
    }

    /// What is to be kept next, and in which lane.
    fn next(&mut self) -> Option<(String, Vec<Waiting>)> {
        let lane = self.queue.pop_front()?;
        let waiting = self.waiting.get_mut(&lane)?;
        let batch = waiting.drain(..waiting.len().min(BATCH)).collect();
        Some((lane, batch))
    }

    /// Nobody works on a lane any more.
    fn rest(&mut self, lane: String) {
        if self.waiting.get(&lane).is_some_and(VecDeque::is_empty) {
            self.waiting.remove(&lane);
        } else {
            self.queue.push_back(lane);
        }
    }
}

async fn write(app: App, mut arrivals: mpsc::UnboundedReceiver<Waiting>) {
    let mut lanes = Lanes::default();
    let mut working = FuturesUnordered::new();
    let mut arrived = Vec::with_capacity(BATCH);
    let mut open = true;
    while open || !working.is_empty() {
        while working.len() < LANES
            && let Some((lane, batch)) = lanes.next()
        {
            working.push(work(&app, lane, batch));
        }
        tokio::select! {
            Some(lane) = working.next() => lanes.rest(lane),
            count = arrivals.recv_many(&mut arrived, BATCH), if open => {
                open = count > 0;
                for delivery in arrived.drain(..) {
                    lanes.add(lane(&app, &delivery), delivery);
                }
            }
        }
    }
}

/// What a delivery must not overtake.
fn lane(app: &App, waiting: &Waiting) -> String {
    if app.db.backend() != DbBackend::Postgres {
        return String::new();
    }
    subject(&waiting.delivery).unwrap_or_default()
}

/// The subject of a delivery as the inbox names it: a link token only by its hash.
pub(super) fn subject(delivery: &Delivery) -> Option<String> {
    match &delivery.subject {
        Subject::Item(id) => Some(id.clone()),
        Subject::Link(token) => Some(sha256_hex(token.expose_secret().as_bytes())),
        Subject::Nothing => None,
    }
}

/// Keeps a batch and answers its senders; the lane it is of.
async fn work(app: &App, lane: String, batch: Vec<Waiting>) -> String {
    let together = keep(app, &batch).await;
    let alone = together.is_err() && batch.len() > 1;
    for waiting in batch {
        // One that cannot be kept costs no other.
        let outcome = match &together {
            Err(_) if alone => keep(app, std::slice::from_ref(&waiting)).await,
            together => together.clone(),
        };
        // A sender that has gone away will send again.
        let _ = waiting.kept.send(outcome);
    }
    lane
}
