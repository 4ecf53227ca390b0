//! The ways to providers that the settings name, or to the sandbox that stands in for them.

use std::sync::Arc;

use secrecy::SecretString;

use crate::{
    clock::Clock,
    config::{Config, MxEnv, OidcProvider, PlaidEnv},
    error::Result,
    metrics::Metrics,
    providers::{
        Provider,
        mx::{Mx, MxSettings, WebhookLogin},
        plaid::{Plaid, PlaidSettings},
    },
};

/// The way to Plaid, or to the sandbox that stands in for it.
pub(super) fn plaid(
    config: &Config,
    local: Option<String>,
    clock: Clock,
    metrics: Metrics,
) -> Result<Arc<dyn Provider>> {
    let own = || match config.plaid.env {
        PlaidEnv::Local => format!("http://{}", config.sandbox_listen),
        PlaidEnv::Sandbox => "https://sandbox.plaid.com".to_owned(),
        PlaidEnv::Production => "https://production.plaid.com".to_owned(),
    };
    let base_url = local
        .or_else(|| config.plaid.base_url.clone())
        .unwrap_or_else(own);
    let settings = PlaidSettings {
        env: config.plaid.env,
        base_url,
        client_id: config.plaid.client_id.clone(),
        secret: config.plaid.secret.clone(),
        client_name: "Passbook".to_owned(),
    };
    Ok(Arc::new(Plaid::new(settings, clock, metrics)?))
}

/// The way to MX, or to the sandbox that stands in for it; none if it is off.
pub(super) fn mx(
    config: &Config,
    local: Option<String>,
    proof: Option<(String, SecretString)>,
    clock: Clock,
    metrics: Metrics,
) -> Result<Option<Arc<dyn Provider>>> {
    let sandbox = || {
        let elsewhere = sandbox_elsewhere(config).map(str::to_owned);
        let sandbox = local.or(elsewhere);
        sandbox.unwrap_or_else(|| format!("http://{}", config.sandbox_listen))
    };
    let own = match config.mx.env {
        MxEnv::Off => return Ok(None),
        MxEnv::Local => format!("{}/mx", sandbox()),
        MxEnv::Int => "https://int-api.mx.com".to_owned(),
        MxEnv::Production => "https://api.mx.com".to_owned(),
    };
    let settings = MxSettings {
        env: config.mx.env.name(),
        base_url: config.mx.base_url.clone().unwrap_or(own),
        client_id: config.mx.client_id.clone(),
        api_key: config.mx.api_key.clone(),
        webhook: proof.map(|(user, password)| WebhookLogin { user, password }),
    };
    Ok(Some(Arc::new(Mx::new(settings, clock, metrics)?)))
}

/// Who else people may sign in with: who is listed, or the sandbox where banks are the sandbox's.
pub(super) fn oidc(config: &Config, local: Option<&str>) -> Vec<OidcProvider> {
    if !config.oidc.is_empty() {
        return config.oidc.clone();
    }
    let sandbox = local.or_else(|| sandbox_elsewhere(config));
    let sandbox = sandbox.filter(|_| config.plaid.env == PlaidEnv::Local);
    sandbox.map(OidcProvider::sandbox).into_iter().collect()
}

/// Where a sandbox runs already; MX's face is where Plaid's is.
pub(super) fn sandbox_elsewhere(config: &Config) -> Option<&str> {
    let local = config.plaid.env == PlaidEnv::Local;
    config.plaid.base_url.as_deref().filter(|_| local)
}
