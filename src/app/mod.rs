//! The handles every part of the server works with: no logic.

use std::sync::Arc;

use crate::{
    clock::Clock,
    config::{Config, PlaidEnv},
    database::Database,
    error::{ErrorCode, Refusal, Result},
    feed::Followers,
    mailer::Mailer,
    metrics::Metrics,
    providers::{
        CredentialLogin, Provider, ProviderKind, TokenExchange, oidc::Issuers, rates::RateSource,
    },
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
    /// MX, if it is not off.
    pub mx: Option<Arc<dyn Provider>>,
    /// The way out for mail; absent where there is none.
    pub mailer: Option<Mailer>,
    /// Who tells exchange rates; absent where nobody does.
    pub rates: Option<Arc<dyn RateSource>>,
    /// Who else people may sign in with.
    pub issuers: Issuers,
}

impl App {
    /// Where a provider is told to send webhooks; nothing if it could not reach us there.
    pub fn webhook_url(&self, kind: ProviderKind) -> Option<String> {
        let reachable =
            self.config.public_url.is_some() || self.config.plaid.env == PlaidEnv::Local;
        match kind {
            ProviderKind::Plaid => reachable.then(|| format!("{}/webhooks/plaid", self.public_url)),
            // It is told in its dashboard, once for all.
            ProviderKind::Mx => None,
        }
    }

    /// The way to the banks of one provider.
    pub fn provider(&self, kind: ProviderKind) -> Result<&dyn Provider> {
        match kind {
            ProviderKind::Plaid => Ok(&*self.plaid),
            ProviderKind::Mx => self.mx.as_deref().ok_or_else(|| {
                let text = "This server does not link banks through MX: its operator sets MX_ENV.";
                Refusal::new(ErrorCode::NotSupported, text).into()
            }),
        }
    }

    /// Linking by public tokens, where a provider has that.
    pub fn token_exchange(&self, kind: ProviderKind) -> Result<&dyn TokenExchange> {
        let text = "This provider has no public tokens: link with `linkInstitution`, or on the hosted page.";
        let way = self.provider(kind)?.token_exchange();
        way.ok_or_else(|| Refusal::new(ErrorCode::NotSupported, text).into())
    }

    /// Linking by credentials, where a provider has that.
    pub fn credential_login(&self, kind: ProviderKind) -> Result<&dyn CredentialLogin> {
        let text = "This provider takes no credentials: open Link with a link token.";
        let way = self.provider(kind)?.credential_login();
        way.ok_or_else(|| Refusal::new(ErrorCode::NotSupported, text).into())
    }
}
