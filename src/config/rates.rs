//! The settings of exchange rates, and how a key's daily limit is shared out.

use std::time::Duration;

use secrecy::SecretString;

use super::reader::{Reader, is_in_the_clear};
use crate::money::Pair;

/// What a free key may ask in a day. <https://www.alphavantage.co/support/>
const FREE_KEY: usize = 25;

/// The most pairs that are followed.
const MAX_PAIRS: usize = 20;

const DAY: Duration = Duration::from_hours(24);

/// Where exchange rates come from, which, and how often.
#[derive(Clone, Debug)]
pub struct RatesConfig {
    /// `ALPHAVANTAGE_API_KEY`; without one, the built-in sandbox invents rates where `PLAID_ENV` is
    /// `local`, and there are none elsewhere.
    pub api_key: Option<SecretString>,
    /// `ALPHAVANTAGE_BASE_URL`: another address than Alpha Vantage's own, for tests; over plain http
    /// only on this machine.
    pub base_url: Option<String>,
    /// `RATE_PAIRS`: the pairs that are followed.
    pub pairs: Vec<Pair>,
    /// `RATE_INTERVAL`: how often each pair is asked for, if the daily limit allows it.
    pub interval: Duration,
    /// `RATE_DAILY_LIMIT`: how many calls a day the key is good for; no limit if absent.
    pub daily_limit: Option<u32>,
}

impl RatesConfig {
    /// How many calls of the day are kept for people who refresh a rate: a fifth, but one at least if
    /// that leaves one to the server. What is theirs the server does not use, and what is the server's
    /// they cannot.
    pub fn reserve(&self) -> Option<u32> {
        let least = |limit| u32::from(limit > 1);
        self.daily_limit.map(|limit| (limit / 5).max(least(limit)))
    }

    /// How often each pair is asked for in the end: the interval, stretched until the day's calls do
    /// for all pairs.
    pub fn stretched(&self) -> Duration {
        let own = self.daily_limit.zip(self.reserve());
        let Some((limit, reserve)) = own else {
            return self.interval;
        };
        let pairs = u32::try_from(self.pairs.len()).unwrap_or(u32::MAX);
        let calls = limit.saturating_sub(reserve).max(1);
        let seconds = (DAY.as_secs() * u64::from(pairs)).div_ceil(u64::from(calls));
        self.interval.max(Duration::from_secs(seconds))
    }
}

impl Reader {
    pub(super) fn rates(&mut self) -> RatesConfig {
        let api_key = self.text("ALPHAVANTAGE_API_KEY");
        if api_key.as_deref().is_some_and(|key| key.contains("your-")) {
            let remedy = "this is the example's value; Alpha Vantage's support page gives out keys";
            self.fault("ALPHAVANTAGE_API_KEY", remedy);
        }
        let base_url = self.url("ALPHAVANTAGE_BASE_URL");
        if base_url.as_deref().is_some_and(is_in_the_clear) {
            self.fault(
                "ALPHAVANTAGE_BASE_URL",
                "over http:// the way would read the key; use https://, or an address of this machine \
                 such as http://127.0.0.1:8010/alphavantage",
            );
        }
        let interval = self.duration("RATE_INTERVAL", "60s");
        if interval > DAY {
            self.fault("RATE_INTERVAL", "use a time up to 1d");
        }
        let usual = api_key.as_ref().map_or(0, |_| FREE_KEY);
        let limit = self.number("RATE_DAILY_LIMIT", usual, 0..=1_000_000);
        RatesConfig {
            api_key: api_key.map(|key| key.trim().to_owned().into()),
            base_url,
            pairs: self.pairs(),
            interval,
            daily_limit: u32::try_from(limit).ok().filter(|limit| *limit > 0),
        }
    }

    fn pairs(&mut self) -> Vec<Pair> {
        let text = self.text("RATE_PAIRS");
        let text = text.unwrap_or_else(|| "BTC/USD".to_owned());
        if text.trim() == "none" {
            return Vec::new();
        }
        let mut pairs = Vec::new();
        for part in text.split(',').map(str::trim) {
            match part.parse::<Pair>() {
                Ok(pair) if !pairs.contains(&pair) => pairs.push(pair),
                _ => {
                    let remedy = "use pairs of different currencies, each once, such as BTC/USD,EUR/USD, or none";
                    self.fault("RATE_PAIRS", remedy);
                    break;
                }
            }
        }
        if pairs.len() > MAX_PAIRS {
            self.fault("RATE_PAIRS", format_args!("use at most {MAX_PAIRS} pairs"));
        }
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Config, *};

    fn rates(pairs: &[(&str, &str)]) -> RatesConfig {
        Config::from_pairs(pairs.iter().copied()).unwrap().rates
    }

    #[test]
    fn a_free_key_is_asked_as_often_as_its_day_allows() {
        let key = ("ALPHAVANTAGE_API_KEY", "A1B2C3D4E5F6G7H8");
        for (settings, seconds, reserve) in [
            (vec![], 60, None),
            // 25 a day: five for people, twenty for the server.
            (vec![key], 72 * 60, Some(5)),
            (
                vec![key, ("RATE_PAIRS", "BTC/USD,EUR/USD")],
                144 * 60,
                Some(5),
            ),
            (vec![key, ("RATE_DAILY_LIMIT", "0")], 60, None),
            (vec![key, ("RATE_DAILY_LIMIT", "3")], 12 * 3600, Some(1)),
            (vec![key, ("RATE_DAILY_LIMIT", "2")], 24 * 3600, Some(1)),
            (vec![key, ("RATE_DAILY_LIMIT", "1")], 24 * 3600, Some(0)),
            (vec![key, ("RATE_INTERVAL", "6h")], 6 * 3600, Some(5)),
            (vec![("RATE_DAILY_LIMIT", "100000")], 60, Some(20_000)),
        ] {
            let rates = rates(&settings);
            let told = (rates.stretched().as_secs(), rates.reserve());
            assert_eq!(told, (seconds, reserve), "{settings:?}");
        }
    }

    #[test]
    fn what_cannot_be_followed_is_told() {
        for (name, value) in [
            ("RATE_PAIRS", "BTC"),
            ("RATE_PAIRS", "btc/usd"),
            ("RATE_PAIRS", "BTC/USD,BTC/USD"),
            ("RATE_PAIRS", "BTC/USD,"),
            ("RATE_INTERVAL", "often"),
            ("RATE_INTERVAL", "2d"),
            ("RATE_DAILY_LIMIT", "-1"),
            ("ALPHAVANTAGE_API_KEY", "your-key"),
            ("ALPHAVANTAGE_BASE_URL", "http://www.alphavantage.co"),
            ("ALPHAVANTAGE_BASE_URL", "alphavantage.co"),
        ] {
            let told = Config::from_pairs([(name, value)]).unwrap_err().0;
            assert!(told.len() == 1 && told[0].starts_with(name), "{told:?}");
        }
        assert!(rates(&[("RATE_PAIRS", "none")]).pairs.is_empty());
    }
}
