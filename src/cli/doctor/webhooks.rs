//! `PUBLIC_URL`: whether the provider can reach us there with its webhooks. Whoever answers there has
//! to prove by the secret key that it is this server: any page answers 200.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url, redirect::Policy};
use uuid::Uuid;

use super::Finding;
use crate::{
    config::{Config, PlaidEnv},
    seal::Keys,
    server::proves,
};

const SUBJECT: &str = "webhooks";

pub(super) async fn look(config: &Config, keys: Option<&Keys>, findings: &mut Vec<Finding>) {
    let local = config.plaid.env == PlaidEnv::Local;
    let Some(address) = &config.public_url else {
        findings.push(if local {
            Finding::fine(
                SUBJECT,
                "the built-in sandbox is on this machine and needs no PUBLIC_URL",
            )
        } else {
            Finding::warning(
                SUBJECT,
                format!(
                    "PUBLIC_URL is not set, so Plaid cannot tell us of new transactions and they come once a day; \
                     for a test, open a tunnel to http://{} (cloudflared, ngrok, ssh -R) and set PUBLIC_URL to its address",
                    config.listen
                ),
            )
        });
        return;
    };
    let Ok(url) = Url::parse(address) else { return };
    let before = findings.len();
    if !local {
        if url.scheme() != "https" {
            findings.push(Finding::problem(
                SUBJECT,
                format!("PUBLIC_URL: {address} is not https, and Plaid sends webhooks only there"),
            ));
        }
        if is_private(&url) {
            findings.push(Finding::problem(
                SUBJECT,
                format!("PUBLIC_URL: {address} means this machine or its network, where Plaid cannot reach it"),
            ));
        }
    }
    if findings.len() == before {
        findings.push(visit(config, keys, address, &url).await);
    }
}

/// Knocks at our own door from outside, as far as that can be had from inside.
async fn visit(config: &Config, keys: Option<&Keys>, address: &str, url: &Url) -> Finding {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(443);
    if let Err(error) = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await {
        return Finding::problem(
            SUBJECT,
            format!("PUBLIC_URL: {host} has no address: {error}; check its name in DNS"),
        );
    }
    let challenge = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    match knock(address, &challenge).await {
        Ok((status, said)) if status.is_success() => recognise(config, keys, &challenge, &said),
        Ok((status, _)) => Finding::problem(
            SUBJECT,
            format!(
                "PUBLIC_URL: {address}/healthz answers {status}; lead the address to {}, without redirects",
                config.listen
            ),
        ),
        Err(error) => Finding::warning(
            SUBJECT,
            format!(
                "PUBLIC_URL: {address} does not answer: {}; start the server, and lead the address to {}",
                innermost(&error),
                config.listen
            ),
        ),
    }
}

/// The status and the beginning of what is said at an address.
async fn knock(address: &str, challenge: &str) -> reqwest::Result<(StatusCode, String)> {
    let client = Client::builder()
        .redirect(Policy::none())
        .timeout(Duration::from_secs(10))
        .build()?;
    let question = format!("{address}/healthz?challenge={challenge}");
    let mut answer = client.get(question).send().await?;
    let first = answer.chunk().await?.unwrap_or_default();
    let text = String::from_utf8_lossy(&first);
    Ok((answer.status(), text.chars().take(200).collect()))
}

/// Who answers.
fn recognise(config: &Config, keys: Option<&Keys>, challenge: &str, said: &str) -> Finding {
    let address = config.public_url.as_deref().unwrap_or_default();
    let Some(keys) = keys else {
        let text = format!(
            "PUBLIC_URL: somebody answers at {address}; whether it is this Passbook cannot be told without its secret key"
        );
        return Finding::warning(SUBJECT, text);
    };
    match proves(keys, challenge, said) {
        Some(true) => Finding::fine(
            SUBJECT,
            format!("{address} leads to this Passbook, which has proved it"),
        ),
        Some(false) => Finding::problem(
            SUBJECT,
            format!(
                "PUBLIC_URL: a Passbook with another SECRET_KEY answers at {address}; lead the address to {}",
                config.listen
            ),
        ),
        None => Finding::problem(
            SUBJECT,
            format!(
                "PUBLIC_URL: it is not this Passbook that answers at {address}; lead the address to {}, \
                 with the path and the query",
                config.listen
            ),
        ),
    }
}

/// Whether an address means nothing to anybody outside.
fn is_private(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse() {
        Ok(std::net::IpAddr::V4(ip)) => {
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
        }
        Ok(std::net::IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
        Err(_) => {
            host == "localhost"
                || [".localhost", ".local", ".internal"]
                    .iter()
                    .any(|end| host.ends_with(end))
        }
    }
}

/// What was at the bottom of it: the layers above only repeat the address.
fn innermost(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => innermost(cause),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_only_we_can_reach_is_told_from_others() {
        for (address, private) in [
            ("https://localhost:8000", true),
            ("https://10.1.2.3", true),
            ("https://[::1]:8000", true),
            ("https://printer.local", true),
            ("https://passbook.example.com", false),
            ("https://203.0.113.7", false),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(is_private(&url), private, "{address}");
        }
    }
}
