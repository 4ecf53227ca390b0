//! `PUBLIC_URL`: whether the provider can reach us there with its webhooks.

use std::time::Duration;

use reqwest::{Client, Url, redirect::Policy};

use super::Finding;
use crate::config::{Config, PlaidEnv};

const SUBJECT: &str = "webhooks";

pub(super) async fn look(config: &Config, findings: &mut Vec<Finding>) {
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
        findings.push(visit(config, address, &url).await);
    }
}

/// Knocks at our own door from outside, as far as that can be had from inside.
async fn visit(config: &Config, address: &str, url: &Url) -> Finding {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(443);
    if let Err(error) = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await {
        return Finding::problem(
            SUBJECT,
            format!("PUBLIC_URL: {host} has no address: {error}; check its name in DNS"),
        );
    }
    let answer = async {
        Client::builder()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(10))
            .build()?
            .get(format!("{address}/healthz"))
            .send()
            .await
    };
    match answer.await {
        Ok(answer) if answer.status().is_success() => Finding::fine(
            SUBJECT,
            format!("{address} leads to a server that is alive"),
        ),
        Ok(answer) => Finding::problem(
            SUBJECT,
            format!(
                "PUBLIC_URL: {address}/healthz answers {}; lead the address to {}, without redirects",
                answer.status(),
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
