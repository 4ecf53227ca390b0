//! What an ID token says, once it is known to be the issuer's, for us, of now, and of this sign-in.

use std::str::FromStr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::NaiveDate;
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, Nonce,
    SignatureVerificationError,
    core::{
        CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKeySet,
        CoreJwsSigningAlgorithm,
    },
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::{Issuer, IssuerFault, Person, SKEW, discovery::Metadata, exchange::Tokens};

/// Longest subject: the standard's own limit.
const LONGEST_SUBJECT: usize = 255;

/// Why a token is not believed.
pub(super) enum Doubt {
    /// The key it names is none that we know of.
    UnknownKey,
    Refused(&'static str),
}

impl Doubt {
    pub(super) fn into_fault(self, unknown_key: IssuerFault) -> IssuerFault {
        match self {
            Self::UnknownKey => unknown_key,
            Self::Refused(why) => IssuerFault::Refused(why),
        }
    }
}

/// The algorithms a token may be signed with: those that the issuer says it uses, and that need no
/// secret to verify.
pub(super) fn algorithms(metadata: &Metadata) -> Result<Vec<CoreJwsSigningAlgorithm>, IssuerFault> {
    use CoreJwsSigningAlgorithm as Alg;
    let safe = [
        Alg::RsaSsaPkcs1V15Sha256,
        Alg::RsaSsaPkcs1V15Sha384,
        Alg::RsaSsaPkcs1V15Sha512,
        Alg::RsaSsaPssSha256,
        Alg::RsaSsaPssSha384,
        Alg::RsaSsaPssSha512,
        Alg::EcdsaP256Sha256,
        Alg::EcdsaP384Sha384,
        Alg::EdDsa,
    ];
    let used = metadata.id_token_signing_alg_values_supported();
    let both: Vec<Alg> = safe.into_iter().filter(|alg| used.contains(alg)).collect();
    if both.is_empty() {
        return Err(IssuerFault::Refused(
            "it signs with no algorithm that is taken",
        ));
    }
    Ok(both)
}

/// What the token says, word for word.
pub(super) fn verify(
    issuer: &Issuer,
    metadata: &Metadata,
    keys: CoreJsonWebKeySet,
    tokens: &Tokens,
    nonce: &Nonce,
) -> Result<Map<String, Value>, Doubt> {
    let raw = tokens.id_token.expose_secret();
    let unreadable = |_| Doubt::Refused("its ID token cannot be read");
    let token = CoreIdToken::from_str(raw).map_err(unreadable)?;
    let algorithms = algorithms(metadata).map_err(|_| Doubt::Refused("its algorithms"))?;
    let now = issuer.now();
    let client_id = ClientId::new(issuer.provider.client_id.clone());
    // As of a public client: then no signature by a shared secret counts, whatever the token says.
    let verifier = CoreIdTokenVerifier::new_public_client(client_id, issuer.url.clone(), keys)
        .set_allowed_algs(algorithms)
        .set_time_fn(move || now)
        .set_issue_time_verifier_fn(move |issued| {
            if issued > now + SKEW {
                return Err("later than now".to_owned());
            }
            Ok(())
        })
        // Which others are fine is told by `azp`, below.
        .set_other_audience_verifier_fn(|_| true);
    let claims = token
        .claims(&verifier, nonce)
        .map_err(|error| doubt(&error))?;
    party(issuer, claims)?;
    if let Some(hash) = claims.access_token_hash() {
        let access = AccessToken::new(tokens.access_token.expose_secret().to_owned());
        let strange = Doubt::Refused("its access token is another sign-in's");
        let (Ok(alg), Ok(key)) = (token.signing_alg(), token.signing_key(&verifier)) else {
            return Err(strange);
        };
        if AccessTokenHash::from_token(&access, alg, key).ok().as_ref() != Some(hash) {
            return Err(strange);
        }
    }
    payload(raw).ok_or(Doubt::Refused("its ID token cannot be read"))
}

/// Whether the token is meant for us: one that is for several says for whom it was made.
fn party(issuer: &Issuer, claims: &CoreIdTokenClaims) -> Result<(), Doubt> {
    let ours = claims
        .authorized_party()
        .map(|party| party.as_str() == issuer.provider.client_id);
    match ours {
        Some(false) => Err(Doubt::Refused("its ID token was made for another client")),
        None if claims.audiences().len() > 1 => {
            Err(Doubt::Refused("its ID token is for several clients"))
        }
        _ => Ok(()),
    }
}

/// The payload of a token that was verified. The crate's own reading takes a text for a truth value.
fn payload(raw: &str) -> Option<Map<String, Value>> {
    let body = URL_SAFE_NO_PAD.decode(raw.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&body).ok()
}

fn doubt(error: &ClaimsVerificationError) -> Doubt {
    use ClaimsVerificationError as E;
    Doubt::Refused(match error {
        E::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            return Doubt::UnknownKey;
        }
        E::SignatureVerification(SignatureVerificationError::DisallowedAlg(_)) => {
            "its ID token is signed with an algorithm that is not taken"
        }
        E::SignatureVerification(_) => "the signature of its ID token is wrong",
        E::Expired(_) => "its ID token is of another time",
        E::InvalidAudience(_) => "its ID token is for another client",
        E::InvalidIssuer(_) => "its ID token is another issuer's",
        E::InvalidNonce(_) => "its ID token is of another sign-in",
        _ => "its ID token is not acceptable",
    })
}

/// What of a person an issuer may tell in an ID token, by user info, or some here and some there.
const WANTED: [&str; 5] = [
    "email",
    "email_verified",
    "given_name",
    "family_name",
    "birthdate",
];

/// Whether user info may know more.
pub(super) fn lacks(said: &Map<String, Value>) -> bool {
    WANTED.iter().any(|name| !said.contains_key(*name))
}

/// Adds what user info tells. Whether an address is verified counts for the address it was said with, and for no
/// other: so much the issuer has to say in one breath.
pub(super) fn complete(
    said: &mut Map<String, Value>,
    mut more: Map<String, Value>,
) -> Result<(), IssuerFault> {
    if more.get("sub") != said.get("sub") {
        return Err(IssuerFault::Refused("its user info is somebody else's"));
    }
    match said.get("email") {
        None => drop(said.remove("email_verified")),
        email if email != more.get("email") => drop(more.remove("email_verified")),
        _ => {}
    }
    for (name, value) in more {
        said.entry(name).or_insert(value);
    }
    Ok(())
}

/// A day as Facebook writes it, in the standard's form.
/// <https://developers.facebook.com/docs/facebook-login/limited-login/token>
fn day_of_facebook(text: &str) -> Option<String> {
    let day = NaiveDate::parse_from_str(text, "%m/%d/%Y").ok()?;
    Some(day.to_string())
}

/// The person that is told of.
pub(super) fn person(issuer: &str, said: &Map<String, Value>) -> Result<Person, IssuerFault> {
    let text = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    let subject = text("sub").unwrap_or_default();
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT || subject.contains('\0') {
        return Err(IssuerFault::Refused("it does not say who the person is"));
    }
    Ok(Person {
        issuer: issuer.to_owned(),
        subject,
        email: text("email"),
        email_verified: said.get("email_verified") == Some(&Value::Bool(true)),
        first_name: text("given_name"),
        last_name: text("family_name"),
        birth_date: text("birthdate")
            .or_else(|| day_of_facebook(said.get("user_birthday")?.as_str()?)),
    })
}
