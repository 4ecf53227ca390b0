//! Configuration: the environment, and `.env` for what the environment does not say. It is read once,
//! in `main`. All faults are reported together, each with the name of the setting and the remedy,
//! never with a value that may be secret. There are no files, layers or reloads.

use std::{
    collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration,
};

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use sqlx::sqlite::SqliteConnectOptions;

mod mail;
mod mx;
mod oidc;
mod rates;
mod reader;
#[cfg(test)]
mod tests;
mod wire;

use mail::Surroundings;
pub use mail::{MailConfig, MailWay, Registration};
pub use mx::{MxConfig, MxEnv};
pub use oidc::{OidcNetwork, OidcProvider};
pub use rates::RatesConfig;
pub(crate) use reader::is_in_the_clear;
use reader::{Reader, unknown};
pub use wire::WireConfig;

/// Every setting there is; `<NAME>` stands for each name in `OIDC_PROVIDERS`. `.env.example` lists the
/// same names; a test compares.
pub const NAMES: &[&str] = &[
    "ACCESS_TOKEN_TTL",
    "ALLOWED_ORIGINS",
    "ALPHAVANTAGE_API_KEY",
    "ALPHAVANTAGE_BASE_URL",
    "APP_URL",
    "DATABASE_URL",
    "GRAPHIQL",
    "INTROSPECTION",
    "LISTEN",
    "LOG_FORMAT",
    "MAIL_FROM",
    "MAX_BODY_BYTES",
    "MAX_CONNECTIONS",
    "MAX_CONNECTIONS_PER_ADDRESS",
    "MAX_OPERATIONS_PER_SOCKET",
    "MAX_OPERATIONS_PER_USER",
    "MAX_QUERY_BYTES",
    "MAX_QUERY_COST",
    "MAX_QUERY_DEPTH",
    "METRICS_LISTEN",
    "MX_API_KEY",
    "MX_BASE_URL",
    "MX_CLIENT_ID",
    "MX_ENV",
    "MX_WEBHOOK_PASSWORD",
    "MX_WEBHOOK_USER",
    "OIDC_<NAME>_CLIENT_ID",
    "OIDC_<NAME>_CLIENT_SECRET",
    "OIDC_<NAME>_ISSUER",
    "OIDC_<NAME>_NAME",
    "OIDC_<NAME>_NETWORK",
    "OIDC_<NAME>_SCOPES",
    "OIDC_PROVIDERS",
    "OPERATION_TIMEOUT",
    "PLAID_BASE_URL",
    "PLAID_CLIENT_ID",
    "PLAID_ENV",
    "PLAID_SECRET",
    "PUBLIC_URL",
    "RATE_DAILY_LIMIT",
    "RATE_INTERVAL",
    "RATE_PAIRS",
    "REDIRECT_URIS",
    "REFRESH_TOKEN_TTL",
    "REGISTRATION",
    "RUST_LOG",
    "SANDBOX_LISTEN",
    "SECRET_KEY",
    "SMTP_URL",
    "SUGGESTIONS",
    "TRUSTED_PROXIES",
    "WORKERS",
];

/// The value `.env.example` shows for `SECRET_KEY`, which therefore protects nothing.
pub const EXAMPLE_SECRET_KEY: &str = "cmVwbGFjZSBtZSB3aXRoIDMyIHJhbmRvbSBieXRlcyE=";

/// What is logged when `RUST_LOG` does not say.
pub const LOG_FILTER: &str = "info,sqlx=warn,sea_orm_migration=warn";

/// What the server is told by its operator.
#[derive(Clone, Debug)]
pub struct Config {
    /// `DATABASE_URL`: `sqlite://PATH` or `postgres://…`.
    pub database_url: SecretString,
    /// `LISTEN`: where the API listens.
    pub listen: SocketAddr,
    /// `METRICS_LISTEN`: where metrics are served, to whoever asks; nowhere if absent.
    pub metrics_listen: Option<SocketAddr>,
    /// `PUBLIC_URL`: how browsers and providers reach the server; no slash at the end.
    pub public_url: Option<String>,
    /// `SECRET_KEY`: base64 of 32 bytes; several, comma-separated, newest first.
    pub secret_key: Option<SecretString>,
    /// `TRUSTED_PROXIES`: whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// `ALLOWED_ORIGINS`: web origins that may call the API from a browser.
    pub allowed_origins: Vec<String>,
    /// `REDIRECT_URIS`: addresses that sign-in pages and Link may return to, compared exactly.
    pub redirect_uris: Vec<String>,
    /// `ACCESS_TOKEN_TTL`: how long an access token lives.
    pub access_token_ttl: Duration,
    /// `REFRESH_TOKEN_TTL`: how long a refresh token lives.
    pub refresh_token_ttl: Duration,
    /// `PLAID_*`: how Plaid is reached.
    pub plaid: PlaidConfig,
    /// `MX_*`: how MX is reached.
    pub mx: MxConfig,
    /// `SMTP_URL` and its like: mail, and who may register.
    pub mail: MailConfig,
    /// `OIDC_*`: where people may sign in with an account they have elsewhere.
    pub oidc: Vec<OidcProvider>,
    /// `ALPHAVANTAGE_*` and `RATE_*`: exchange rates.
    pub rates: RatesConfig,
    /// `SANDBOX_LISTEN`: where the built-in sandbox listens.
    pub sandbox_listen: SocketAddr,
    /// `WORKERS`: how many jobs run at once in this process; 0 for none.
    pub workers: usize,
    /// `GRAPHIQL`: whether `/graphiql` is served.
    pub graphiql: bool,
    /// `MAX_*` and their like: what clients may ask for.
    pub wire: WireConfig,
    /// `LOG_FORMAT`: how the log is written.
    pub log_format: LogFormat,
    /// `RUST_LOG`: what is logged, in the syntax of `tracing-subscriber`.
    pub log_filter: String,
}

/// How Plaid is reached.
#[derive(Clone, Debug)]
pub struct PlaidConfig {
    /// `PLAID_ENV`.
    pub env: PlaidEnv,
    /// `PLAID_CLIENT_ID`.
    pub client_id: SecretString,
    /// `PLAID_SECRET`.
    pub secret: SecretString,
    /// `PLAID_BASE_URL`: another address than the environment's own, for tests; over plain http only
    /// on this machine.
    pub base_url: Option<String>,
}

/// Which Plaid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaidEnv {
    /// The built-in sandbox: no account, no key, no Internet.
    Local,
    /// Plaid's test environment.
    Sandbox,
    /// Real banks.
    Production,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Everything that is wrong with the configuration, one line each.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError(pub Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl Config {
    /// Reads the environment and `.env` in the working directory. What the command line says, as
    /// pairs, comes before both.
    pub fn from_env(
        command_line: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Self, ConfigError> {
        let mut file = BTreeMap::new();
        let mut faults = Vec::new();
        let path = PathBuf::from(".env");
        if path.exists() {
            match dotenvy::from_path_iter(&path) {
                Ok(lines) => {
                    for line in lines {
                        match line {
                            Ok((name, value)) => drop(file.insert(name, value)),
                            Err(_) => faults.push(".env: a line is not NAME=value".to_owned()),
                        }
                    }
                }
                Err(_) => faults.push(".env: cannot be read; check its permissions".to_owned()),
            }
        }
        // It says which other names there are, so it comes first.
        overlay(&mut file, "OIDC_PROVIDERS", &mut faults);
        let providers = listed(&file);
        faults.extend(unknown(&file, &providers));
        for name in NAMES.iter().filter(|name| **name != "OIDC_PROVIDERS") {
            overlay(&mut file, name, &mut faults);
        }
        for name in providers {
            overlay(&mut file, &name, &mut faults);
        }
        file.extend(
            command_line
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        Self::read(file, faults)
    }

    /// Reads settings given as pairs: what tests use.
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ConfigError> {
        let values: BTreeMap<_, _> = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let faults = unknown(&values, &listed(&values));
        Self::read(values, faults)
    }

    fn read(values: BTreeMap<String, String>, faults: Vec<String>) -> Result<Self, ConfigError> {
        let mut reader = Reader { values, faults };
        let plaid = reader.plaid();
        let mx = reader.mx(plaid.env);
        let listen = reader.parse("LISTEN", local(8000), "an address such as 127.0.0.1:8000");
        let public_url = reader.url("PUBLIC_URL");
        let around = Surroundings {
            plaid: plaid.env,
            mx: mx.env,
            listen,
            public_url: public_url.as_deref(),
        };
        let config = Self {
            database_url: reader.database_url(),
            listen,
            metrics_listen: reader.address("METRICS_LISTEN"),
            mail: reader.mail(&around),
            public_url,
            secret_key: reader.secret_key(),
            trusted_proxies: reader.networks("TRUSTED_PROXIES"),
            allowed_origins: reader.urls("ALLOWED_ORIGINS"),
            redirect_uris: reader.urls("REDIRECT_URIS"),
            access_token_ttl: reader.duration("ACCESS_TOKEN_TTL", "30m"),
            refresh_token_ttl: reader.duration("REFRESH_TOKEN_TTL", "7d"),
            mx,
            plaid,
            oidc: reader.oidc(),
            rates: reader.rates(),
            sandbox_listen: reader.parse(
                "SANDBOX_LISTEN",
                local(8010),
                "an address such as 127.0.0.1:8010",
            ),
            workers: reader.number("WORKERS", 4, 0..=64),
            graphiql: reader.choice("GRAPHIQL", true, &[("on", true), ("off", false)]),
            wire: reader.wire(),
            log_format: reader.choice(
                "LOG_FORMAT",
                LogFormat::Text,
                &[("text", LogFormat::Text), ("json", LogFormat::Json)],
            ),
            log_filter: reader.log_filter(),
        };
        if reader.faults.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError(reader.faults))
        }
    }

    /// Whether the proxy that has to be there is not named: clients come through TLS, which this server does not speak,
    /// and nobody but this machine reaches it.
    pub fn forgets_its_proxy(&self) -> bool {
        let tls = self.public_url.as_deref();
        tls.is_some_and(|url| url.starts_with("https://"))
            && self.listen.ip().is_loopback()
            && self.trusted_proxies.is_empty()
    }

    /// Whether the database is a file of this process.
    pub fn is_sqlite(&self) -> bool {
        self.database_url.expose_secret().starts_with("sqlite:")
    }

    /// The path of the SQLite file, if the database is one.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        sqlite_path(self.database_url.expose_secret())
    }
}

/// Puts what the environment says in the place of what the file says.
fn overlay(values: &mut BTreeMap<String, String>, name: &str, faults: &mut Vec<String>) {
    match std::env::var_os(name).map(std::ffi::OsString::into_string) {
        Some(Ok(value)) => drop(values.insert(name.to_owned(), value)),
        Some(Err(_)) => faults.push(format!("{name}: is not UTF-8; write it anew")),
        None => {}
    }
}

/// The names that the listed sign-in providers bring with them.
fn listed(values: &BTreeMap<String, String>) -> Vec<String> {
    let providers = values.get("OIDC_PROVIDERS").map(String::as_str);
    oidc::names(providers.unwrap_or_default())
}

/// The path a `sqlite:` address names, if it is one.
pub fn sqlite_path(url: &str) -> Option<PathBuf> {
    let options = url
        .starts_with("sqlite:")
        .then(|| SqliteConnectOptions::from_str(url).ok())??;
    Some(options.get_filename().to_owned())
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
