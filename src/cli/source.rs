//! Where exchange rates come from: Alpha Vantage with a key, the sandbox where banks are the sandbox's
//! too, and nowhere else. Refused: invented rates beside real banks.

use std::sync::Arc;

use crate::{
    clock::Clock,
    config::{Config, PlaidEnv},
    error::Result,
    providers::{
        alphavantage::{AlphaVantage, AlphaVantageSettings, BASE_URL},
        rates::{INVENTED, RateSource},
    },
};

/// What rates from another address than Alpha Vantage's own say of themselves. Clients read it, so that
/// the address, which may be an internal one, is not in it.
const ELSEWHERE: &str = "Alpha Vantage (another address)";

/// The source of rates, if there is one; `local` is where the built-in sandbox runs, if it does.
pub(super) fn rates(
    config: &Config,
    local: Option<&str>,
    clock: Clock,
) -> Result<Option<Arc<dyn RateSource>>> {
    let rates = &config.rates;
    if rates.pairs.is_empty() {
        return Ok(None);
    }
    let Some((base_url, name)) = place(config, local) else {
        return Ok(None);
    };
    let settings = AlphaVantageSettings {
        base_url,
        api_key: rates.api_key.clone(),
        name,
    };
    Ok(Some(Arc::new(AlphaVantage::new(settings, clock)?)))
}

/// The address of the source, and what clients are told about it.
fn place(config: &Config, local: Option<&str>) -> Option<(String, String)> {
    let rates = &config.rates;
    if let Some(base_url) = &rates.base_url {
        return Some((base_url.clone(), ELSEWHERE.to_owned()));
    }
    if rates.api_key.is_some() {
        return Some((BASE_URL.to_owned(), "Alpha Vantage".to_owned()));
    }
    let sandbox = local.or(config.plaid.base_url.as_deref());
    let sandbox = sandbox.filter(|_| config.plaid.env == PlaidEnv::Local)?;
    Some((format!("{sandbox}/alphavantage"), INVENTED.to_owned()))
}

/// What somebody who reads the log should know about rates, if anything is not as it is set.
pub(super) fn remark(config: &Config, source: Option<&dyn RateSource>) -> Option<String> {
    let rates = &config.rates;
    if rates.pairs.is_empty() {
        return None;
    }
    if source.is_none() {
        let text = "there are no exchange rates: set ALPHAVANTAGE_API_KEY, or RATE_PAIRS=none to want none";
        return Some(text.to_owned());
    }
    let (wanted, interval) = (rates.interval.as_secs(), rates.stretched().as_secs());
    let limit = rates.daily_limit.filter(|_| interval > wanted)?;
    Some(format!(
        "exchange rates come every {interval} seconds instead of every {wanted}: RATE_DAILY_LIMIT is {limit} calls \
         a day, of which {} are kept for people who refresh a rate",
        rates.reserve().unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pairs: &[(&str, &str)], local: Option<&str>) -> (Option<String>, Option<String>) {
        let config = Config::from_pairs(pairs.iter().copied()).unwrap();
        let source = rates(&config, local, Clock::default()).unwrap();
        let name = source.as_ref().map(|source| source.name().to_owned());
        (name, remark(&config, source.as_deref()))
    }

    #[test]
    fn invented_rates_are_only_beside_invented_banks() {
        let plaid = [
            ("PLAID_ENV", "sandbox"),
            ("PLAID_CLIENT_ID", "id"),
            ("PLAID_SECRET", "secret"),
        ];
        let key = ("ALPHAVANTAGE_API_KEY", "A1B2C3D4E5F6G7H8");
        let sandbox = Some("http://127.0.0.1:8010");
        assert_eq!(told(&[], sandbox), (Some(INVENTED.to_owned()), None));
        let elsewhere = [("PLAID_BASE_URL", "http://127.0.0.1:9")];
        assert_eq!(told(&elsewhere, None).0.as_deref(), Some(INVENTED));
        let (name, remark) = told(&plaid, None);
        assert!(name.is_none() && remark.unwrap().contains("ALPHAVANTAGE_API_KEY"));
        let (name, remark) = told(&[key], sandbox);
        assert_eq!(name.as_deref(), Some("Alpha Vantage"));
        assert!(
            remark
                .unwrap()
                .contains("every 4320 seconds instead of every 60")
        );
        assert_eq!(told(&[key, ("RATE_PAIRS", "none")], sandbox), (None, None));
        assert_eq!(told(&[key, ("RATE_DAILY_LIMIT", "0")], None).1, None);
        let within = ("ALPHAVANTAGE_BASE_URL", "https://rates.corp.internal");
        assert_eq!(told(&[key, within], None).0.as_deref(), Some(ELSEWHERE));
    }
}
