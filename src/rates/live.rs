//! The newest rate of a pair, and each new one as it comes.

use futures_util::stream::{self, Stream};

use crate::{
    app::App,
    error::Result,
    graphql::exchange_rate::{ExchangeRate, followed},
    money::Pair,
    ticker,
};

/// The newest rate of a pair that is followed; what is left of one that was followed once is history.
pub(super) async fn exchange_rate(
    app: &App,
    base: &str,
    quote: &str,
) -> Result<Option<ExchangeRate>> {
    let Ok(pair) = followed(app, base, quote) else {
        return Ok(None);
    };
    let latest = ticker::latest(app.db.read(), &pair).await?;
    Ok(latest.map(ExchangeRate::from))
}

/// Follows a pair.
pub(super) fn exchange_rate_updated(
    app: App,
    pair: Pair,
) -> impl Stream<Item = Result<ExchangeRate>> + Send {
    let ticker = app.tickers.follow(pair);
    stream::try_unfold((app, ticker), |(app, mut ticker)| async move {
        let rate = ticker.next(&app.db).await?;
        Ok(Some((rate.into(), (app, ticker))))
    })
}
