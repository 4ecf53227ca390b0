//! A schema with one of everything that can happen to an operation.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::{Context, ID, Object, Schema, SchemaBuilder, SimpleObject, Subscription};
use futures_util::{Stream, StreamExt, stream};
use passbook::{
    error::{Error, Result},
    graphql::{ContextExt, cost::Cost, errors::ErrorPolicy, nulls::Nulls},
    viewer::ClientInfo,
};
use tokio::sync::{Notify, watch};

pub type Executor = Schema<Query, Mutation, Subscriptions>;

/// What a test sees of the inside.
#[derive(Clone, Default)]
pub struct Probe {
    /// Mutations that ran to their end.
    pub done: Arc<watch::Sender<usize>>,
    /// Operations that have begun to wait.
    pub begun: Arc<watch::Sender<usize>>,
    /// Subscriptions that are alive.
    pub live: Arc<watch::Sender<usize>>,
    /// Lets waiting operations go on.
    pub gate: Arc<Notify>,
    calls: Arc<AtomicUsize>,
}

impl Probe {
    /// How many resolvers of `touch` ran.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

pub fn build(probe: Probe) -> Executor {
    bare(probe).finish()
}

/// The same schema, in which an operation costs something.
pub fn costly(probe: Probe) -> Executor {
    bare(probe).extension(Cost { limit: COST }).finish()
}

/// The most an operation may cost there.
pub const COST: usize = 30;

fn bare(probe: Probe) -> SchemaBuilder<Query, Mutation, Subscriptions> {
    Schema::build(Query, Mutation, Subscriptions)
        .data(probe)
        .extension(ErrorPolicy)
        .extension(Nulls)
}

#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Node {
    name: &'static str,
}

#[async_graphql::ComplexObject]
impl Node {
    async fn node(&self) -> Node {
        Node { name: "deeper" }
    }
}

pub struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &'static str {
        "world"
    }

    async fn echo(&self, n: i32) -> i32 {
        n
    }

    async fn text(&self, id: ID, note: Option<String>) -> String {
        format!("{}/{}", id.as_str(), note.unwrap_or_default())
    }

    async fn node(&self) -> Node {
        Node { name: "top" }
    }

    #[graphql(complexity = "first * child_complexity + 1")]
    async fn nodes(&self, first: usize) -> Vec<Node> {
        (0..first).map(|_| Node { name: "one" }).collect()
    }

    async fn sum(&self, numbers: Vec<i32>) -> i32 {
        numbers.iter().sum()
    }

    async fn touch(&self, ctx: &Context<'_>) -> usize {
        let calls = &ctx.data_unchecked::<Probe>().calls;
        calls.fetch_add(1, Ordering::SeqCst)
    }

    async fn who(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(ctx.viewer()?.user_id.to_string())
    }

    async fn client(&self, ctx: &Context<'_>) -> String {
        let client = ctx.data_unchecked::<ClientInfo>();
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        format!("{} {}", part(&client.address), part(&client.user_agent))
    }

    async fn fail(&self) -> Result<Option<i32>> {
        Err(Error::internal("the secret address of the database"))
    }

    async fn panic(&self) -> Option<i32> {
        assert!(Self::sane(), "on purpose");
        None
    }

    async fn wait(&self, ctx: &Context<'_>) -> bool {
        let probe = ctx.data_unchecked::<Probe>();
        probe.begun.send_modify(|begun| *begun += 1);
        std::future::pending().await
    }
}

impl Query {
    fn sane() -> bool {
        false
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn login(&self, ctx: &Context<'_>) -> bool {
        ctx.viewer().is_err()
    }

    async fn register(&self) -> bool {
        true
    }

    async fn bump(&self, ctx: &Context<'_>) -> Result<usize> {
        let probe = ctx.data_unchecked::<Probe>();
        probe.done.send_modify(|done| *done += 1);
        Ok(*probe.done.borrow())
    }

    /// Waits for the gate, then is done.
    async fn slow(&self, ctx: &Context<'_>) -> bool {
        let probe = ctx.data_unchecked::<Probe>();
        let gate = probe.gate.notified();
        probe.begun.send_modify(|begun| *begun += 1);
        gate.await;
        probe.done.send_modify(|done| *done += 1);
        true
    }
}

pub struct Subscriptions;

/// Counts a subscription as long as it is held.
struct Alive(Probe);

impl Alive {
    fn new(ctx: &Context<'_>) -> Self {
        let probe = ctx.data_unchecked::<Probe>().clone();
        probe.live.send_modify(|live| *live += 1);
        Self(probe)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.live.send_modify(|live| *live -= 1);
    }
}

#[Subscription]
impl Subscriptions {
    #[graphql(complexity = "usize::try_from(to).unwrap_or(0)")]
    async fn count(&self, to: i32) -> impl Stream<Item = i32> + use<> {
        stream::iter(1..=to)
    }

    /// One event, then silence.
    async fn wait(&self, ctx: &Context<'_>) -> impl Stream<Item = bool> + use<> {
        let alive = Alive::new(ctx);
        stream::once(async { true })
            .chain(stream::pending())
            .map(move |event| {
                let _ = &alive;
                event
            })
    }

    /// More than any client reads.
    async fn flood(&self, ctx: &Context<'_>) -> impl Stream<Item = String> + use<> {
        let alive = Alive::new(ctx);
        stream::repeat_with(move || {
            let _ = &alive;
            "flood".repeat(20_000)
        })
    }

    /// Once, and more than any buffer on the way has room for.
    async fn lump(&self, ctx: &Context<'_>) -> impl Stream<Item = String> + use<> {
        let alive = Alive::new(ctx);
        let lump = stream::once(async { "lump".repeat(8_000_000) });
        lump.chain(stream::pending().inspect(move |_: &String| {
            let _ = &alive;
        }))
    }

    async fn who(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = String> + use<>> {
        let viewer = ctx.viewer()?;
        Ok(stream::once(async move { viewer.user_id.to_string() }))
    }

    async fn panics(&self) -> impl Stream<Item = i32> + use<> {
        stream::iter(1..3).inspect(|n| assert!(*n < 2, "on purpose"))
    }
}

/// Long enough that a test that needs it has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);
