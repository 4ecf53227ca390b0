//! A code for tokens, and what more an issuer tells of a person.

use base64::{Engine, engine::general_purpose::STANDARD};
use openidconnect::{
    HttpRequest, HttpResponse,
    core::CoreClientAuthMethod,
    http::{HeaderValue, Method, Request, StatusCode, header},
    url::form_urlencoded,
};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{Issuer, IssuerFault, discovery::Metadata};
use crate::config::OidcProvider;

/// How long the code of an issuer's error may be to be logged.
const LONGEST_CODE: usize = 40;

/// What a code was exchanged for.
#[derive(Deserialize)]
pub(super) struct Tokens {
    #[serde(deserialize_with = "secret")]
    pub(super) id_token: SecretString,
    #[serde(deserialize_with = "secret")]
    pub(super) access_token: SecretString,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// How an issuer is told our secret.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Header,
    Body,
}

/// Where codes are exchanged, and how the secret is told there.
pub(super) fn way(provider: &OidcProvider, metadata: &Metadata) -> Result<(Url, Way), IssuerFault> {
    let named = metadata
        .token_endpoint()
        .map(|endpoint| endpoint.url().clone());
    let known = provider.token_endpoint.and_then(|url| Url::parse(url).ok());
    let endpoint = named.or(known);
    let endpoint = endpoint.ok_or(IssuerFault::Refused(
        "its discovery names no token endpoint",
    ))?;
    let methods = metadata.token_endpoint_auth_methods_supported();
    let takes = |method| methods.is_some_and(|methods| methods.contains(&method));
    if provider.secret_in_body {
        return Ok((endpoint, Way::Body));
    }
    // Without a word on it, the standard says: in the header.
    if methods.is_none() || takes(CoreClientAuthMethod::ClientSecretBasic) {
        return Ok((endpoint, Way::Header));
    }
    if takes(CoreClientAuthMethod::ClientSecretPost) {
        return Ok((endpoint, Way::Body));
    }
    Err(IssuerFault::Refused("it takes no client secret"))
}

/// Exchanges a code.
pub(super) async fn exchange(
    issuer: &Issuer,
    metadata: &Metadata,
    redirect_uri: &str,
    code: &str,
    verifier: &str,
) -> Result<Tokens, IssuerFault> {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("client_id", &issuer.provider.client_id),
        ("code_verifier", verifier),
    ];
    let (endpoint, way) = way(&issuer.provider, metadata)?;
    let request = sound(asking(&issuer.provider, &endpoint, way, &form))?;
    let answer = issuer.http.call(request).await?;
    if answer.status() != StatusCode::OK {
        return Err(declined(&answer));
    }
    let tokens = serde_json::from_slice(answer.body());
    tokens.map_err(|_| IssuerFault::Refused("no tokens can be read from what it gave for the code"))
}

/// The request that a code goes with, and our secret.
fn asking(
    provider: &OidcProvider,
    endpoint: &Url,
    way: Way,
    form: &[(&str, &str)],
) -> openidconnect::http::Result<HttpRequest> {
    let secret = provider.client_secret.expose_secret();
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(endpoint.as_str())
        .header(header::ACCEPT, "application/json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match way {
        Way::Body => drop(body.append_pair("client_secret", secret)),
        Way::Header => {
            let part =
                |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let login = format!("{}:{}", part(&provider.client_id), part(secret));
            let login = format!("Basic {}", STANDARD.encode(login));
            request = request.header(header::AUTHORIZATION, unshown(login)?);
        }
    }
    request.body(body.finish().into_bytes())
}

/// What user info tells of whoever the tokens are; nothing where there is none.
pub(super) async fn user_info(
    issuer: &Issuer,
    metadata: &Metadata,
    tokens: &Tokens,
) -> Result<Option<Map<String, Value>>, IssuerFault> {
    let Some(endpoint) = metadata.userinfo_endpoint() else {
        return Ok(None);
    };
    let request = sound(bearing(endpoint.url(), &tokens.access_token))?;
    let answer = issuer.http.call(request).await?;
    if answer.status() != StatusCode::OK {
        return Err(IssuerFault::Unavailable(format!(
            "its user info answers {}",
            answer.status()
        )));
    }
    let more = serde_json::from_slice(answer.body());
    more.map(Some)
        .map_err(|_| IssuerFault::Refused("its user info cannot be read"))
}

/// The request that a token goes with.
fn bearing(endpoint: &Url, token: &SecretString) -> openidconnect::http::Result<HttpRequest> {
    let bearer = unshown(format!("Bearer {}", token.expose_secret()))?;
    Request::builder()
        .uri(endpoint.as_str())
        .header(header::ACCEPT, "application/json")
        .header(header::AUTHORIZATION, bearer)
        .body(Vec::new())
}

/// A header that no log of the connection shows.
fn unshown(text: String) -> openidconnect::http::Result<HeaderValue> {
    let mut value = HeaderValue::try_from(text)?;
    value.set_sensitive(true);
    Ok(value)
}

fn sound(request: openidconnect::http::Result<HttpRequest>) -> Result<HttpRequest, IssuerFault> {
    request.map_err(|_| IssuerFault::Refused("its discovery names an address that is none"))
}

/// Why no tokens came: the issuer's own code for it, as far as it is a word. Its sentences stay where
/// they are, for they may repeat what was sent.
fn declined(answer: &HttpResponse) -> IssuerFault {
    #[derive(Deserialize)]
    struct Declined {
        error: String,
    }
    if answer.status().is_server_error() {
        return IssuerFault::Unavailable(format!("its token endpoint answers {}", answer.status()));
    }
    let said = serde_json::from_slice::<Declined>(answer.body()).ok();
    let word = said.map(|said| said.error).unwrap_or_default();
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    let word = if word.len() <= LONGEST_CODE && word.chars().all(plain) {
        word
    } else {
        String::new()
    };
    tracing::warn!(
        status = answer.status().as_u16(),
        error = word,
        "an issuer gave no tokens for a code"
    );
    IssuerFault::Refused("it gives no tokens for the code")
}

#[cfg(test)]
mod tests {
    use openidconnect::core::CoreJwsSigningAlgorithm;

    use super::*;
    use crate::{
        config::Config,
        providers::oidc::claims::{algorithms, person},
    };

    /// What Facebook says of itself.
    /// <https://www.facebook.com/.well-known/openid-configuration>
    const FACEBOOK: &str = r#"{
        "issuer": "https://www.facebook.com",
        "authorization_endpoint": "https://facebook.com/dialog/oauth/",
        "jwks_uri": "https://www.facebook.com/.well-known/oauth/openid/jwks/",
        "response_types_supported": ["id_token", "token id_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["iss", "aud", "sub", "iat", "exp", "jti", "nonce", "at_hash", "name", "given_name",
            "middle_name", "family_name", "email", "picture", "user_friends", "user_birthday", "user_age_range",
            "user_link", "user_hometown", "user_gender"]
    }"#;

    fn provider(pairs: &[(&str, &str)]) -> OidcProvider {
        let known = [
            ("OIDC_PROVIDERS", "facebook"),
            ("OIDC_FACEBOOK_CLIENT_ID", "id"),
            ("OIDC_FACEBOOK_CLIENT_SECRET", "hush"),
        ];
        let all = known.iter().chain(pairs).copied();
        Config::from_pairs(all).unwrap().oidc.remove(0)
    }

    #[test]
    fn facebook_is_asked_as_its_discovery_and_its_documentation_say() {
        let facebook = provider(&[]);
        let metadata: Metadata = serde_json::from_str(FACEBOOK).unwrap();
        assert_eq!(metadata.issuer().as_str(), facebook.issuer);
        let algorithms = algorithms(&metadata).map_err(|error| error.to_string());
        assert_eq!(
            algorithms.unwrap(),
            [CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256]
        );
        let (endpoint, way) = way(&facebook, &metadata)
            .map_err(|e| e.to_string())
            .unwrap();
        assert_eq!(
            endpoint.as_str(),
            "https://graph.facebook.com/oauth/access_token"
        );
        let request = asking(&facebook, &endpoint, way, &[("code", "c")]).unwrap();
        assert_eq!(request.headers().get(header::AUTHORIZATION), None);
        assert_eq!(request.body(), b"code=c&client_secret=hush");
        let said =
            serde_json::json!({"sub": "7", "given_name": "Ana", "user_birthday": "02/28/1990"});
        let ana = person(&facebook.issuer, said.as_object().unwrap());
        let ana = ana.map_err(|error| error.to_string()).unwrap();
        assert_eq!(ana.first_name.as_deref(), Some("Ana"));
        assert_eq!(ana.birth_date.as_deref(), Some("1990-02-28"));
        assert!(!ana.email_verified);
    }

    #[test]
    fn a_name_of_an_issuer_sends_no_secret_anywhere() {
        let acme = provider(&[("OIDC_FACEBOOK_ISSUER", "https://sso.acme.example")]);
        let metadata: Metadata = serde_json::from_str(FACEBOOK).unwrap();
        let told = way(&acme, &metadata).map(|(endpoint, _)| endpoint);
        let told = told.map_err(|error| error.to_string()).unwrap_err();
        assert!(told.contains("names no token endpoint"), "{told}");
        assert!(acme.scopes.contains("profile"), "{}", acme.scopes);
    }
}
