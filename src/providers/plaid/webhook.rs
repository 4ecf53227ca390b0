//! Whether a webhook is Plaid's own. Plaid signs a token with ES256; in it stand the moment and the
//! SHA-256 of the body as it was sent. What costs nothing is judged first, so that only a webhook
//! whose token fits its body and the hour can make us ask Plaid for a key.
//! <https://plaid.com/docs/api/webhooks/webhook-verification/>
//!
//! The environment that a webhook names is not compared: keys never cross environments, so one of
//! another environment is signed by a key that ours does not know, and is forged.
//! Refused: trusting the token's `alg`, hashing a body that was parsed and written again, and Plaid's
//! addresses as proof (they "may change").

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;
use serde::{Deserialize, de::IgnoredAny};

use super::{
    keys::{Keys, SigningKey},
    lenient::object,
    notice,
};
use crate::{
    providers::{Delivery, WebhookRefusal},
    seal::sha256_hex,
};

/// The header, in any case.
const HEADER: &str = "plaid-verification";

/// Longest token that is looked at. Plaid's have about 350 characters.
const TOKEN_MAX: usize = 2048;

/// Longest name of a key. Plaid's are UUIDs.
const KID_MAX: usize = 64;

/// Oldest webhook that is believed, in seconds.
const OLDEST: i64 = 300;

/// How far ahead of ours the sender's clock may be, in seconds.
const AHEAD: i64 = 60;

/// Checks a webhook against Plaid's keys and reads it.
pub(super) async fn verify(
    keys: &Keys,
    now: DateTime<Utc>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Delivery, WebhookRefusal> {
    let token = Token::read(headers)?;
    token.fits(now, body)?;
    let key = keys.find(&token.kid).await?;
    token.is_signed_by(&key)?;
    notice::read(sha256_hex(token.whole.as_bytes()), body)
}

/// A token, taken apart but not believed yet. Its parts are read from the very bytes that the
/// signature is over.
struct Token<'a> {
    whole: &'a str,
    message: &'a str,
    signature: &'a str,
    kid: String,
    claims: Claims,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default)]
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    iat: i64,
    request_body_sha256: String,
}

impl<'a> Token<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self, WebhookRefusal> {
        let whole = the_one(headers)?;
        let (message, signature) = whole.rsplit_once('.').ok_or(forged("no token"))?;
        let (header, payload) = message.split_once('.').ok_or(forged("no token"))?;
        let header: Header = part(header).ok_or(forged("unreadable header"))?;
        // Before anything else is done with the token: it must not choose how it is checked.
        if header.alg != "ES256" || header.crit.is_some() {
            return Err(forged("not ES256"));
        }
        let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        if !(1..=KID_MAX).contains(&header.kid.len()) || !header.kid.bytes().all(plain) {
            return Err(forged("no name of a key"));
        }
        Ok(Self {
            whole,
            message,
            signature,
            kid: header.kid,
            claims: part(payload).ok_or(forged("unreadable claims"))?,
        })
    }

    /// Whether the token is of now, and of this body.
    fn fits(&self, now: DateTime<Utc>, body: &[u8]) -> Result<(), WebhookRefusal> {
        let age = now.timestamp().saturating_sub(self.claims.iat);
        if age > OLDEST {
            return Err(forged("too old"));
        }
        if age < -AHEAD {
            return Err(forged("from the future"));
        }
        let claimed = self.claims.request_body_sha256.to_ascii_lowercase();
        verify_slices_are_equal(claimed.as_bytes(), sha256_hex(body).as_bytes())
            .map_err(|_| forged("another body"))
    }

    fn is_signed_by(&self, key: &SigningKey) -> Result<(), WebhookRefusal> {
        if key.expired_at.is_some_and(|end| self.claims.iat > end) {
            return Err(forged("expired key"));
        }
        let message = self.message.as_bytes();
        match jsonwebtoken::crypto::verify(self.signature, message, &key.key, Algorithm::ES256) {
            Ok(true) => Ok(()),
            _ => Err(forged("bad signature")),
        }
    }
}

/// The one token of a request. Two would leave open which of them is meant.
fn the_one(headers: &HeaderMap) -> Result<&str, WebhookRefusal> {
    let mut all = headers.get_all(HEADER).iter();
    let (Some(token), None) = (all.next(), all.next()) else {
        return Err(forged("not one token"));
    };
    let token = token.to_str().map_err(|_| forged("no token"))?;
    if token.len() > TOKEN_MAX {
        return Err(forged("no token"));
    }
    Ok(token)
}

/// Reads one part of a token. A dot in it is no base64, so more than three parts end here.
fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(text).ok()?;
    object(std::str::from_utf8(&json).ok()?)
}

fn forged(why: &'static str) -> WebhookRefusal {
    WebhookRefusal::Forged(why)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use aws_lc_rs::hmac;
    use axum::http::HeaderValue;
    use jsonwebtoken::DecodingKey;
    use proptest::{
        collection::vec,
        prelude::{ProptestConfig, any, proptest},
        sample::Index,
        test_runner::RngSeed,
    };
    use serde_json::{Value, json};

    use super::{
        super::{
            Plaid,
            stub::{Signer, Stub, message, response},
        },
        *,
    };
    use crate::{clock::Clock, providers::Provider};

    /// As Plaid writes it: on several lines.
    const BODY: &str = "{\n  \"webhook_type\": \"ITEM\",\n  \"webhook_code\": \"ERROR\",\n  \"item_id\": \"i1\"\n}";

    const KID: &str = "bfbd5111-8e33-4643-8ced-b2e642a72f3c";

    struct World {
        stub: Stub,
        plaid: Plaid,
        clock: Clock,
        signer: Arc<Signer>,
    }

    impl World {
        /// A Plaid with one key, which ends at this moment.
        async fn with_key_until(expired_at: Option<i64>) -> Self {
            let signer = Arc::new(Signer::new());
            let theirs = signer.clone();
            let stub = Stub::answering(move |_, body: Value| {
                let key = theirs.key(&KID.into(), expired_at);
                async move {
                    if body["key_id"] == KID {
                        response(200, key.to_string())
                    } else {
                        response(
                            400,
                            r#"{"error_code":"INVALID_WEBHOOK_VERIFICATION_KEY_ID"}"#,
                        )
                    }
                }
            });
            let (stub, clock) = (stub.await, Clock::default());
            let plaid = stub.plaid(&clock);
            Self {
                stub,
                plaid,
                clock,
                signer,
            }
        }

        fn header() -> Value {
            json!({"alg": "ES256", "kid": KID, "typ": "JWT"})
        }

        fn claims(&self) -> Value {
            json!({"iat": self.clock.now().timestamp(), "request_body_sha256": sha256_hex(BODY.as_bytes())})
        }

        /// Signs with one field of the claims set to something else.
        fn claiming(&self, field: &str, value: Value) -> String {
            let mut claims = self.claims();
            claims[field] = value;
            self.signer.token(&Self::header(), &claims)
        }

        /// Signs with one field of the header set to something else.
        fn heading(&self, field: &str, value: Value) -> String {
            let mut header = Self::header();
            header[field] = value;
            self.signer.token(&header, &self.claims())
        }

        async fn deliver(&self, token: &str, body: &str) -> Result<Delivery, WebhookRefusal> {
            let mut headers = HeaderMap::new();
            headers.insert("Plaid-Verification", token.parse().unwrap());
            self.plaid.verify_webhook(&headers, body.as_bytes()).await
        }

        async fn refuses(&self, token: &str, body: &str, why: &'static str) {
            let refusal = self.deliver(token, body).await.unwrap_err();
            assert_eq!(refusal, WebhookRefusal::Forged(why), "{token}");
        }
    }

    #[tokio::test]
    async fn a_genuine_webhook_is_taken_and_a_replay_is_the_same_delivery() {
        let world = World::with_key_until(None).await;
        let token = world.signer.token(&World::header(), &world.claims());
        let first = world.deliver(&token, BODY).await.unwrap();
        let again = world.deliver(&token, BODY).await.unwrap();
        assert_eq!(first.code, "ITEM.ERROR");
        assert_eq!(first.delivery_key, again.delivery_key);
        assert_eq!(first.delivery_key, sha256_hex(token.as_bytes()));
        let shouted = sha256_hex(BODY.as_bytes()).to_uppercase();
        let other = world.claiming("request_body_sha256", shouted.into());
        let other = world.deliver(&other, BODY).await.unwrap();
        assert_ne!(first.delivery_key, other.delivery_key);
        assert_eq!(world.stub.calls().len(), 1);
    }

    #[tokio::test]
    async fn no_token_of_another_make_is_taken() {
        let world = World::with_key_until(None).await;
        let good = world.signer.token(&World::header(), &world.claims());
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let mut none = World::header();
        none["alg"] = "none".into();
        let mut hs256 = World::header();
        hs256["alg"] = "HS256".into();
        let hs256 = message(&hs256, &world.claims());
        let public = hmac::Key::new(hmac::HMAC_SHA256, world.signer.point());
        let mac = URL_SAFE_NO_PAD.encode(hmac::sign(&public, hs256.as_bytes()));
        for (token, why) in [
            ("", "no token"),
            ("...", "unreadable header"),
            ("a.b", "no token"),
            (signed, "no token"),
            (&format!("{good}.{signature}"), "unreadable claims"),
            (&format!("{signed}."), "bad signature"),
            (&format!("{signed}.{}", &signature[..80]), "bad signature"),
            (&format!("{signed}.{}", "A".repeat(86)), "bad signature"),
            (&"x".repeat(10_240), "no token"),
            (
                &format!("{}.", message(&none, &world.claims())),
                "not ES256",
            ),
            (&format!("{hs256}.{mac}"), "not ES256"),
            (&world.heading("alg", "RS256".into()), "not ES256"),
            (&world.heading("alg", "es256".into()), "not ES256"),
            (&world.heading("alg", Value::Null), "unreadable header"),
            (&world.heading("crit", json!(["b64"])), "not ES256"),
            (&world.heading("kid", 7.into()), "unreadable header"),
            (&world.heading("kid", Value::Null), "unreadable header"),
            (&world.heading("kid", "".into()), "no name of a key"),
            (
                &world.heading("kid", "x".repeat(65).into()),
                "no name of a key",
            ),
            (&world.heading("kid", "x".repeat(10_240).into()), "no token"),
            (
                &world.heading("kid", "../keys?a=b".into()),
                "no name of a key",
            ),
            (&world.heading("kid", "made-up".into()), "unknown key"),
            (
                &Signer::new().token(&World::header(), &world.claims()),
                "bad signature",
            ),
        ] {
            world.refuses(token, BODY, why).await;
        }
        assert_eq!(world.stub.calls().len(), 2, "the key, and the unknown key");
    }

    #[tokio::test]
    async fn the_token_must_be_there_once() {
        let world = World::with_key_until(None).await;
        let good: HeaderValue = world.claiming("x", 1.into()).parse().unwrap();
        let mut headers = HeaderMap::new();
        let refusal = world.plaid.verify_webhook(&headers, BODY.as_bytes()).await;
        assert_eq!(
            refusal.unwrap_err(),
            WebhookRefusal::Forged("not one token")
        );
        headers.append(HEADER, good.clone());
        assert!(
            world
                .plaid
                .verify_webhook(&headers, BODY.as_bytes())
                .await
                .is_ok()
        );
        headers.append(HEADER, good);
        let refusal = world.plaid.verify_webhook(&headers, BODY.as_bytes()).await;
        assert_eq!(
            refusal.unwrap_err(),
            WebhookRefusal::Forged("not one token")
        );
    }

    #[tokio::test]
    async fn the_body_must_be_the_one_that_was_signed() {
        let world = World::with_key_until(None).await;
        let token = world.signer.token(&World::header(), &world.claims());
        let again = serde_json::from_str::<Value>(BODY).unwrap().to_string();
        for body in ["", &format!("{BODY} "), &BODY.replace("i1", "i2"), &again] {
            world.refuses(&token, body, "another body").await;
        }
        for claim in [json!(""), json!("00"), json!("é"), json!(sha256_hex(b""))] {
            let token = world.claiming("request_body_sha256", claim);
            world.refuses(&token, BODY, "another body").await;
        }
        let token = world.claiming("request_body_sha256", 7.into());
        world.refuses(&token, BODY, "unreadable claims").await;
        assert_eq!(
            world.stub.calls().len(),
            0,
            "nothing of this is worth a fetch"
        );
    }

    #[tokio::test]
    async fn the_moment_must_be_an_integer_of_the_last_five_minutes() {
        let world = World::with_key_until(None).await;
        let now = world.clock.now().timestamp();
        for iat in [json!("7"), json!(null), json!(1.5), json!({}), json!(true)] {
            let token = world.claiming("iat", iat);
            world.refuses(&token, BODY, "unreadable claims").await;
        }
        for (iat, why) in [
            (now - 310, "too old"),
            (0, "too old"),
            (i64::MIN, "too old"),
            (now + 70, "from the future"),
            (i64::MAX, "from the future"),
        ] {
            let token = world.claiming("iat", iat.into());
            world.refuses(&token, BODY, why).await;
        }
        let token = world.claiming("iat", (now - 240).into());
        world.clock.advance(Duration::from_secs(50));
        assert!(world.deliver(&token, BODY).await.is_ok());
        world.clock.advance(Duration::from_secs(20));
        world.refuses(&token, BODY, "too old").await;
    }

    #[test]
    fn five_minutes_and_one_are_exact() {
        let signer = Signer::new();
        let claims = json!({"iat": 1_800_000_000, "request_body_sha256": sha256_hex(b"{}")});
        let token = signer.token(&json!({"alg": "ES256", "kid": "k"}), &claims);
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, token.parse().unwrap());
        let token = Token::read(&headers).unwrap();
        let at = |age: i64| {
            let now = DateTime::from_timestamp(1_800_000_000 + age, 999_999_999);
            token.fits(now.unwrap(), b"{}").is_ok()
        };
        assert_eq!(
            [-61, -60, 0, 300, 301].map(at),
            [false, true, true, true, false]
        );
    }

    #[tokio::test]
    async fn a_key_signs_nothing_after_its_end() {
        let end = Clock::default().now().timestamp() - 100;
        let world = World::with_key_until(Some(end)).await;
        let token = world.claiming("iat", (end + 1).into());
        world.refuses(&token, BODY, "expired key").await;
        let token = world.claiming("iat", end.into());
        assert!(world.deliver(&token, BODY).await.is_ok());
    }

    #[tokio::test]
    async fn a_genuine_webhook_of_no_shape_is_malformed_and_not_forged() {
        let world = World::with_key_until(None).await;
        for body in ["{} {}", "[]", "nonsense"] {
            let token = world.claiming("request_body_sha256", sha256_hex(body.as_bytes()).into());
            let refusal = world.deliver(&token, body).await.unwrap_err();
            assert!(matches!(refusal, WebhookRefusal::Malformed(_)), "{body}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn nothing_made_up_or_edited_is_taken(
            made_up in vec(any::<u8>(), 0..400),
            at in any::<Index>(),
            byte in any::<u8>(),
            body in vec(any::<u8>(), 0..200),
        ) {
            let signer = Signer::new();
            let key = SigningKey {
                key: Arc::new(DecodingKey::from_ec_der(signer.point())),
                expired_at: None,
            };
            let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
            let claims = json!({"iat": 1_800_000_000, "request_body_sha256": sha256_hex(&body)});
            let genuine = signer.token(&World::header(), &claims).into_bytes();
            let takes = |token: &[u8], body: &[u8]| {
                let mut headers = HeaderMap::new();
                if let Ok(token) = HeaderValue::from_bytes(token) {
                    headers.insert(HEADER, token);
                }
                Token::read(&headers).is_ok_and(|token| {
                    token.fits(now, body).is_ok() && token.is_signed_by(&key).is_ok()
                })
            };
            assert!(takes(&genuine, &body));
            assert!(!takes(&made_up, &body));
            let mut edited = genuine.clone();
            edited[at.index(genuine.len())] = byte;
            assert!(edited == genuine || !takes(&edited, &body), "{}", edited.escape_ascii());
            let mut other = body.clone();
            other.push(byte);
            assert!(!takes(&genuine, &other));
            // Whatever is signed is read or malformed.
            let _ = notice::read(String::new(), &made_up);
        }
    }
}
