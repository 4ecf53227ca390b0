//! MX: whether it answers and takes the credentials, and whether its webhooks would be believed.

use secrecy::ExposeSecret;

use super::Finding;
use crate::{
    cli::providers,
    clock::Clock,
    config::{Config, MxEnv},
    error::{ErrorClass, ProviderError},
    metrics::Metrics,
};

const SUBJECT: &str = "mx";

pub(super) async fn look(config: &Config, findings: &mut Vec<Finding>) {
    match config.mx.env {
        MxEnv::Off => {
            let text = "is off; MX_ENV turns it on";
            return findings.push(Finding::fine(SUBJECT, text));
        }
        MxEnv::Local if config.mx.base_url.is_none() => {
            let text = "the built-in sandbox, which `serve` starts; no credentials needed";
            return findings.push(Finding::fine(SUBJECT, text));
        }
        _ => {}
    }
    if config.mx.webhook.is_none() {
        let text = "MX_WEBHOOK_USER and MX_WEBHOOK_PASSWORD are not set, so MX cannot prove itself and news come \
                    once a day; put them into MX's dashboard too, with PUBLIC_URL/webhooks/mx";
        findings.push(Finding::warning(SUBJECT, text));
    }
    let mx = match providers::mx(config, None, None, Clock::default(), Metrics::default()) {
        Ok(mx) => mx,
        Err(error) => return findings.push(Finding::problem(SUBJECT, error.chain())),
    };
    // Searching for banks is free, and wants credentials.
    let Some(login) = mx.as_deref().and_then(|mx| mx.credential_login()) else {
        return;
    };
    findings.push(match login.institutions("bank", 1).await {
        Ok(found) => Finding::fine(
            SUBJECT,
            format!(
                "answers and takes the credentials: it knows {} banks of that name",
                found.total
            ),
        ),
        Err(error) => judge(config, &error),
    });
}

fn judge(config: &Config, error: &ProviderError) -> Finding {
    let code = &error.code;
    let text = match error.class {
        ErrorClass::Operator => format!(
            "refuses us ({code}); MX_CLIENT_ID ({}) and MX_API_KEY must be those of MX_ENV, and this machine's \
             address must be allowed in MX's dashboard",
            config.mx.client_id.expose_secret()
        ),
        ErrorClass::Retry(_) => {
            format!(
                "does not answer ({error}); check the way out of this machine, and status.mx.com"
            )
        }
        _ => format!("answers strangely ({error})"),
    };
    Finding::problem(SUBJECT, text)
}
