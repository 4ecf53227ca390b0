//! The handles every part of the server works with: no logic.

use std::sync::Arc;

use crate::{
    clock::Clock,
    config::{Config, PlaidEnv},
    database::Database,
    error::{Error, Result},
    feed::Followers,
    metrics::Metrics,
    providers::{Provider, ProviderKind, rates::RateSource},
    seal::Keys,
    ticker::Tickers,
};

#[cfg(test)]
pub(crate) mod testing;

/// The handles. Clones are cheap and share everything.
#[derive(Clone, Debug)]
pub struct App {
    /// What the operator said.
    pub config: Arc<Config>,
    /// The database.
    pub db: Database,
    /// The time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Metrics,
    /// The secret keys.
    pub keys: Arc<Keys>,
    /// Who follows whose feed in this process.
    pub followers: Followers,
    /// Who follows which exchange rate in this process.
    pub tickers: Tickers,
    /// How this server is reached from outside, without a slash at the end.
    pub public_url: Arc<str>,
    /// Plaid.
    pub plaid: Arc<dyn Provider>,
    /// Who tells exchange rates; absent where nobody does.
    pub rates: Option<Arc<dyn RateSource>>,
}

impl App {
    /// Where a provider is told to send webhooks; nothing if it could not reach us there.
    pub fn webhook_url(&self, kind: ProviderKind) -> Option<String> {
        let reachable =
            self.config.public_url.is_some() || self.config.plaid.env == PlaidEnv::Local;
        let name = match kind {
            ProviderKind::Plaid => "plaid",
            ProviderKind::Mx => "mx",
        };
        reachable.then(|| format!("{}/webhooks/{name}", self.public_url))
    }

    /// The way to the banks of one provider.
    pub fn provider(&self, kind: ProviderKind) -> Result<&dyn Provider> {
        match kind {
            ProviderKind::Plaid => Ok(&*self.plaid),
            ProviderKind::Mx => Err(Error::internal("no MX in this server")),
        }
    }
}
