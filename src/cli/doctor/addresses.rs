//! `REDIRECT_URIS`, `ALLOWED_ORIGINS` and `TRUSTED_PROXIES`: whether a browser and a provider could use
//! the first as written, and whether people can be told apart.

use reqwest::Url;

use super::Finding;
use crate::config::{Config, PlaidEnv};

pub(super) fn look(config: &Config, findings: &mut Vec<Finding>) {
    let before = findings.len();
    let production = config.plaid.env == PlaidEnv::Production;
    for address in &config.redirect_uris {
        if let Some(why) = redirect_fault(address, production) {
            let text = format!("REDIRECT_URIS: {address} {why}");
            findings.push(Finding::problem("addresses", text));
        }
    }
    for address in &config.allowed_origins {
        if let Some(why) = origin_fault(address) {
            let text = format!("ALLOWED_ORIGINS: {address} {why}");
            findings.push(Finding::problem("addresses", text));
        }
    }
    if hides_people(config) {
        let text = "TRUSTED_PROXIES: is empty, though PUBLIC_URL says that people come through a proxy: they \
                    all count as one who tries passwords; name the proxy, 127.0.0.1 if it is on this machine";
        findings.push(Finding::warning("addresses", text));
    }
    if findings.len() > before {
        return;
    }
    let (redirects, origins) = (config.redirect_uris.len(), config.allowed_origins.len());
    findings.push(Finding::fine(
        "addresses",
        format!("{redirects} in REDIRECT_URIS, {origins} in ALLOWED_ORIGINS"),
    ));
}

/// Whether everybody seems to come from one place: what speaks TLS in front of us is a proxy, since we
/// do not.
fn hides_people(config: &Config) -> bool {
    let public = config.public_url.as_deref().unwrap_or_default();
    public.starts_with("https://") && config.trusted_proxies.is_empty()
}

/// Why nobody could be sent back to an address.
fn redirect_fault(address: &str, production: bool) -> Option<&'static str> {
    let url = Url::parse(address).ok()?;
    let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if address.contains('*') {
        Some("has a wildcard, and addresses are compared exactly; list each")
    } else if url.fragment().is_some() {
        Some("has a fragment, which no provider sends back; leave it out")
    } else if url.scheme() != "https" && !here {
        Some("is not https; a code sent there could be read on its way")
    } else if production && url.scheme() != "https" {
        Some("is not https, and Plaid's production takes no other")
    } else {
        None
    }
}

/// Why a browser would never send an address as its origin.
fn origin_fault(address: &str) -> Option<&'static str> {
    let url = Url::parse(address).ok()?;
    let bare = url.origin().ascii_serialization() == address;
    (!bare).then_some(
        "is not how browsers write an origin: scheme, host and port in lower case, without a path or the usual port",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_nobody_can_return_to_is_named() {
        assert!(redirect_fault("https://app.example/linked", true).is_none());
        assert!(redirect_fault("http://localhost:5173/linked", false).is_none());
        assert!(redirect_fault("http://localhost:5173/linked", true).is_some());
        assert!(redirect_fault("http://app.example/linked", false).is_some());
        assert!(redirect_fault("https://app.example/#linked", false).is_some());
        assert!(redirect_fault("https://*.app.example/linked", false).is_some());
    }

    #[test]
    fn a_proxy_that_is_not_named_is_told() {
        let hidden = |pairs: &[(&str, &str)]| {
            hides_people(&Config::from_pairs(pairs.iter().copied()).unwrap())
        };
        let public = ("PUBLIC_URL", "https://passbook.example");
        assert!(hidden(&[public]));
        assert!(!hidden(&[public, ("TRUSTED_PROXIES", "127.0.0.1")]));
        assert!(!hidden(&[("PUBLIC_URL", "http://127.0.0.1:8000")]));
        assert!(!hidden(&[]));
    }

    #[test]
    fn an_origin_is_compared_as_browsers_write_it() {
        assert!(origin_fault("https://app.example").is_none());
        assert!(origin_fault("http://localhost:5173").is_none());
        assert!(origin_fault("https://app.example/").is_some());
        assert!(origin_fault("https://app.example:443").is_some());
        assert!(origin_fault("https://App.example").is_some());
    }
}
