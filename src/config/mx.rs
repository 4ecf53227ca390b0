//! `MX_*`: how MX is reached.

use secrecy::SecretString;

use super::{
    PlaidEnv,
    reader::{Reader, is_in_the_clear},
};

/// How MX is reached.
#[derive(Clone, Debug)]
pub struct MxConfig {
    /// `MX_ENV`.
    pub env: MxEnv,
    /// `MX_CLIENT_ID`.
    pub client_id: SecretString,
    /// `MX_API_KEY`.
    pub api_key: SecretString,
    /// `MX_BASE_URL`: another address than the environment's own, for tests; over plain http only on
    /// this machine.
    pub base_url: Option<String>,
    /// `MX_WEBHOOK_USER`, `MX_WEBHOOK_PASSWORD`: how MX proves itself with a webhook.
    pub webhook: Option<(String, SecretString)>,
}

/// Which MX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MxEnv {
    /// None.
    Off,
    /// The built-in sandbox: no account, no key, no Internet.
    Local,
    /// MX's test environment.
    Int,
    /// Real banks.
    Production,
}

impl MxEnv {
    /// Its name in `MX_ENV`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Local => "local",
            Self::Int => "int",
            Self::Production => "production",
        }
    }
}

impl Reader {
    /// Beside a real Plaid a sandbox would offer people banks that are none, so there MX is off unless
    /// it is asked for.
    pub(super) fn mx(&mut self, plaid: PlaidEnv) -> MxConfig {
        let client_id = self.text("MX_CLIENT_ID");
        let api_key = self.text("MX_API_KEY");
        let base_url = self.url("MX_BASE_URL");
        if base_url.as_deref().is_some_and(is_in_the_clear) {
            self.fault(
                "MX_BASE_URL",
                "over http:// the way would read the credentials and what people type; use https://, \
                 or an address of this machine such as http://127.0.0.1:8010/mx",
            );
        }
        let usual = match plaid {
            PlaidEnv::Local => MxEnv::Local,
            _ => MxEnv::Off,
        };
        let envs = [MxEnv::Off, MxEnv::Local, MxEnv::Int, MxEnv::Production];
        let envs = envs.map(|env| (env.name(), env));
        let env = self.choice("MX_ENV", usual, &envs);
        let real = matches!(env, MxEnv::Int | MxEnv::Production);
        if !real && (client_id.is_some() || api_key.is_some()) {
            self.fault(
                "MX_ENV",
                "credentials are set; say `int` or `production`, which they belong to",
            );
        }
        for (name, value) in [("MX_CLIENT_ID", &client_id), ("MX_API_KEY", &api_key)] {
            if real && value.is_none() {
                self.fault(
                    name,
                    "is needed; it is in MX's client dashboard, under API keys",
                );
            }
        }
        for (name, value) in [("MX_CLIENT_ID", &client_id), ("MX_API_KEY", &api_key)] {
            self.no_example(name, value.as_deref());
        }
        MxConfig {
            env,
            client_id: client_id.unwrap_or_else(|| "local".to_owned()).into(),
            api_key: api_key.unwrap_or_else(|| "local".to_owned()).into(),
            base_url,
            webhook: self.mx_webhook(),
        }
    }

    fn no_example(&mut self, name: &str, value: Option<&str>) {
        if value.is_some_and(|value| value.starts_with("your-")) {
            self.fault(name, "this is the example's value; use your own");
        }
    }

    fn mx_webhook(&mut self) -> Option<(String, SecretString)> {
        let (user, password) = (
            self.text("MX_WEBHOOK_USER"),
            self.text("MX_WEBHOOK_PASSWORD"),
        );
        self.no_example("MX_WEBHOOK_USER", user.as_deref());
        self.no_example("MX_WEBHOOK_PASSWORD", password.as_deref());
        match (user, password) {
            (Some(user), Some(password)) => Some((user, password.into())),
            (None, None) => None,
            (user, _) => {
                let missing = if user.is_some() {
                    "MX_WEBHOOK_PASSWORD"
                } else {
                    "MX_WEBHOOK_USER"
                };
                self.fault(missing, "is needed beside the other one");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn faults(pairs: &[(&str, &str)]) -> Vec<String> {
        Config::from_pairs(pairs.iter().copied()).map_or_else(|e| e.0, |_| Vec::new())
    }

    #[test]
    fn beside_a_real_plaid_mx_is_off_until_it_is_asked_for() {
        let env =
            |pairs: &[(&str, &str)]| Config::from_pairs(pairs.iter().copied()).unwrap().mx.env;
        let real = [
            ("PLAID_ENV", "production"),
            ("PLAID_CLIENT_ID", "abc"),
            ("PLAID_SECRET", "def"),
        ];
        assert_eq!(env(&[]), MxEnv::Local);
        assert_eq!(env(&real), MxEnv::Off);
        assert_eq!(
            env(&[&real[..], &[("MX_ENV", "local")]].concat()),
            MxEnv::Local
        );
    }

    #[test]
    fn what_belongs_together_is_asked_for() {
        for (pairs, named) in [
            (
                &[("MX_ENV", "int"), ("MX_API_KEY", "k")][..],
                "MX_CLIENT_ID",
            ),
            (
                &[("MX_ENV", "production"), ("MX_CLIENT_ID", "c")],
                "MX_API_KEY",
            ),
            (&[("MX_CLIENT_ID", "c")], "MX_ENV"),
            (&[("MX_ENV", "off"), ("MX_API_KEY", "k")], "MX_ENV"),
            (&[("MX_WEBHOOK_USER", "u")], "MX_WEBHOOK_PASSWORD"),
            (&[("MX_WEBHOOK_PASSWORD", "p")], "MX_WEBHOOK_USER"),
            (&[("MX_BASE_URL", "http://mx.example")], "MX_BASE_URL"),
            (&[("MX_ENV", "sandbox")], "MX_ENV"),
            (
                &[
                    ("MX_WEBHOOK_USER", "u"),
                    ("MX_WEBHOOK_PASSWORD", "your-password"),
                ],
                "MX_WEBHOOK_PASSWORD",
            ),
        ] {
            let told = faults(pairs);
            assert!(
                told.len() == 1 && told[0].starts_with(named),
                "{pairs:?}: {told:?}"
            );
        }
    }
}
