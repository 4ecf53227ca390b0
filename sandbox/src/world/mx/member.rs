//! A member: one login at one bank, and what MX is doing with it at the moment.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::row::{exact, stamp, stamp_option};
use crate::mx::challenge::Challenge;

/// What MX does with a member. Two of one type are one; one of another type is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum JobKind {
    Aggregation,
    Balance,
    History,
    Identification,
    Verification,
    Statements,
}

/// One step of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Signs in at the bank, or gives it the answers to what it asked.
    SignIn,
    Accounts,
    Transactions,
    Finish,
}

/// An answer to a challenge.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Given {
    pub(crate) guid: String,
    pub(crate) value: String,
}

impl std::fmt::Debug for Given {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Given")
            .field("guid", &self.guid)
            .finish_non_exhaustive()
    }
}

/// A job under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) guid: String,
    pub(crate) kind: JobKind,
    pub(crate) is_background: bool,
    pub(crate) left: VecDeque<Step>,
    /// When the next step is taken by itself; `None` if control takes it, or if it waits for answers.
    pub(crate) due: Option<DateTime<Utc>>,
    pub(crate) answers: Vec<Given>,
    /// `X-CALLBACK-PAYLOAD` of the call that began it.
    pub(crate) callback: Option<String>,
    pub(crate) created: u64,
    pub(crate) updated: u64,
}

/// What somebody is asked, and until when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) challenge: Challenge,
    /// How many rounds have been passed.
    pub(crate) round: u32,
    pub(crate) expires_at: DateTime<Utc>,
}

/// How an OAuth sign-in is to come back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct OAuth {
    /// The part of the address that cannot be guessed; it works once.
    pub(crate) state: String,
    pub(crate) redirect: Option<String>,
    pub(crate) skip_aggregation: bool,
}

/// An account as MX tells of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) guid: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) r#type: String,
    pub(crate) subtype: Option<String>,
    pub(crate) account_number: Option<String>,
    #[serde(with = "exact")]
    pub(crate) balance: Option<Decimal>,
    #[serde(with = "exact")]
    pub(crate) available_balance: Option<Decimal>,
    #[serde(with = "exact")]
    pub(crate) available_credit: Option<Decimal>,
    #[serde(with = "exact")]
    pub(crate) credit_limit: Option<Decimal>,
    pub(crate) currency_code: Option<String>,
    pub(crate) is_closed: bool,
    #[serde(with = "stamp")]
    pub(crate) created_at: DateTime<Utc>,
    #[serde(with = "stamp")]
    pub(crate) updated_at: DateTime<Utc>,
}

/// A member as it stands.
#[expect(clippy::struct_excessive_bools, reason = "the switches are MX's")]
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) guid: String,
    pub(crate) number: u64,
    pub(crate) user_guid: String,
    pub(crate) id: Option<String>,
    pub(crate) institution_code: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) metadata: Option<String>,
    pub(crate) background_aggregation_is_disabled: bool,
    pub(crate) use_cases: Vec<String>,
    pub(crate) is_oauth: bool,
    pub(crate) oauth: Option<OAuth>,
    /// `None` is MX's null: no credentials at all.
    pub(crate) connection_status: Option<String>,
    pub(crate) is_authenticated: bool,
    pub(crate) has_processed_accounts: bool,
    pub(crate) has_processed_transactions: bool,
    #[serde(with = "stamp")]
    pub(crate) created_at: DateTime<Utc>,
    #[serde(with = "stamp_option")]
    pub(crate) aggregated_at: Option<DateTime<Utc>>,
    #[serde(with = "stamp_option")]
    pub(crate) successfully_aggregated_at: Option<DateTime<Utc>>,
    pub(crate) most_recent_job_guid: Option<String>,
    pub(crate) job: Option<Job>,
    pub(crate) asked: Option<Asked>,
    /// Sign-ins refused in a row; after three MX tries no more.
    pub(crate) denials: u32,
    pub(crate) accounts: Vec<Account>,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Member")
            .field("guid", &self.guid)
            .field("connection_status", &self.connection_status)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// An account with nothing but what every account has.
    pub(crate) fn plain(guid: String, at: DateTime<Utc>) -> Self {
        Self {
            id: guid.clone(),
            guid,
            name: "Opened by control".to_owned(),
            r#type: "CHECKING".to_owned(),
            subtype: None,
            account_number: Some("0042".to_owned()),
            balance: Some(Decimal::ONE_HUNDRED),
            available_balance: None,
            available_credit: None,
            credit_limit: None,
            currency_code: Some("USD".to_owned()),
            is_closed: false,
            created_at: at,
            updated_at: at,
        }
    }
}

impl Member {
    /// The next moment at which something happens by itself.
    pub(crate) fn next_moment(&self) -> Option<DateTime<Utc>> {
        let expiry = self.asked.as_ref().map(|asked| asked.expires_at);
        let due = self.job.as_ref().and_then(|job| job.due);
        expiry.into_iter().chain(due).min()
    }

    pub(crate) fn is(&self, status: &str) -> bool {
        self.connection_status.as_deref() == Some(status)
    }
}

impl Job {
    pub(crate) fn new(kind: JobKind, guid: String) -> Self {
        let left = match kind {
            JobKind::Aggregation | JobKind::History => [
                Step::SignIn,
                Step::Accounts,
                Step::Transactions,
                Step::Finish,
            ]
            .into(),
            JobKind::Balance => [Step::SignIn, Step::Accounts, Step::Finish].into(),
            JobKind::Identification | JobKind::Verification | JobKind::Statements => {
                [Step::SignIn, Step::Finish].into()
            }
        };
        Self {
            guid,
            kind,
            is_background: false,
            left,
            due: None,
            answers: Vec::new(),
            callback: None,
            created: 0,
            updated: 0,
        }
    }

    /// Lets the next step be taken `step_ms` after `at`, or by control alone.
    pub(crate) fn wait(&mut self, at: DateTime<Utc>, step_ms: Option<u64>) {
        self.due = step_ms.map(|ms| at + TimeDelta::milliseconds(i64::try_from(ms).unwrap_or(0)));
    }
}
