//! Exchange rates. They belong to nobody and are there for everybody who is signed in.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use entity::exchange_rate;

use super::{
    ContextExt, id,
    scalar::{CurrencyCode, DateTime, Decimal},
};
use crate::{app::App, error::Result, money::Pair};

/// The pair of two currencies, if this server follows it; else which ones it follows.
///
/// # Errors
/// A sentence that names the pairs there are.
pub fn followed(app: &App, base: &str, quote: &str) -> Result<Pair, String> {
    let pairs = &app.config.rates.pairs;
    let mut known = pairs.iter();
    let pair = known.find(|pair| pair.base == base && pair.quote == quote);
    pair.cloned().ok_or_else(|| {
        let all: Vec<String> = pairs.iter().map(ToString::to_string).collect();
        let all = match all.as_slice() {
            [] => "none at all".to_owned(),
            all => all.join(", "),
        };
        format!("This server does not follow {base}/{quote}: its operator chose {all}.")
    })
}

/// What one unit of a currency cost in another at a moment.
#[derive(Clone, Debug)]
pub struct ExchangeRate(pub Arc<exchange_rate::Model>);

impl From<exchange_rate::Model> for ExchangeRate {
    fn from(row: exchange_rate::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// What one unit of a currency cost in another at a moment.
#[Object]
impl ExchangeRate {
    /// The rate's id. Of rates older than thirty days only the last of each day can still be asked for.
    pub(crate) async fn id(&self) -> ID {
        id::encode(id::EXCHANGE_RATE, self.0.id)
    }

    /// The currency that is priced.
    async fn base(&self) -> CurrencyCode {
        CurrencyCode(self.0.base.clone())
    }

    /// The currency it is priced in.
    async fn quote(&self) -> CurrencyCode {
        CurrencyCode(self.0.quote.clone())
    }

    /// What one unit of `base` costs in `quote`: exactly what the source told, without zeros at the end.
    async fn rate(&self) -> Decimal {
        Decimal(self.0.rate.clone())
    }

    /// What buyers offer for one unit; absent where the source does not tell it.
    async fn bid(&self) -> Option<Decimal> {
        self.0.bid.clone().map(Decimal)
    }

    /// What sellers ask for one unit; absent where the source does not tell it.
    async fn ask(&self) -> Option<Decimal> {
        self.0.ask.clone().map(Decimal)
    }

    /// The moment the rate holds for, as the source says. Markets close: it may be older than
    /// `fetchedAt` by days.
    async fn provider_time(&self) -> DateTime {
        DateTime(self.0.provider_time)
    }

    /// When this server last heard it from the source.
    async fn fetched_at(&self) -> DateTime {
        DateTime(self.0.fetched_at)
    }

    /// Who told it. Rates of the built-in sandbox are invented, and this says so.
    async fn source(&self) -> &str {
        &self.0.source
    }
}

/// Two currencies whose rate this server follows.
#[derive(Clone, Debug)]
pub struct CurrencyPair(pub Pair);

/// Two currencies whose rate this server follows.
#[Object]
impl CurrencyPair {
    /// The currency that is priced.
    async fn base(&self) -> CurrencyCode {
        CurrencyCode(self.0.base.clone())
    }

    /// The currency it is priced in.
    async fn quote(&self) -> CurrencyCode {
        CurrencyCode(self.0.quote.clone())
    }

    /// The newest rate; absent until there is one.
    async fn latest(&self, ctx: &Context<'_>) -> Result<Option<ExchangeRate>> {
        let latest = ctx.loaders().latest_exchange_rate.load_one(self.0.clone());
        Ok(latest.await?.map(ExchangeRate))
    }

    /// How many seconds lie between two rates, if all goes well: as often as the operator wishes and
    /// the source's daily limit allows.
    async fn interval_seconds(&self, ctx: &Context<'_>) -> u32 {
        let interval = ctx.app().config.rates.stretched();
        u32::try_from(interval.as_secs()).unwrap_or(u32::MAX)
    }
}
