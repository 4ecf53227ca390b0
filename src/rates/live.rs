//! A rate as it changes: first the newest there is, then each new one.

use futures_util::stream::{self, Stream};

use crate::{app::App, error::Result, graphql::exchange_rate::ExchangeRate, money::Pair};

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
