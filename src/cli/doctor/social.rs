//! `OIDC_*`: whether each provider's discovery and keys can be read, and whether anybody could come back.

use super::Finding;
use crate::{
    cli::{providers, start},
    clock::Clock,
    config::{Config, PlaidEnv},
    providers::oidc::{IssuerFault, Issuers},
};

const SUBJECT: &str = "social login";

pub(super) async fn look(config: &Config, findings: &mut Vec<Finding>) {
    if config.oidc.is_empty() {
        let text = match config.plaid.env {
            PlaidEnv::Local => "the built-in sandbox's own issuer; no credentials needed",
            _ => "none; OIDC_PROVIDERS names who people may sign in with",
        };
        return findings.push(Finding::fine(SUBJECT, text));
    }
    if config.redirect_uris.is_empty() {
        let text =
            "REDIRECT_URIS is empty, so nobody can come back to an app; list the app's address";
        findings.push(Finding::problem(SUBJECT, text));
    }
    let issuers = match Issuers::new(&providers::oidc(config, None), &Clock::default()) {
        Ok(issuers) => issuers,
        Err(error) => return findings.push(Finding::problem(SUBJECT, error.chain())),
    };
    let own = config.public_url.clone();
    let own = own.unwrap_or_else(|| start::near(config.listen));
    for issuer in issuers.iter() {
        let id = issuer.id();
        findings.push(match issuer.check().await {
            Ok(()) => {
                let text = format!(
                    "{id} answers; it must know {own}/auth/{id}/callback as a redirect address"
                );
                Finding::fine(SUBJECT, text)
            }
            Err(fault) => Finding::problem(SUBJECT, judge(id, &fault)),
        });
    }
}

fn judge(id: &str, fault: &IssuerFault) -> String {
    let setting = format!("OIDC_{}", id.to_uppercase());
    match fault {
        IssuerFault::Unavailable(why) => format!(
            "{id} gives no answer ({why}); check {setting}_ISSUER and the way out of this machine, and set \
             {setting}_NETWORK=private if it is on a network of yours"
        ),
        IssuerFault::Refused(why) => format!(
            "{id} cannot be signed in with ({why}); {setting}_ISSUER must be what its discovery document says, \
             letter for letter"
        ),
    }
}
