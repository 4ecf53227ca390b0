//! The rates of a pair, newest first, by the moment they held.

use chrono::{DateTime, Utc};
use entity::exchange_rate::Column;

use crate::{
    app::App,
    error::Result,
    graphql::{
        exchange_rate::ExchangeRate,
        page::{Connection, RawPage, Scope, count, range},
    },
    money::Pair,
    ticker,
    viewer::Viewer,
};

/// One page, with the number of all rates if `total` asks for it.
pub(super) async fn exchange_rates(
    app: &App,
    viewer: Viewer,
    pair: &Pair,
    (page, total): (RawPage, bool),
) -> Result<Connection<ExchangeRate>> {
    let scope = Scope::new(app, viewer, &format!("exchangeRates {pair}"));
    let args = page.check(&scope)?;
    let db = app.db.read();
    let rows = ticker::of_pair(pair);
    let total = if total {
        Some(count(db, rows.clone()).await?)
    } else {
        None
    };
    let read = |key: &str| Some(vec![key.parse::<DateTime<Utc>>().ok()?.into()]);
    let rows = range(rows, &[Column::ProviderTime], true, &args, read)?;
    let key = |row: &entity::exchange_rate::Model| row.provider_time.to_rfc3339();
    let page = Connection::new(scope, &args, rows.all(db).await?, key);
    Ok(page.with_total(total).map(ExchangeRate::from))
}
