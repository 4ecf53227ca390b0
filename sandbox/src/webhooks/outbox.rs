//! Sends webhooks: asynchronously, signed anew at each attempt, repeated after growing waits until somebody answers 200.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::RequestBuilder;
use reqwest::redirect::Policy;
use serde::Serialize;
use tokio::sync::Semaphore;

use super::keys::Keys;
use super::notice::{Notice, Proof};
use crate::app::App;
use crate::error::Result;
use crate::ring::Ring;
use crate::seed::Seed;
use crate::settings::{SignatureFault, WebhookSettings};

const TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_secs(30);
const REMEMBERED: usize = 10_000;
const AT_ONCE: usize = 64;
/// The first, and at most twelve more, as MX promises.
const MX_ATTEMPTS: u32 = 13;

/// One webhook in the delivery log.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Delivery {
    pub(crate) number: u64,
    pub(crate) item_id: Option<String>,
    pub(crate) url: String,
    pub(crate) webhook_type: &'static str,
    pub(crate) webhook_code: String,
    /// The exact text that was signed and sent.
    pub(crate) body: String,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) state: State,
}

/// One try.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Attempt {
    pub(crate) at: DateTime<Utc>,
    /// The receiver's status, or what went wrong.
    pub(crate) result: String,
}

/// Where a webhook stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Waiting,
    Delivered,
    GivenUp,
    Dropped,
}

/// What sends, and what was sent.
#[derive(Debug)]
pub(crate) struct Outbox {
    client: reqwest::Client,
    pub(crate) keys: Mutex<Keys>,
    log: Mutex<Log>,
    lanes: Semaphore,
}

#[derive(Debug)]
struct Log {
    deliveries: Ring<Delivery>,
    next: u64,
}

impl Outbox {
    pub(crate) fn new(now: DateTime<Utc>) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .build()?;
        let log = Log {
            deliveries: Ring::new(REMEMBERED),
            next: 0,
        };
        Ok(Self {
            client,
            keys: Mutex::new(Keys::new(now.timestamp())?),
            log: Mutex::new(log),
            lanes: Semaphore::new(AT_ONCE),
        })
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        crate::lock(&self.log).deliveries.iter().cloned().collect()
    }

    pub(crate) fn forget(&self) {
        crate::lock(&self.log).deliveries.clear();
    }

    fn remember(&self, notice: &Notice, state: State) -> (u64, String) {
        let body = serde_json::to_string_pretty(&notice.body).unwrap_or_default();
        let mut log = crate::lock(&self.log);
        log.next += 1;
        let delivery = Delivery {
            number: log.next,
            item_id: notice.item_id.clone(),
            url: notice.url.clone(),
            webhook_type: notice.kind,
            webhook_code: notice.code.clone(),
            body: body.clone(),
            attempts: Vec::new(),
            state,
        };
        log.deliveries.push(delivery);
        (log.next, body)
    }

    fn note(&self, number: u64, attempt: Option<Attempt>, state: State) {
        let mut log = crate::lock(&self.log);
        if let Some(delivery) = log
            .deliveries
            .iter_mut()
            .rev()
            .find(|delivery| delivery.number == number)
        {
            delivery.attempts.extend(attempt);
            delivery.state = state;
        }
    }
}

impl App {
    /// Sends webhooks in the background.
    pub(crate) fn send(self: &Arc<Self>, notices: impl IntoIterator<Item = Notice>) {
        for notice in notices {
            self.mark_sent(&notice);
            let app = Arc::clone(self);
            let how = self.settings().webhooks;
            tokio::spawn(async move { app.deliver(notice, how).await });
        }
    }

    fn mark_sent(&self, notice: &Notice) {
        let Some(item_id) = &notice.item_id else {
            return;
        };
        let now = self.clock.now();
        if let Some(item) = crate::lock(&self.world).items.get_mut(item_id) {
            item.last_webhook = Some((now, notice.code.clone()));
        }
    }

    /// Sends one webhook and its duplicates; returns when the last of them is delivered or given up.
    pub(crate) async fn deliver(&self, notice: Notice, how: WebhookSettings) {
        for copy in 0..=how.duplicates {
            let (number, body) = self.outbox.remember(&notice, State::Waiting);
            let chance = Seed(self.seed).of("webhook").at(number);
            if chance.at(1).below(1_000_000) < share(how.drop) {
                self.outbox.note(number, None, State::Dropped);
                continue;
            }
            let wait = if copy == 0 {
                how.delay_ms + chance.at(2).below(how.disorder_ms + 1)
            } else {
                0
            };
            tokio::time::sleep(Duration::from_millis(wait)).await;
            self.insist(number, &notice, &body, &how).await;
        }
    }

    async fn insist(&self, number: u64, notice: &Notice, body: &str, how: &WebhookSettings) {
        let (attempts, growth) = match notice.proof {
            Proof::Plaid => (how.attempts, 4_f64),
            Proof::Mx { .. } => (MX_ATTEMPTS, 2_f64),
        };
        for attempt in 0..attempts.max(1) {
            if attempt > 0 {
                let wait = FIRST_WAIT.as_secs_f64()
                    * growth.powi(i32::try_from(attempt).unwrap_or(9) - 1)
                    * how.retry_scale.max(0.0);
                tokio::time::sleep(Duration::try_from_secs_f64(wait).unwrap_or(FIRST_WAIT)).await;
            }
            let result = self.attempt(notice, body, how.signature).await;
            let heard = |status: &u16| match notice.proof {
                Proof::Plaid => *status == 200,
                Proof::Mx { .. } => (200..300).contains(status),
            };
            let done = result.as_ref().is_ok_and(heard);
            let result = result.map_or_else(|error| error, |status| status.to_string());
            let attempt = Attempt {
                at: self.clock.now(),
                result,
            };
            self.outbox.note(
                number,
                Some(attempt),
                if done {
                    State::Delivered
                } else {
                    State::Waiting
                },
            );
            if done {
                return;
            }
        }
        self.outbox.note(number, None, State::GivenUp);
    }

    async fn attempt(
        &self,
        notice: &Notice,
        body: &str,
        fault: SignatureFault,
    ) -> Result<u16, String> {
        let Ok(_lane) = self.outbox.lanes.acquire().await else {
            return Err("the sandbox is closing".into());
        };
        let request = self
            .outbox
            .client
            .post(&notice.url)
            .header("content-type", "application/json");
        let request = match &notice.proof {
            Proof::Plaid => self.signed(request, body, fault),
            Proof::Mx { target, callback } => {
                let request = request.body(body.to_owned());
                let request = match callback {
                    Some(callback) => request.header("x-callback-payload", callback),
                    None => request,
                };
                if target.user.is_empty() {
                    request
                } else {
                    request.basic_auth(&target.user, Some(&target.password))
                }
            }
        };
        request
            .send()
            .await
            .map(|answer| answer.status().as_u16())
            .map_err(|error| error.without_url().to_string())
    }

    fn signed(&self, request: RequestBuilder, body: &str, fault: SignatureFault) -> RequestBuilder {
        let token = crate::lock(&self.outbox.keys).sign(
            body.as_bytes(),
            self.clock.now().timestamp(),
            fault,
        );
        let sent = if fault == SignatureFault::ChangedBody {
            body.replacen('{', "{ ", 1)
        } else {
            body.to_owned()
        };
        let request = request.body(sent);
        match token {
            Some(token) => request.header("plaid-verification", token),
            None => request,
        }
    }
}

/// A share of one as parts of a million.
pub(crate) fn share(of_one: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1 just before"
    )]
    let parts = (of_one.clamp(0.0, 1.0) * 1_000_000.0) as u64;
    parts
}
