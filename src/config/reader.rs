//! Takes settings out one by one and notes what is wrong with each.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    str::FromStr,
    time::Duration,
};

use ipnet::IpNet;
use secrecy::SecretString;
use sqlx::{postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use tracing_subscriber::EnvFilter;

use super::{EXAMPLE_SECRET_KEY, LOG_FILTER, NAMES, PlaidConfig, PlaidEnv, oidc::unlisted};
use crate::seal::Keys;

/// Names nobody reads, each with the nearest name that somebody does. `listed` are those that
/// `OIDC_PROVIDERS` brings with it.
pub(super) fn unknown(values: &BTreeMap<String, String>, listed: &[String]) -> Vec<String> {
    let known = |name: &String| NAMES.contains(&name.as_str()) || listed.contains(name);
    let strange = values.keys().filter(|name| !known(name));
    strange
        .map(|name| {
            if let Some(remedy) = unlisted(name) {
                return remedy;
            }
            let nearest = NAMES
                .iter()
                .min_by_key(|known| distance(name, known))
                .unwrap_or(&"");
            format!("{name}: there is no such setting; did you mean {nearest}?")
        })
        .collect()
}

/// How many single-letter changes lie between two names.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut previous = i;
        for (j, y) in b.bytes().enumerate() {
            let (Some(&above), Some(&left)) = (row.get(j + 1), row.get(j)) else {
                continue;
            };
            let left = if j == 0 { i + 1 } else { left };
            let cost = (previous + usize::from(x != y))
                .min(above + 1)
                .min(left + 1);
            previous = above;
            if let Some(cell) = row.get_mut(j) {
                *cell = left;
            }
            if let Some(cell) = row.get_mut(j + 1) {
                *cell = cost;
            }
        }
    }
    row.last().copied().unwrap_or_default()
}

/// What is wrong with the address of a database. What the drivers say is left out where it could
/// hold a piece of a password.
fn database_fault(url: &str) -> Option<&'static str> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return PgConnectOptions::from_str(url).is_err().then_some(
            "use postgres://USER:PASSWORD@HOST/NAME, with special characters percent-encoded",
        );
    }
    let Some(rest) = url.strip_prefix("sqlite:") else {
        return Some("use sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME");
    };
    if rest.contains(":memory:") {
        return Some("a database in memory forgets everything; name a file");
    }
    if rest.contains('?') {
        return Some("leave out what follows the `?`; the server decides how its file is opened");
    }
    let nameless = rest.trim_matches('/').is_empty() || rest.ends_with('/');
    let fine = !nameless && SqliteConnectOptions::from_str(url).is_ok();
    (!fine).then_some("use sqlite://PATH, the path being that of a file")
}

/// Whether what is sent to an address can be read on its way.
pub(crate) fn is_in_the_clear(address: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(address) else {
        return false;
    };
    url.scheme() == "http" && !is_loopback(&url)
}

/// Whether an address is one of this machine.
pub(super) fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host.parse::<IpAddr>()
        .map_or(host == "localhost", |ip| ip.is_loopback())
}

/// The settings that were not taken yet, and the faults so far.
pub(super) struct Reader {
    pub(super) values: BTreeMap<String, String>,
    pub(super) faults: Vec<String>,
}

impl Reader {
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.values
            .remove(name)
            .filter(|value| !value.trim().is_empty())
    }

    pub(super) fn fault(&mut self, name: &str, remedy: impl fmt::Display) {
        self.faults.push(format!("{name}: {remedy}"));
    }

    /// Networks such as `10.0.0.0/8`, or single addresses, comma-separated.
    pub(super) fn networks(&mut self, name: &str) -> Vec<IpNet> {
        let text = self.text(name).unwrap_or_default();
        let parts = text.split(',').map(str::trim);
        let mut networks = Vec::new();
        for part in parts.filter(|part| !part.is_empty()) {
            let single = || Some(IpNet::from(part.parse::<IpAddr>().ok()?));
            match part.parse().ok().or_else(single) {
                Some(network) => networks.push(network),
                None => self.fault(
                    name,
                    "use addresses or networks such as 127.0.0.1, 10.0.0.0/8, comma-separated",
                ),
            }
        }
        networks
    }

    /// An address to listen on, if one is given.
    pub(super) fn address(&mut self, name: &str) -> Option<SocketAddr> {
        let text = self.text(name)?;
        let address = text.trim().parse().ok();
        if address.is_none() {
            self.fault(name, "use an address such as 127.0.0.1:9000");
        }
        address
    }

    pub(super) fn parse<T: FromStr>(&mut self, name: &str, default: T, wanted: &str) -> T {
        let Some(text) = self.text(name) else {
            return default;
        };
        text.trim().parse().unwrap_or_else(|_| {
            self.fault(name, format_args!("use {wanted}"));
            default
        })
    }

    pub(super) fn number(
        &mut self,
        name: &str,
        default: usize,
        range: RangeInclusive<usize>,
    ) -> usize {
        let wanted = format!("a number from {} to {}", range.start(), range.end());
        let number = self.parse(name, default, &wanted);
        if !range.contains(&number) {
            self.fault(name, format_args!("use {wanted}"));
        }
        number
    }

    pub(super) fn choice<T: Copy>(&mut self, name: &str, default: T, choices: &[(&str, T)]) -> T {
        let Some(text) = self.text(name) else {
            return default;
        };
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text.trim()) {
            return *value;
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        self.fault(name, format_args!("use one of {}", words.join(", ")));
        default
    }

    pub(super) fn duration(&mut self, name: &str, default: &str) -> Duration {
        let text = self.text(name).unwrap_or_else(|| default.to_owned());
        let text = text.trim();
        let split = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => 0,
        };
        let seconds = number
            .parse::<u64>()
            .ok()
            .and_then(|n| n.checked_mul(unit))
            .unwrap_or(0);
        if seconds == 0 || seconds > 10 * 366 * 86_400 {
            self.fault(name, "use a number and a unit, such as 30m, 12h or 7d");
        }
        Duration::from_secs(seconds)
    }

    pub(super) fn url(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let url = text.trim().trim_end_matches('/').to_owned();
        self.check_url(name, &url).then_some(url)
    }

    pub(super) fn urls(&mut self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned);
        let urls: Vec<String> = parts.collect();
        urls.into_iter()
            .filter(|url| self.check_url(name, url))
            .collect()
    }

    fn check_url(&mut self, name: &str, url: &str) -> bool {
        let fine = reqwest::Url::parse(url).is_ok_and(|parsed| {
            matches!(parsed.scheme(), "http" | "https")
                && parsed.has_host()
                && parsed.username().is_empty()
        });
        if !fine {
            self.fault(
                name,
                "use full addresses that begin with https:// or http://",
            );
        }
        fine
    }

    pub(super) fn database_url(&mut self) -> SecretString {
        let url = self
            .text("DATABASE_URL")
            .unwrap_or_else(|| "sqlite://passbook.db".to_owned());
        if let Some(why) = database_fault(&url) {
            self.fault("DATABASE_URL", why);
        }
        url.into()
    }

    pub(super) fn secret_key(&mut self) -> Option<SecretString> {
        let text = self.text("SECRET_KEY")?;
        if text.contains(EXAMPLE_SECRET_KEY) {
            self.fault(
                "SECRET_KEY",
                "this is the example's value; make one with `openssl rand -base64 32`",
            );
        } else if let Err(why) = Keys::parse(&text) {
            let remedy = format!("{why}; make one with `openssl rand -base64 32`");
            self.fault("SECRET_KEY", remedy);
        }
        Some(text.into())
    }

    pub(super) fn log_filter(&mut self) -> String {
        let Some(text) = self.text("RUST_LOG") else {
            return LOG_FILTER.to_owned();
        };
        if let Err(why) = EnvFilter::try_new(&text) {
            self.fault(
                "RUST_LOG",
                format_args!("{why}; use e.g. info,passbook=debug"),
            );
        }
        text
    }

    pub(super) fn plaid(&mut self) -> PlaidConfig {
        let client_id = self.text("PLAID_CLIENT_ID");
        let secret = self.text("PLAID_SECRET");
        let base_url = self.url("PLAID_BASE_URL");
        if base_url.as_deref().is_some_and(is_in_the_clear) {
            self.fault(
                "PLAID_BASE_URL",
                "over http:// the way would read the credentials and every bank token; use https://, \
                 or an address of this machine such as http://127.0.0.1:8010",
            );
        }
        let envs = [
            ("local", PlaidEnv::Local),
            ("sandbox", PlaidEnv::Sandbox),
            ("production", PlaidEnv::Production),
        ];
        let env = self.choice("PLAID_ENV", PlaidEnv::Local, &envs);
        if env == PlaidEnv::Local && (client_id.is_some() || secret.is_some()) {
            self.fault(
                "PLAID_ENV",
                "credentials are set; say `sandbox` or `production`, which they belong to",
            );
        }
        for (name, value) in [("PLAID_CLIENT_ID", &client_id), ("PLAID_SECRET", &secret)] {
            if env != PlaidEnv::Local && value.is_none() {
                self.fault(
                    name,
                    "is missing; Plaid's dashboard shows it under Developers, Keys",
                );
            }
            if value
                .as_deref()
                .is_some_and(|value| value.contains("your-"))
            {
                self.fault(
                    name,
                    "this is the example's value; Plaid's dashboard shows yours",
                );
            }
        }
        let local = || "local".to_owned();
        PlaidConfig {
            env,
            client_id: client_id.unwrap_or_else(local).into(),
            secret: secret.unwrap_or_else(local).into(),
            base_url,
        }
    }
}
