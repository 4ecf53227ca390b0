//! What things cost: a price in dollars for each currency, moving a little from second to second.

use chrono::{DateTime, SubsecRound, Utc};
use rust_decimal::Decimal;

use crate::seed::Seed;

/// Code, name, and what one unit costs in dollars.
const CURRENCIES: [(&str, &str, &str); 20] = [
    ("AUD", "Australian Dollar", "0.6512"),
    ("BRL", "Brazilian Real", "0.1838"),
    ("BTC", "Bitcoin", "97123.45678901"),
    ("CAD", "Canadian Dollar", "0.7146"),
    ("CHF", "Swiss Franc", "1.2431"),
    ("CNY", "Chinese Yuan", "0.1405"),
    ("DKK", "Danish Krone", "0.1552"),
    ("ETH", "Ethereum", "3412.70551"),
    ("EUR", "Euro", "1.1587"),
    ("GBP", "British Pound Sterling", "1.3164"),
    ("INR", "Indian Rupee", "0.01128"),
    ("JPY", "Japanese Yen", "0.006442"),
    ("LTC", "Litecoin", "94.12"),
    ("MXN", "Mexican Peso", "0.05438"),
    ("NOK", "Norwegian Krone", "0.09871"),
    ("NZD", "New Zealand Dollar", "0.5637"),
    ("PLN", "Polish Zloty", "0.2731"),
    ("SEK", "Swedish Krona", "0.1052"),
    ("SOL", "Solana", "141.88"),
    ("USD", "United States Dollar", "1"),
];

/// A rate as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) base: (String, String),
    pub(crate) quote: (String, String),
    pub(crate) rate: String,
    pub(crate) bid: Option<String>,
    pub(crate) ask: Option<String>,
    pub(crate) at: DateTime<Utc>,
}

fn find(code: &str) -> Option<(&'static str, Decimal)> {
    let (_, name, price) = CURRENCIES.iter().find(|(known, ..)| *known == code)?;
    Some((name, price.parse().ok()?))
}

/// The rate of a pair at a moment, within half a percent of what it usually is; none of what nobody knows.
pub(crate) fn rate(pair: &str, seed: u64, now: DateTime<Utc>) -> Option<Rate> {
    let (base, quote) = pair.split_once('/')?;
    let ((base_name, base_price), (quote_name, quote_price)) = (find(base)?, find(quote)?);
    let at = now.trunc_subsecs(0);
    let second = u64::try_from(at.timestamp()).ok()?;
    let drawn = Seed(seed).of(pair).at(second).below(10_001);
    // 0.995 to 1.005, in steps of a millionth.
    let wobble = Decimal::new(995_000 + i64::try_from(drawn).ok()?, 6);
    let rate = base_price.checked_div(quote_price)?.checked_mul(wobble)?;
    let beside = |part: i64| rate.checked_mul(Decimal::new(part, 4)).map(told);
    Some(Rate {
        base: (base.to_owned(), base_name.to_owned()),
        quote: (quote.to_owned(), quote_name.to_owned()),
        rate: told(rate),
        bid: beside(9_999),
        ask: beside(10_001),
        at,
    })
}

/// Eight decimals, whatever they are.
fn told(number: Decimal) -> String {
    format!("{:.8}", number.round_dp(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_function_of_seed_pair_and_second() {
        let at = DateTime::from_timestamp(1_771_000_000, 5).unwrap();
        let first = rate("BTC/USD", 1, at).unwrap();
        assert_eq!(rate("BTC/USD", 1, at), Some(first.clone()));
        assert_ne!(rate("BTC/USD", 2, at).unwrap().rate, first.rate);
        let number: Decimal = first.rate.parse().unwrap();
        assert!(number > Decimal::from(96_000) && number < Decimal::from(98_000));
        assert_eq!(first.rate.split_once('.').unwrap().1.len(), 8);
        assert!(first.bid.unwrap() < first.rate && first.ask.unwrap() > first.rate);
        for unknown in ["BTC/XYZ", "BTC", "/", "btc/usd"] {
            assert_eq!(rate(unknown, 1, at), None, "{unknown}");
        }
    }
}
