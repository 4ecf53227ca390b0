//! `OIDC_*`: where people may sign in with an account they have elsewhere. `OIDC_PROVIDERS` lists
//! names, and each name has settings of its own: `OIDC_ACME_ISSUER` is the issuer of `acme`. Google
//! and Facebook need no more than a client id and a secret.

use std::net::IpAddr;

use reqwest::Url;
use secrecy::SecretString;

use super::reader::Reader;

/// What each provider is told by settings of its own, behind `OIDC_` and its name.
const PARTS: [&str; 6] = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "ISSUER",
    "NAME",
    "NETWORK",
    "SCOPES",
];

/// How long a provider's name may be: it is part of addresses and of settings.
const LONGEST_ID: usize = 20;

/// What is asked for where the issuer follows the standard.
const SCOPES: &str = "openid email profile";

/// Facebook's issuer, whose discovery leaves out what its documentation says: see `docs/decisions.md`.
/// <https://developers.facebook.com/docs/facebook-login/guides/advanced/oidc-token>
const FACEBOOK: &str = "https://www.facebook.com";

/// An issuer of OpenID Connect that people may sign in with.
#[derive(Clone, Debug)]
pub struct OidcProvider {
    /// Its name in settings and addresses: lower-case letters and digits.
    pub id: String,
    /// `OIDC_…_NAME`: what people call it.
    pub name: String,
    /// `OIDC_…_ISSUER`: compared byte for byte with what it says of itself.
    pub issuer: String,
    /// `OIDC_…_CLIENT_ID`.
    pub client_id: String,
    /// `OIDC_…_CLIENT_SECRET`.
    pub client_secret: SecretString,
    /// `OIDC_…_NETWORK`: where it may be; on this machine if the issuer is.
    pub network: OidcNetwork,
    /// `OIDC_…_SCOPES`: what is asked for, with a space between.
    pub scopes: String,
    /// Where codes are exchanged, if its discovery does not say.
    pub token_endpoint: Option<&'static str>,
    /// Whether the secret goes in the body though its discovery does not ask for that.
    pub secret_in_body: bool,
}

/// Where an issuer, and whatever it names, may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OidcNetwork {
    /// On the Internet, and nowhere else.
    Public,
    /// On the Internet or a private network.
    Private,
    /// On this machine, and nowhere else.
    Loopback,
}

impl OidcProvider {
    /// The sandbox's own issuer, below the address of a sandbox.
    pub fn sandbox(base_url: &str) -> Self {
        Self {
            id: "sandbox".to_owned(),
            name: "Sandbox".to_owned(),
            issuer: format!("{base_url}/oidc/sandbox"),
            client_id: "passbook".to_owned(),
            client_secret: "sandbox".into(),
            network: OidcNetwork::Loopback,
            scopes: SCOPES.to_owned(),
            token_endpoint: None,
            secret_in_body: false,
        }
    }
}

/// The names of settings that a list of providers brings with it.
pub(super) fn names(providers: &str) -> Vec<String> {
    let each = split(providers).flat_map(|id| PARTS.map(|part| setting(id, part)));
    each.collect()
}

/// What to do about a setting of a provider that is not listed, if the name looks like one.
pub(super) fn unlisted(name: &str) -> Option<String> {
    let rest = name.strip_prefix("OIDC_")?;
    let part = PARTS.iter().find(|part| rest.ends_with(**part))?;
    let id = rest.strip_suffix(part)?.strip_suffix('_')?.to_lowercase();
    let known = is_id(&id);
    known.then(|| {
        format!("{name}: OIDC_PROVIDERS does not list {id}; add it there, or take this away")
    })
}

fn split(providers: &str) -> impl Iterator<Item = &str> {
    let parts = providers.split(',').map(str::trim);
    parts.filter(|part| !part.is_empty())
}

fn setting(id: &str, part: &str) -> String {
    format!("OIDC_{}_{part}", id.to_uppercase())
}

fn is_id(text: &str) -> bool {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    !text.is_empty() && text.len() <= LONGEST_ID && text.bytes().all(letters)
}

impl Reader {
    /// The providers; none where nobody says otherwise and banks are real. Beside the built-in sandbox
    /// its own issuer is added by whoever starts it.
    pub(super) fn oidc(&mut self) -> Vec<OidcProvider> {
        let listed = self.text("OIDC_PROVIDERS").unwrap_or_default();
        let ids: Vec<String> = split(&listed).map(str::to_owned).collect();
        let mut providers: Vec<OidcProvider> = Vec::new();
        for id in ids {
            if !is_id(&id) || providers.iter().any(|known| known.id == id) {
                self.fault(
                    "OIDC_PROVIDERS",
                    "use names of lower-case letters and digits, at most 20, comma-separated, each once, \
                     such as google,acme",
                );
            } else {
                providers.push(self.oidc_provider(id));
            }
        }
        providers
    }

    fn oidc_provider(&mut self, id: String) -> OidcProvider {
        let preset = match id.as_str() {
            "google" => Some(("Google", "https://accounts.google.com")),
            "facebook" => Some(("Facebook", FACEBOOK)),
            _ => None,
        };
        let name = self.text(&setting(&id, "NAME"));
        let issuer = self.oidc_issuer(&id, preset.map(|(_, issuer)| issuer));
        // Whatever it is called: our secret goes to nobody but the issuer.
        let facebook = issuer == FACEBOOK;
        let client_id = self.oidc_credential(&id, "CLIENT_ID");
        let client_secret = self.oidc_credential(&id, "CLIENT_SECRET");
        OidcProvider {
            name: name.unwrap_or_else(|| preset.map_or(id.as_str(), |(name, _)| name).to_owned()),
            network: self.oidc_network(&id, &issuer),
            issuer,
            client_id,
            client_secret: client_secret.into(),
            scopes: self.oidc_scopes(&id, facebook),
            token_endpoint: facebook.then_some("https://graph.facebook.com/oauth/access_token"),
            secret_in_body: facebook,
            id,
        }
    }

    fn oidc_credential(&mut self, id: &str, part: &str) -> String {
        let name = setting(id, part);
        let value = self.text(&name);
        match value.as_deref() {
            None => self.fault(
                &name,
                "is missing; the provider shows it where this server is registered with it",
            ),
            Some(value) if value.starts_with("your-") => {
                self.fault(&name, "this is the example's value; use your own");
            }
            Some(_) => {}
        }
        value.unwrap_or_default().trim().to_owned()
    }

    /// The issuer as it is written: a slash more or less is another issuer.
    fn oidc_issuer(&mut self, id: &str, preset: Option<&str>) -> String {
        let name = setting(id, "ISSUER");
        let given = self.text(&name);
        let issuer = given.as_deref().or(preset).unwrap_or_default().trim();
        let fine = Url::parse(issuer).is_ok_and(|url| {
            let safe = url.scheme() == "https" || (url.scheme() == "http" && is_here(issuer));
            let plain = url.query().is_none() && url.fragment().is_none();
            safe && plain && url.has_host() && url.username().is_empty() && url.password().is_none()
        });
        if !fine {
            self.fault(
                &name,
                "use the issuer's address as it writes it itself, with https://, such as https://sso.example.com; \
                 http:// only on this machine",
            );
        }
        issuer.to_owned()
    }

    fn oidc_scopes(&mut self, id: &str, facebook: bool) -> String {
        let usual = if facebook {
            "openid email public_profile"
        } else {
            SCOPES
        };
        let name = setting(id, "SCOPES");
        let given = self.text(&name).unwrap_or_else(|| usual.to_owned());
        let words: Vec<&str> = given.split_whitespace().collect();
        if !words.contains(&"openid") {
            let text =
                "list them with a space between, openid among them, such as openid email profile";
            self.fault(&name, text);
        }
        words.join(" ")
    }

    fn oidc_network(&mut self, id: &str, issuer: &str) -> OidcNetwork {
        let name = setting(id, "NETWORK");
        if is_here(issuer) {
            if self.text(&name).is_some() {
                self.fault(
                    &name,
                    "take it away: an issuer on this machine is looked for here alone",
                );
            }
            return OidcNetwork::Loopback;
        }
        let choices = [
            ("public", OidcNetwork::Public),
            ("private", OidcNetwork::Private),
        ];
        self.choice(&name, OidcNetwork::Public, &choices)
    }
}

/// Whether an issuer is on this machine.
fn is_here(issuer: &str) -> bool {
    let url = Url::parse(issuer).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    address.map_or(host == "localhost", |ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Vec<OidcProvider>, Vec<String>> {
        let config = Config::from_pairs(pairs.iter().copied());
        config.map(|config| config.oidc).map_err(|error| error.0)
    }

    #[test]
    fn presets_need_a_client_id_and_a_secret_and_others_an_issuer() {
        let providers = read(&[
            ("OIDC_PROVIDERS", "google, acme"),
            ("OIDC_GOOGLE_CLIENT_ID", "g"),
            ("OIDC_GOOGLE_CLIENT_SECRET", "s"),
            ("OIDC_ACME_CLIENT_ID", "a"),
            ("OIDC_ACME_CLIENT_SECRET", "s"),
            ("OIDC_ACME_ISSUER", "https://sso.acme.example/"),
            ("OIDC_ACME_NAME", "Acme"),
            ("OIDC_ACME_NETWORK", "private"),
        ]);
        let providers = providers.unwrap();
        let told: Vec<_> = providers
            .iter()
            .map(|one| (&*one.name, &*one.issuer, one.network))
            .collect();
        let wanted = [
            ("Google", "https://accounts.google.com", OidcNetwork::Public),
            ("Acme", "https://sso.acme.example/", OidcNetwork::Private),
        ];
        assert_eq!(told, wanted);
        let here = read(&[
            ("OIDC_PROVIDERS", "x"),
            ("OIDC_X_ISSUER", "http://localhost:9/y"),
            ("OIDC_X_CLIENT_ID", "a"),
            ("OIDC_X_CLIENT_SECRET", "s"),
        ]);
        assert_eq!(here.unwrap()[0].network, OidcNetwork::Loopback);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_and_no_secret_with_it() {
        let told = read(&[
            ("OIDC_PROVIDERS", "google,Bad-One,acme,acme"),
            ("OIDC_GOOGLE_CLIENT_SECRET", "your-secret"),
            ("OIDC_ACME_ISSUER", "http://sso.acme.example"),
            ("OIDC_ACME_CLIENT_ID", "a"),
            ("OIDC_ACME_CLIENT_SECRET", "hush"),
            ("OIDC_ACME_NETWORK", "wide"),
            ("OIDC_OTHER_ISSUER", "https://other.example"),
            ("OIDC_ACME_SCOPE", "openid"),
        ])
        .unwrap_err();
        for name in [
            "OIDC_PROVIDERS",
            "OIDC_GOOGLE_CLIENT_ID",
            "OIDC_GOOGLE_CLIENT_SECRET",
            "OIDC_ACME_ISSUER",
            "OIDC_ACME_NETWORK",
            "OIDC_OTHER_ISSUER",
            "OIDC_ACME_SCOPE",
        ] {
            assert!(
                told.iter()
                    .any(|line| line.starts_with(&format!("{name}:"))),
                "{name}: {told:#?}"
            );
        }
        assert!(!told.join(" ").contains("hush"), "{told:#?}");
    }

    #[test]
    fn an_issuer_is_an_address_that_can_be_trusted() {
        for (issuer, fine) in [
            ("https://sso.example.com", true),
            ("https://sso.example.com/realms/a/", true),
            ("http://127.0.0.1:9/x", true),
            ("http://[::1]:9", true),
            ("http://10.0.0.7", false),
            ("http://localhost.example", false),
            ("https://u:p@sso.example.com", false),
            ("https://sso.example.com?x", false),
            ("https://sso.example.com/#x", false),
            ("file:///etc/passwd", false),
            ("gopher://sso.example.com", false),
            ("sso.example.com", false),
        ] {
            let told = read(&[
                ("OIDC_PROVIDERS", "x"),
                ("OIDC_X_ISSUER", issuer),
                ("OIDC_X_CLIENT_ID", "a"),
                ("OIDC_X_CLIENT_SECRET", "s"),
            ]);
            assert_eq!(told.is_ok(), fine, "{issuer}: {told:?}");
        }
    }
}
