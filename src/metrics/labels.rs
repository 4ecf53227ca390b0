//! The labels. All values come from this source: routes, kinds, endpoints, outcomes.

use prometheus_client::encoding::EncodeLabelSet;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Request {
    pub(super) route: String,
    pub(super) status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Route {
    pub(super) route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Operation {
    pub(super) r#type: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OperationType {
    pub(super) r#type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Attempt {
    pub(super) kind: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Job {
    pub(super) kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Change {
    pub(super) change: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Webhook {
    pub(super) provider: &'static str,
    pub(super) outcome: &'static str,
}

/// A call of a provider, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Call {
    /// Who was called.
    pub provider: &'static str,
    /// What for: a path without ids.
    pub endpoint: &'static str,
    /// `ok`, or the class of the error.
    pub outcome: &'static str,
}

impl Call {
    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint {
            provider: self.provider,
            endpoint: self.endpoint,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Endpoint {
    pub(super) provider: &'static str,
    pub(super) endpoint: &'static str,
}

/// How an attempt of a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is done.
    Succeeded,
    /// It failed, and there will be another.
    Retried,
    /// It failed, and was the last.
    GivenUp,
    /// Another worker has the job: what this one would have written was refused.
    TakenOver,
    /// The process went down; the job is taken up again.
    HandedBack,
    /// What came of it could not be written; the job is taken up again.
    Lost,
}

impl Ended {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Retried => "retried",
            Self::GivenUp => "given_up",
            Self::TakenOver => "taken_over",
            Self::HandedBack => "handed_back",
            Self::Lost => "lost",
        }
    }
}
