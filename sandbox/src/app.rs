//! What every request needs at hand. Handles, no behaviour.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::Notify;

use crate::alphavantage::Desk;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::hosted::visit::Flows;
use crate::mx::connect::Widgets;
use crate::mx::shift::Shift;
use crate::oidc;
use crate::plaid::calls::Call;
use crate::ring::Ring;
use crate::seed::Seed;
use crate::settings::{MxWebhooks, Settings};
use crate::webhooks::outbox::Outbox;
use crate::world::World;

/// The sandbox's parts.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) seed: u64,
    pub(crate) clock: Clock,
    pub(crate) world: Mutex<World>,
    pub(crate) settings: Mutex<Settings>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) calls: Mutex<Ring<Call>>,
    pub(crate) flows: Mutex<Flows>,
    pub(crate) desk: Mutex<Desk>,
    pub(crate) issuers: Mutex<oidc::Desk>,
    pub(crate) signer: OnceLock<Arc<oidc::Signer>>,
    pub(crate) outbox: Outbox,
    pub(crate) mx_webhooks: Mutex<Option<Arc<MxWebhooks>>>,
    pub(crate) shifts: Mutex<Vec<Shift>>,
    pub(crate) widgets: Mutex<Widgets>,
    /// Rings when a member has a new moment at which something happens to it by itself.
    pub(crate) moments: Notify,
    pub(crate) public_url: String,
    pub(crate) requests: AtomicU64,
}

impl App {
    pub(crate) fn settings(&self) -> Settings {
        crate::lock(&self.settings).clone()
    }

    /// The id of the next request.
    pub(crate) fn request_id(&self) -> String {
        Seed(self.seed)
            .of("request")
            .at(self.requests.fetch_add(1, Ordering::Relaxed))
            .id(15)
    }
}
