//! What the API offers of exchange rates.

#![expect(
    clippy::too_many_arguments,
    reason = "a connection has four arguments by itself"
)]

use async_graphql::{Context, InputObject, Object, SimpleObject, Subscription};
use futures_util::Stream;

use super::{
    Flights, history, live,
    net_worth::{self, NetWorth},
    refresh,
};
use crate::{
    error::{Error, Result},
    graphql::{
        ContextExt,
        errors::{UserError, settle},
        exchange_rate::{CurrencyPair, ExchangeRate, followed},
        page::{Connection, RawPage, cost},
        scalar::CurrencyCode,
    },
    money::Pair,
};

/// How many accounts a person is taken to have when it is told what a query costs.
const USUAL_ACCOUNTS: usize = 10;

/// Queries about rates.
#[derive(Clone, Copy, Debug, Default)]
pub struct RatesQuery;

/// Mutations of rates.
#[derive(Clone, Copy, Debug, Default)]
pub struct RatesMutation;

/// Subscriptions to rates.
#[derive(Clone, Copy, Debug, Default)]
pub struct RatesSubscription;

/// What currencies cost, and what a person has in one of them.
#[Object]
impl RatesQuery {
    /// The newest rate of a pair. Absent if this server does not follow the pair, or has no rate yet;
    /// the inverse of a pair it follows is another pair.
    async fn exchange_rate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The currency that is priced.")] base: CurrencyCode,
        #[graphql(desc = "The currency it is priced in.")] quote: CurrencyCode,
    ) -> Result<Option<ExchangeRate>> {
        ctx.viewer()?;
        live::exchange_rate(ctx.app(), &base.0, &quote.0).await
    }

    /// The rates of a pair, newest first by `providerTime`. All of the last thirty days, and the last
    /// one of each day before.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn exchange_rates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The currency that is priced.")] base: CurrencyCode,
        #[graphql(desc = "The currency it is priced in.")] quote: CurrencyCode,
        #[graphql(desc = "How many from the start: 1 to 100, 20 if neither size is given.")]
        first: Option<i32>,
        #[graphql(desc = "Begin after the row with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before the row with this cursor.")] before: Option<String>,
    ) -> Result<Connection<ExchangeRate>> {
        let pair = Pair::new(&base.0, &quote.0);
        let page = RawPage {
            first,
            after,
            last,
            before,
        };
        let wanted = (page, ctx.wants_total());
        history::exchange_rates(ctx.app(), ctx.viewer()?, &pair, wanted).await
    }

    /// The pairs this server follows, as its operator chose them.
    #[graphql(complexity = "5 * child_complexity + 1")]
    async fn exchange_rate_pairs(&self, ctx: &Context<'_>) -> Result<Vec<CurrencyPair>> {
        ctx.viewer()?;
        let pairs = ctx.app().config.rates.pairs.iter();
        Ok(pairs.cloned().map(CurrencyPair).collect())
    }

    /// What you have and owe at all banks, in one currency, by the rates of today.
    #[graphql(complexity = "USUAL_ACCOUNTS * child_complexity + 1")]
    async fn net_worth(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "in", desc = "The currency to tell it in.")] currency: CurrencyCode,
    ) -> Result<NetWorth> {
        net_worth::net_worth(ctx.app(), ctx.viewer()?, currency).await
    }
}

/// Which rate to fetch.
#[derive(Debug, InputObject)]
struct RefreshExchangeRateInput {
    /// The currency that is priced.
    base: CurrencyCode,
    /// The currency it is priced in.
    quote: CurrencyCode,
}

/// What came of fetching a rate.
#[derive(Debug, Default, SimpleObject)]
struct RefreshExchangeRatePayload {
    /// The newest rate of the pair.
    exchange_rate: Option<ExchangeRate>,
    /// What kept it from being fetched; empty on success.
    user_errors: Vec<UserError>,
}

/// What can be done about rates.
#[Object]
impl RatesMutation {
    /// Fetches a rate now, of a pair that this server follows, within the daily limit of its source: where
    /// there is one, a rate of the last half minute is told again, and one person gets at most half of
    /// what is left to people. Who follows the rate is told too.
    async fn refresh_exchange_rate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which rate to fetch.")] input: RefreshExchangeRateInput,
    ) -> Result<RefreshExchangeRatePayload> {
        let viewer = ctx.viewer()?;
        let flights = ctx.data_unchecked::<Flights>();
        let pair = (input.base.0.as_str(), input.quote.0.as_str());
        let rate = refresh::refresh_exchange_rate(ctx.app(), flights, viewer, pair).await;
        let payload = rate.map(|rate| RefreshExchangeRatePayload {
            exchange_rate: Some(rate.into()),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| RefreshExchangeRatePayload {
            user_errors,
            ..Default::default()
        })
    }
}

/// What can be followed of rates.
#[Subscription]
impl RatesSubscription {
    /// The rate of a pair: first the newest there is, then each new one as it comes, in their order and
    /// none left out. It has no cursor; who comes back begins with the newest again, and `exchangeRates`
    /// has those between.
    async fn exchange_rate_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The currency that is priced.")] base: CurrencyCode,
        #[graphql(desc = "The currency it is priced in.")] quote: CurrencyCode,
    ) -> Result<impl Stream<Item = Result<ExchangeRate>> + use<>> {
        ctx.viewer()?;
        let app = ctx.app().clone();
        let pair = followed(&app, &base.0, &quote.0).map_err(Error::BadInput)?;
        Ok(live::exchange_rate_updated(app, pair))
    }
}
