//! What the process counts for its operator, in the form Prometheus reads. Who watches, watches
//! numbers: no label says whose they are.
//!
//! Promises: every label's values are known when the server is built (routes, kinds of jobs,
//! providers' endpoints), so that nobody outside can make series; counting takes no lock that anybody
//! waits for and asks no database.
//!
//! Refused: a recorder for the whole process behind macros. Two servers in one process, as tests have
//! them, would count into each other, and a label would be any text.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::Registry,
};

mod labels;

use labels::{Attempt, Change, Endpoint, Job, Operation, OperationType, Request, Route, Webhook};
pub use labels::{Call, Ended};

/// The counters of a process. Clones are cheap and count into the same.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<Request, Counter>,
    request_seconds: Family<Route, Histogram, Buckets>,
    operations: Family<Operation, Counter>,
    operation_seconds: Family<OperationType, Histogram, Buckets>,
    sockets: Gauge,
    subscriptions: Gauge,
    attempts: Family<Attempt, Counter>,
    attempt_seconds: Family<Job, Histogram, Buckets>,
    transactions: Family<Change, Counter>,
    webhooks: Family<Webhook, Counter>,
    calls: Family<Call, Counter>,
    call_seconds: Family<Endpoint, Histogram, Buckets>,
    password_hashes: Counter,
}

/// Upper bounds of durations, in seconds.
#[derive(Clone, Copy, Debug)]
struct Buckets(&'static [f64]);

/// What a client waits for.
const ANSWERS: Buckets = Buckets(&[
    0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0,
]);
/// What nobody waits for.
const WORK: Buckets = Buckets(&[
    0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0,
]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// One of the things that are open at this moment; closed when dropped.
#[derive(Debug)]
pub struct Open(Gauge);

impl Open {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// A request was answered; `route` is the pattern it matched, nothing if none.
    pub fn answered(&self, route: Option<&str>, status: u16, took: Duration) {
        let route = route.unwrap_or("none").to_owned();
        let request = Request {
            route: route.clone(),
            status,
        };
        self.requests.get_or_create(&request).inc();
        let seconds = self.request_seconds.get_or_create(&Route { route });
        seconds.observe(took.as_secs_f64());
    }

    /// A query or a mutation ran.
    pub fn executed(&self, r#type: &'static str, outcome: &'static str, took: Duration) {
        let operation = Operation { r#type, outcome };
        self.operations.get_or_create(&operation).inc();
        let seconds = self
            .operation_seconds
            .get_or_create(&OperationType { r#type });
        seconds.observe(took.as_secs_f64());
    }

    /// A WebSocket is open.
    pub fn socket(&self) -> Open {
        Open::new(&self.sockets)
    }

    /// A subscription is open, whatever carries it.
    pub fn subscription(&self) -> Open {
        Open::new(&self.subscriptions)
    }

    /// An attempt of a job is over.
    pub fn attempted(&self, kind: &'static str, ended: Ended, took: Duration) {
        let outcome = ended.name();
        self.attempts
            .get_or_create(&Attempt { kind, outcome })
            .inc();
        let seconds = self.attempt_seconds.get_or_create(&Job { kind });
        seconds.observe(took.as_secs_f64());
    }

    /// A sync has changed so many transactions.
    pub fn synced(&self, added: usize, modified: usize, removed: usize) {
        for (change, rows) in [
            ("added", added),
            ("modified", modified),
            ("removed", removed),
        ] {
            let counter = self.transactions.get_or_create(&Change { change });
            counter.inc_by(rows as u64);
        }
    }

    /// A webhook was answered.
    pub fn delivered(&self, provider: &'static str, outcome: &'static str) {
        let webhook = Webhook { provider, outcome };
        self.webhooks.get_or_create(&webhook).inc();
    }

    /// A provider was called.
    pub fn called(&self, call: &Call, took: Duration) {
        self.calls.get_or_create(call).inc();
        let seconds = self.call_seconds.get_or_create(&call.endpoint());
        seconds.observe(took.as_secs_f64());
    }

    /// A password was hashed, to be kept or to be compared.
    pub fn hashed(&self) {
        self.password_hashes.inc();
    }

    /// All of it, in the text format of `OpenMetrics`, without the line that ends it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string fails only where a metric's own text does, and ours are numbers.
        let _ = encode(&mut text, &self.registry);
        text.truncate(text.trim_end_matches("# EOF\n").len());
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Arc::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(ANSWERS),
            operations: Family::default(),
            operation_seconds: Family::new_with_constructor(ANSWERS),
            sockets: Gauge::default(),
            subscriptions: Gauge::default(),
            attempts: Family::default(),
            attempt_seconds: Family::new_with_constructor(WORK),
            transactions: Family::default(),
            webhooks: Family::default(),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(ANSWERS),
            password_hashes: Counter::default(),
        };
        metrics.registry = Arc::new(metrics.registered());
        metrics
    }
}

impl Metrics {
    /// The catalogue: names, and what they mean.
    fn registered(&self) -> Registry {
        let mut all = Registry::with_prefix("passbook");
        all.register(
            "http_requests",
            "Requests answered, by the route they matched",
            self.requests.clone(),
        );
        all.register(
            "http_request_duration_seconds",
            "From the head of a request to that of its answer",
            self.request_seconds.clone(),
        );
        all.register(
            "graphql_operations",
            "Queries and mutations executed; refused ones are only in http_requests",
            self.operations.clone(),
        );
        all.register(
            "graphql_operation_duration_seconds",
            "Execution of queries and mutations",
            self.operation_seconds.clone(),
        );
        all.register("websockets", "Open WebSockets", self.sockets.clone());
        all.register(
            "subscriptions",
            "Open subscriptions, over WebSockets and streams",
            self.subscriptions.clone(),
        );
        all.register(
            "job_attempts",
            "Attempts of jobs that are over; taken_over ones wrote nothing",
            self.attempts.clone(),
        );
        all.register(
            "job_attempt_duration_seconds",
            "Attempts of jobs, from the claim to what came of it",
            self.attempt_seconds.clone(),
        );
        all.register(
            "transactions_synced",
            "Transactions that syncs have committed",
            self.transactions.clone(),
        );
        all.register(
            "webhooks",
            "Webhooks, by what was answered",
            self.webhooks.clone(),
        );
        all.register(
            "provider_calls",
            "Calls of providers, by what to do about the answer",
            self.calls.clone(),
        );
        all.register(
            "provider_call_duration_seconds",
            "Calls of providers, to the last byte",
            self.call_seconds.clone(),
        );
        all.register(
            "password_hashes",
            "Passwords hashed, to be kept or to be compared",
            self.password_hashes.clone(),
        );
        all
    }
}
