//! Two currencies, and the way from one to another.

use std::{fmt, str::FromStr};

/// Two currencies: a rate of the pair says what one unit of the first costs in the second.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// What is priced.
    pub base: String,
    /// What it is priced in.
    pub quote: String,
}

/// Not two different currencies with a slash between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPair;

impl Pair {
    /// The pair of two currencies.
    pub fn new(base: &str, quote: &str) -> Self {
        Self {
            base: base.to_owned(),
            quote: quote.to_owned(),
        }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.quote)
    }
}

impl FromStr for Pair {
    type Err = NoPair;

    fn from_str(text: &str) -> Result<Self, NoPair> {
        let (base, quote) = text.split_once('/').ok_or(NoPair)?;
        let is_code = |code: &str| {
            (3..=10).contains(&code.len())
                && code
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        };
        if !is_code(base) || !is_code(quote) || base == quote {
            return Err(NoPair);
        }
        Ok(Self::new(base, quote))
    }
}

/// One rate on the way from one currency to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Leg {
    /// Whose rate is used.
    pub pair: Pair,
    /// Whether the way goes from the pair's quote to its base.
    pub inverted: bool,
}

/// The way from one currency to another by the pairs there are: by the pair itself, by its inverse,
/// or through one third currency. Of several ways the one whose pairs come first. No legs where both
/// are one currency, no way where none is that short: each rate more adds its own error.
pub fn route(pairs: &[Pair], from: &str, to: &str) -> Option<Vec<Leg>> {
    if from == to {
        return Some(Vec::new());
    }
    if let Some(leg) = leg(pairs, from, to) {
        return Some(vec![leg]);
    }
    pairs.iter().find_map(|pair| {
        let third = match (pair.base == from, pair.quote == from) {
            (true, _) => &pair.quote,
            (_, true) => &pair.base,
            _ => return None,
        };
        Some(vec![leg(pairs, from, third)?, leg(pairs, third, to)?])
    })
}

fn leg(pairs: &[Pair], from: &str, to: &str) -> Option<Leg> {
    let find = |base: &str, quote: &str| {
        let mut pairs = pairs.iter();
        pairs.find(|pair| pair.base == base && pair.quote == quote)
    };
    let (pair, inverted) = match find(from, to) {
        Some(pair) => (pair, false),
        None => (find(to, from)?, true),
    };
    Some(Leg {
        pair: pair.clone(),
        inverted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(pairs: &[&str], from: &str, to: &str) -> Option<String> {
        let pairs: Vec<Pair> = pairs.iter().map(|text| text.parse().unwrap()).collect();
        let legs = route(&pairs, from, to)?;
        let told = legs.iter().map(|leg| {
            let sign = if leg.inverted { "1:" } else { "" };
            format!("{sign}{}", leg.pair)
        });
        Some(told.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        assert_eq!("BTC/USD".parse(), Ok(Pair::new("BTC", "USD")));
        for text in [
            "", "BTC", "BTC/", "BTCUSD", "btc/usd", "BTC/BTC", "BTC/USD/", "B/USD", "BTC/US D",
        ] {
            assert_eq!(text.parse::<Pair>(), Err(NoPair), "{text}");
        }
    }

    #[test]
    fn the_shortest_way_is_taken_and_none_is_longer_than_two_rates() {
        let pairs = ["BTC/USD", "EUR/USD", "BTC/EUR", "USD/JPY", "JPY/KRW"];
        for (from, to, told) in [
            ("USD", "USD", Some("")),
            ("BTC", "USD", Some("BTC/USD")),
            ("USD", "BTC", Some("1:BTC/USD")),
            ("EUR", "BTC", Some("1:BTC/EUR")),
            ("EUR", "JPY", Some("EUR/USD USD/JPY")),
            ("JPY", "BTC", Some("1:USD/JPY 1:BTC/USD")),
            ("BTC", "KRW", None),
            ("GBP", "USD", None),
        ] {
            assert_eq!(way(&pairs, from, to).as_deref(), told, "{from} {to}");
        }
    }
}
