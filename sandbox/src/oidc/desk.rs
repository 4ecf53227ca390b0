//! What the issuers know: who is at which step, and what they were ordered to say.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What the issuers say, beside the truth.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rules {
    /// What is forged, until something else is ordered.
    pub(crate) forgery: Forgery,
    /// What tokens are signed with.
    pub(crate) alg: Alg,
    /// Whether the claims about a person are told by user info alone.
    pub(crate) user_info: bool,
    /// Claims in the place of those a person has; null takes one away.
    pub(crate) claims: Map<String, Value>,
    /// The same for ID tokens alone, which user info contradicts then.
    pub(crate) token_claims: Map<String, Value>,
}

/// What tokens are signed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Alg {
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "RS256")]
    Rs256,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Forgery {
    /// Nothing.
    #[default]
    None,
    /// The nonce is another one.
    Nonce,
    /// There is no nonce.
    NonceMissing,
    /// The issuer has a slash more.
    IssuerSlash,
    /// The answer names another issuer.
    AnswerElsewhere,
    /// The answer names no issuer.
    AnswerNameless,
    /// The audience is another client.
    Audience,
    /// The audience is several clients, and nothing says which of them asked.
    AudienceSeveral,
    /// The token was made for another client.
    PartyOther,
    /// It expired a second ago.
    Expired,
    /// It is issued in ten minutes.
    IssuedAhead,
    /// It is not signed.
    AlgNone,
    /// It is signed with the public key as a shared secret.
    AlgPublicKey,
    /// It is signed with the client's secret.
    AlgClientSecret,
    /// It brings the key it is signed with.
    EmbeddedKey,
    /// It is signed with a key that is not published.
    UnknownKey,
    /// A letter of its payload was changed after signing.
    Changed,
    /// It is there with another access token than it was made with.
    AccessTokenOther,
    /// There is none.
    IdTokenMissing,
    /// User info is about somebody else.
    UserInfoOther,
    /// User info does not answer.
    UserInfoAway,
    /// The set of keys has ten mebibytes.
    KeysHuge,
    /// The keys are at an address that no server should call.
    KeysElsewhere,
    /// Discovery does not answer.
    DiscoveryAway,
    /// Discovery redirects to another address, over http.
    DiscoveryRedirect,
}

/// What a code was given for.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) person: String,
}

/// The desk.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) rules: Rules,
    pub(super) codes: HashMap<String, Grant>,
    /// Access tokens, and what user info says by them.
    pub(super) tokens: HashMap<String, Map<String, Value>>,
    /// What went to and fro whenever a code was exchanged.
    pub(super) exchanged: Vec<Value>,
}

impl Desk {
    /// What is told of a person. Everybody has an address at example.com, and it is verified.
    pub(super) fn claims(&self, person: &str) -> Map<String, Value> {
        let mut letters = person.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string());
        let name = format!("{}{}", first.unwrap_or_default(), letters.as_str());
        let mut claims = Map::new();
        for (key, value) in [
            ("sub", json!(format!("sandbox-{person}"))),
            ("email", json!(format!("{person}@example.com"))),
            ("email_verified", json!(true)),
            ("given_name", json!(name)),
            ("family_name", json!("Sandbox")),
            ("birthdate", json!("1990-02-28")),
        ] {
            claims.insert(key.to_owned(), value);
        }
        replace(&mut claims, &self.rules.claims);
        claims
    }
}

/// Puts claims in the place of others; null takes one away.
pub(super) fn replace(claims: &mut Map<String, Value>, by: &Map<String, Value>) {
    for (key, value) in by {
        claims.insert(key.clone(), value.clone());
    }
    claims.retain(|_, value| !value.is_null());
}
