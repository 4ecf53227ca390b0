//! Plaid: whether it answers, and takes the credentials.

use secrecy::ExposeSecret;

use super::Finding;
use crate::{
    cli::providers,
    clock::Clock,
    config::{Config, PlaidEnv},
    error::{ErrorClass, ProviderError},
    metrics::Metrics,
};

const SUBJECT: &str = "plaid";

/// A bank that every environment but production knows; asking for it is free.
const TEST_BANK: &str = "ins_109508";
/// A bank that production knows.
const REAL_BANK: &str = "ins_56";

pub(super) async fn look(config: &Config, findings: &mut Vec<Finding>) {
    let bank = match config.plaid.env {
        PlaidEnv::Local if config.plaid.base_url.is_none() => {
            let text = "the built-in sandbox, which `serve` starts; no credentials needed";
            return findings.push(Finding::fine(SUBJECT, text));
        }
        PlaidEnv::Production => REAL_BANK,
        _ => TEST_BANK,
    };
    let plaid = match providers::plaid(config, None, Clock::default(), Metrics::default()) {
        Ok(plaid) => plaid,
        Err(error) => return findings.push(Finding::problem(SUBJECT, error.chain())),
    };
    findings.push(match plaid.institution(bank).await {
        Ok(bank) => Finding::fine(
            SUBJECT,
            format!("answers and takes the credentials: it knows {}", bank.name),
        ),
        Err(error) => judge(config, &error),
    });
}

fn judge(config: &Config, error: &ProviderError) -> Finding {
    let code = &error.code;
    match error.class {
        ErrorClass::Operator => Finding::problem(
            SUBJECT,
            format!(
                "refuses the credentials ({code}); PLAID_CLIENT_ID ({}) and PLAID_SECRET must be those of PLAID_ENV, \
                 which Plaid's dashboard shows under Developers, Keys",
                config.plaid.client_id.expose_secret()
            ),
        ),
        ErrorClass::Retry(_) => Finding::problem(
            SUBJECT,
            format!(
                "does not answer ({error}); check the way out of this machine, and status.plaid.com"
            ),
        ),
        // It looked for the bank, so it took the credentials.
        _ => Finding::fine(
            SUBJECT,
            format!("answers and takes the credentials ({code})"),
        ),
    }
}
