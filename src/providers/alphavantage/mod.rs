//! Alpha Vantage, which tells what a currency costs now. One endpoint, chosen by a parameter, and the
//! key in the address: no address is ever logged or kept. Failures come with HTTP 200 and one key of
//! their own (`answer`). <https://www.alphavantage.co/documentation/#currency-exchange>

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::rates::{Quote, RateError, RateSource};
use crate::{clock::Clock, error::Result, money::Pair, seal::sha256_hex};

mod answer;
mod client;
#[cfg(test)]
mod tests;

use client::Client;

/// Where the real one is.
pub const BASE_URL: &str = "https://www.alphavantage.co";

/// A free key is good for one call a second, and the smallest plan for 75 a minute.
const SPACING: Duration = Duration::from_millis(1_200);

/// How Alpha Vantage is reached.
#[derive(Debug)]
pub struct AlphaVantageSettings {
    /// The address before `/query`.
    pub base_url: String,
    /// The key; a stand-in takes any.
    pub api_key: Option<SecretString>,
    /// What clients are told about where rates come from.
    pub name: String,
}

/// The way to Alpha Vantage.
pub struct AlphaVantage {
    client: Client,
    name: String,
    account: String,
    spacing: Duration,
    clock: Clock,
}

impl std::fmt::Debug for AlphaVantage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AlphaVantage").field(&self.name).finish()
    }
}

impl AlphaVantage {
    /// Prepares calls. Connects to nothing.
    ///
    /// # Errors
    /// If the address is none.
    pub fn new(settings: AlphaVantageSettings, clock: Clock) -> Result<Self> {
        // Only a key of ours has a limit that calls can come too fast for.
        let spacing = settings.api_key.as_ref().map(|_| SPACING);
        let key = settings.api_key.unwrap_or_else(|| "local".into());
        let whose = format!("{} {}", settings.base_url, key.expose_secret());
        let account = sha256_hex(whose.as_bytes());
        Ok(Self {
            client: Client::new(&settings.base_url, key)?,
            name: settings.name,
            account: account.chars().take(16).collect(),
            spacing: spacing.unwrap_or_default(),
            clock,
        })
    }
}

#[async_trait]
impl RateSource for AlphaVantage {
    fn name(&self) -> &str {
        &self.name
    }

    fn account(&self) -> &str {
        &self.account
    }

    fn spacing(&self) -> Duration {
        self.spacing
    }

    async fn quote(&self, pair: &Pair) -> Result<Quote, RateError> {
        let text = self.client.currency_exchange_rate(pair).await?;
        answer::read(&text, pair, self.clock.now())
    }
}
