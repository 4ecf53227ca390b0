//! Faults on purpose: which call they hit, and what they do to it. Drawn from the seed, so that a drill can be run again.

pub(crate) mod anomaly;
pub(crate) mod response;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::app::App;
use crate::plaid::error::PlaidError;
use crate::seed::Seed;
use crate::webhooks::outbox::share;

/// A fault waiting for calls.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fault {
    #[serde(flatten)]
    target: Target,
    #[serde(flatten)]
    kind: Kind,
    /// Calls that matched so far.
    matched: u64,
    /// Calls that were hit so far.
    hits: u64,
}

/// Which calls a fault hits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    /// Only calls of this path; with MX of this method and pattern, such as `GET /mx/users/{user_guid}/transactions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    /// Only calls about this item.
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<String>,
    /// Only calls about this member.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_guid: Option<String>,
    /// Only calls about this institution.
    #[serde(skip_serializing_if = "Option::is_none")]
    institution_id: Option<String>,
    /// Hits this share of the calls that match, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    /// Hits only the nth call that matches, counting from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    nth: Option<u64>,
    /// Hits so many times, then never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
}

const TARGET: [&str; 7] = [
    "endpoint",
    "item_id",
    "member_guid",
    "institution_id",
    "probability",
    "nth",
    "count",
];

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Kind {
    /// Answers late.
    Latency { ms: u64 },
    /// 429, as the face that was asked says it.
    RateLimit { retry_after: Option<String> },
    /// A bare status with an HTML page, as a proxy in between would send it.
    Html { status: u16 },
    /// A Plaid error by code; codes that are a server's fault come with 500 or 503.
    Error { code: String },
    /// An error with this status, in the words of the face that was asked.
    Status { status: u16 },
    /// The answer stops after so many bytes and the connection is cut. The work has been done.
    Drop { after: usize },
    /// Accepts, does the work, waits without a word, and cuts the connection.
    Hang { ms: u64 },
    /// Does the work, and says something else.
    Says { body: Value },
    /// The work is done and the answer never arrives.
    Lost,
    /// The work is done and the answer waits until the fault is taken away.
    Held,
    /// An error with this status whose sentence is the body of the request.
    Echo { status: u16 },
    /// A body that is not the JSON it should be.
    Malformed { form: response::Form },
    /// A body of this size, sound until it ends, which it should not be waited for.
    Huge { bytes: u64 },
    /// `TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION` on this page of a loop, counting from 0.
    Mutation { page: u64 },
    /// Something odd in the data of a sync.
    Anomaly { name: anomaly::Anomaly },
}

/// What a call is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub(crate) endpoint: String,
    pub(crate) item_id: Option<String>,
    pub(crate) member_guid: Option<String>,
    pub(crate) institution_id: Option<String>,
    /// Which page of a loop is asked for.
    pub(crate) page: u64,
    pub(crate) cursor: Option<String>,
}

/// The faults that are set.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: Seed,
    pub(crate) set: Vec<Fault>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed: Seed(seed).of("faults"),
            set: Vec::new(),
        }
    }

    /// Whether answers are held back.
    fn holds(&self) -> bool {
        self.set.iter().any(|fault| fault.kind == Kind::Held)
    }

    /// The faults that hit this call.
    pub(crate) fn draw(&mut self, scope: &Scope) -> Vec<Kind> {
        let seed = self.seed;
        let hit = |(fault, n): (&mut Fault, u64)| {
            fault.hits(scope, seed.at(n)).then(|| fault.kind.clone())
        };
        self.set.iter_mut().zip(0..).filter_map(hit).collect()
    }
}

/// Holds an answer back whose work is done, for as long as is planted.
pub(crate) async fn hold(app: &App, planted: &[Kind]) {
    for wait in planted.iter().filter_map(Kind::stall) {
        tokio::time::sleep(wait).await;
    }
    while planted.contains(&Kind::Held) && crate::lock(&app.faults).holds() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Fault {
    /// Reads an order. A field that neither the target nor the kind knows is refused, so that no fault is planted beside its mark.
    pub(crate) fn order(fields: Map<String, Value>) -> serde_json::Result<Self> {
        let (target, kind) = fields
            .into_iter()
            .partition(|(name, _)| TARGET.contains(&name.as_str()));
        let target = serde_json::from_value(Value::Object(target))?;
        Ok(Self {
            target,
            kind: serde_json::from_value(Value::Object(kind))?,
            matched: 0,
            hits: 0,
        })
    }

    fn hits(&mut self, scope: &Scope, seed: Seed) -> bool {
        let on_page = match self.kind {
            Kind::Mutation { page } => scope.endpoint == "/transactions/sync" && scope.page == page,
            Kind::Anomaly { .. } => scope.lists_transactions(),
            _ => true,
        };
        if !on_page || !self.target.names(scope) {
            return false;
        }
        self.matched += 1;
        let Target {
            probability,
            nth,
            count,
            ..
        } = self.target;
        let drawn =
            probability.is_none_or(|part| seed.at(self.matched).below(1_000_000) < share(part));
        let hit = drawn
            && nth.is_none_or(|nth| nth == self.matched)
            && count.is_none_or(|count| self.hits < count);
        self.hits += u64::from(hit);
        hit
    }
}

impl Scope {
    /// Whether rows come back.
    fn lists_transactions(&self) -> bool {
        let of_mx = self.endpoint.starts_with("GET /mx/");
        self.endpoint == "/transactions/sync" || of_mx && self.endpoint.ends_with("/transactions")
    }
}

impl Target {
    fn names(&self, scope: &Scope) -> bool {
        let named = |wanted: &Option<String>, given: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| given == Some(wanted))
        };
        named(&self.endpoint, Some(&scope.endpoint))
            && named(&self.item_id, scope.item_id.as_deref())
            && named(&self.member_guid, scope.member_guid.as_deref())
            && named(&self.institution_id, scope.institution_id.as_deref())
    }
}

impl Kind {
    /// How long the call waits before anything is done.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match self {
            Self::Latency { ms } => Some(Duration::from_millis((*ms).min(120_000))),
            _ => None,
        }
    }

    /// How long the answer is held back.
    fn stall(&self) -> Option<Duration> {
        match self {
            Self::Hang { ms } => Some(Duration::from_millis((*ms).min(120_000))),
            _ => None,
        }
    }

    /// The error that takes the place of the work.
    pub(crate) fn refusal(&self, asked: &[u8]) -> Option<PlaidError> {
        match self {
            Self::RateLimit { .. } => Some(PlaidError::of("RATE_LIMIT_EXCEEDED")),
            Self::Error { code } => Some(PlaidError::of(code)),
            Self::Html { .. } => Some(PlaidError::of("INTERNAL_SERVER_ERROR")),
            Self::Status { status } => Some(PlaidError {
                status: *status,
                ..PlaidError::of("INTERNAL_SERVER_ERROR")
            }),
            Self::Echo { status } => Some(PlaidError {
                status: *status,
                error_message: String::from_utf8_lossy(asked).into_owned(),
                ..PlaidError::of("INTERNAL_SERVER_ERROR")
            }),
            Self::Mutation { .. } => Some(PlaidError::of(
                "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION",
            )),
            _ => None,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::RateLimit { .. } => "rate_limit",
            Self::Html { .. } => "html",
            Self::Error { .. } => "error",
            Self::Status { .. } => "status",
            Self::Drop { .. } => "drop",
            Self::Hang { .. } => "hang",
            Self::Says { .. } => "says",
            Self::Lost => "lost",
            Self::Held => "held",
            Self::Echo { .. } => "echo",
            Self::Malformed { .. } => "malformed",
            Self::Huge { .. } => "huge",
            Self::Mutation { .. } => "mutation",
            Self::Anomaly { .. } => "anomaly",
        }
    }
}
