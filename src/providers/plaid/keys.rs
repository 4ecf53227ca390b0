//! The keys that sign webhooks, by name. A key is asked for once and then kept for a day; a name that
//! Plaid does not know is remembered for a minute; a key endpoint that is down makes nothing forged.
//! Everybody who waits for one key shares one flight, and no lock is held while it is under way.
//! Refused: one cached key for all names (breaks on rotation), and a fetch per webhook.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize};

use super::{
    allowance::Allowance,
    client::{Client, Endpoint},
};
use crate::{clock::Clock, error::ProviderError, providers::WebhookRefusal};

/// Short, for Plaid waits 10 s for the answer to its webhook.
/// <https://plaid.com/docs/api/webhooks/webhook-verification/#get-webhook-verification-key>
const KEY_GET: Endpoint = Endpoint::within("/webhook_verification_key/get", 8);

/// After this a key is asked for again, for it may have expired.
const FRESH: TimeDelta = TimeDelta::hours(24);

/// A key that cannot be asked for again is still believed for so long after Plaid last told it.
const BELIEVED: TimeDelta = TimeDelta::hours(48);

/// How long a key that is believed rests before it is asked for again, and a name that Plaid does not
/// know before it may be asked for anew.
const REST: TimeDelta = TimeDelta::minutes(1);

/// How long a failed fetch answers for its name, so that a crowd does not ask one after the other.
const FAILURE: TimeDelta = TimeDelta::seconds(10);

/// A key and the moment it ends.
#[derive(Clone)]
pub(super) struct SigningKey {
    /// What signatures are checked with.
    pub(super) key: Arc<DecodingKey>,
    /// Nothing signed later is genuine; seconds since 1970.
    pub(super) expired_at: Option<i64>,
}

type Answer = Result<SigningKey, WebhookRefusal>;
type Flight = Shared<BoxFuture<'static, Answer>>;

/// The keys of one environment.
pub(super) struct Keys {
    client: Arc<Client>,
    clock: Clock,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    entries: HashMap<String, Entry>,
    flights: HashMap<String, Flight>,
    allowance: Allowance,
}

struct Entry {
    answer: Answer,
    /// When Plaid last said so.
    told_at: DateTime<Utc>,
    /// Until then nobody asks again.
    until: DateTime<Utc>,
}

impl Keys {
    /// No keys yet.
    pub(super) fn new(client: Arc<Client>, clock: Clock) -> Self {
        Self {
            client,
            clock,
            book: Arc::default(),
        }
    }

    /// The key of that name: as remembered, or as Plaid says.
    pub(super) async fn find(&self, kid: &str) -> Answer {
        let flight = {
            let now = self.clock.now();
            let mut book = lock(&self.book);
            if let Some(answer) = book.remembered(kid, now) {
                return answer;
            }
            if let Some(flight) = book.flights.get(kid) {
                flight.clone()
            } else if book.may_ask(kid, now) {
                let flight = self.depart(kid);
                book.flights.insert(kid.to_owned(), flight.clone());
                flight
            } else {
                return Err(WebhookRefusal::Unverifiable);
            }
        };
        flight.await
    }

    /// Asks Plaid, in a task of its own: whoever hangs up meanwhile does not end it for the others.
    fn depart(&self, kid: &str) -> Flight {
        let (client, clock) = (self.client.clone(), self.clock.clone());
        let (book, kid) = (self.book.clone(), kid.to_owned());
        let flight = async move {
            let answer = fetch(&client, &kid).await;
            lock(&book).settle(&kid, answer, clock.now())
        };
        let flight = flight.boxed().shared();
        tokio::spawn(flight.clone());
        flight
    }
}

/// A lock that was held in a panic is taken all the same: every change to the book is whole.
fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Book {
    fn remembered(&self, kid: &str, now: DateTime<Utc>) -> Option<Answer> {
        let entry = self.entries.get(kid).filter(|entry| now < entry.until)?;
        Some(entry.answer.clone())
    }

    /// A key that we hold may always be asked for again; only strangers can make names up.
    fn may_ask(&mut self, kid: &str, now: DateTime<Utc>) -> bool {
        let held = self.entries.get(kid).is_some_and(|e| e.answer.is_ok());
        held || self.allowance.take(kid, now)
    }

    /// Takes down what came of a flight, and says what holds now.
    fn settle(&mut self, kid: &str, answer: Answer, now: DateTime<Utc>) -> Answer {
        self.flights.remove(kid);
        self.entries
            .retain(|_, entry| entry.answer.is_ok() || now < entry.until);
        let entry = match answer {
            Ok(key) => Entry::new(Ok(key), now, FRESH),
            Err(WebhookRefusal::Unverifiable) => self.without_word(kid, now),
            Err(refusal) => Entry::new(Err(refusal), now, REST),
        };
        let answer = entry.answer.clone();
        self.entries.insert(kid.to_owned(), entry);
        answer
    }

    /// What holds when Plaid could not be asked.
    fn without_word(&mut self, kid: &str, now: DateTime<Utc>) -> Entry {
        match self.entries.remove(kid) {
            Some(old) if old.answer.is_ok() && now - old.told_at < BELIEVED => Entry {
                until: now + REST,
                ..old
            },
            _ => {
                self.allowance.note(kid, now);
                Entry::new(Err(WebhookRefusal::Unverifiable), now, FAILURE)
            }
        }
    }
}

impl Entry {
    fn new(answer: Answer, now: DateTime<Utc>, holds: TimeDelta) -> Self {
        Self {
            answer,
            told_at: now,
            until: now + holds,
        }
    }
}

/// `/webhook_verification_key/get`.
#[derive(Serialize)]
struct KeyGet<'a> {
    key_id: &'a str,
}

#[derive(Deserialize)]
struct KeyGot {
    key: JsonWebKey,
}

#[derive(Deserialize)]
struct JsonWebKey {
    kid: String,
    kty: String,
    crv: String,
    alg: String,
    x: String,
    y: String,
    #[serde(default)]
    expired_at: Option<i64>,
}

async fn fetch(client: &Client, kid: &str) -> Answer {
    match ask(client, kid).await {
        Ok(key) => key.signing_key(kid).ok_or_else(|| {
            tracing::warn!(kid, "Plaid's webhook key is no ES256 key of that name");
            WebhookRefusal::Unverifiable
        }),
        // The name is all we send: if Plaid refuses the field, it is no name of Plaid's.
        Err(error) if is_unknown(&error) => Err(WebhookRefusal::Forged("unknown key")),
        Err(error) => {
            tracing::warn!(kid, %error, "Plaid's webhook key cannot be fetched");
            Err(WebhookRefusal::Unverifiable)
        }
    }
}

async fn ask(client: &Client, kid: &str) -> Result<JsonWebKey, ProviderError> {
    let answer = client.post(KEY_GET, &KeyGet { key_id: kid }).await?;
    Ok(answer.read::<KeyGot>()?.key)
}

fn is_unknown(error: &ProviderError) -> bool {
    let codes = ["INVALID_WEBHOOK_VERIFICATION_KEY_ID", "INVALID_FIELD"];
    codes.contains(&error.code.as_str())
}

impl JsonWebKey {
    /// The key, if it is of the one kind that may sign webhooks and has the name that was asked for.
    fn signing_key(&self, kid: &str) -> Option<SigningKey> {
        let right =
            self.kid == kid && self.kty == "EC" && self.crv == "P-256" && self.alg == "ES256";
        let coordinate = |text: &str| URL_SAFE_NO_PAD.decode(text).ok().filter(|c| c.len() == 32);
        // An uncompressed point: 4, x, y.
        let point = [vec![4], coordinate(&self.x)?, coordinate(&self.y)?].concat();
        right.then(|| SigningKey {
            key: Arc::new(DecodingKey::from_ec_der(&point)),
            expired_at: self.expired_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        time::Duration,
    };

    use futures_util::future::join_all;
    use serde_json::Value;

    use super::{
        super::{
            Plaid,
            stub::{Signer, Stub, response},
        },
        *,
    };

    const UNKNOWN: &str = r#"{"error_type":"INVALID_INPUT","error_code":"INVALID_WEBHOOK_VERIFICATION_KEY_ID",
                              "error_message":"no such key","display_message":null,"request_id":"r2"}"#;

    /// Knows every key whose name begins with `good`, slowly the one that is called `good-slow`; says
    /// 500 while it is down.
    async fn plaid(clock: &Clock) -> (Stub, Plaid, Arc<AtomicBool>) {
        let down = Arc::new(AtomicBool::new(false));
        let (signer, is_down) = (Arc::new(Signer::new()), down.clone());
        let stub = Stub::answering(move |_, body: Value| {
            let (signer, is_down) = (signer.clone(), is_down.clone());
            async move {
                let kid = body["key_id"].as_str().unwrap();
                if kid == "good-slow" {
                    tokio::time::sleep(Duration::from_secs(3)).await;
                }
                match kid {
                    _ if is_down.load(Ordering::Relaxed) => response(500, "<html>"),
                    "good-other" => response(200, signer.key(&"good".into(), None).to_string()),
                    _ if kid.starts_with("good") => {
                        response(200, signer.key(&kid.into(), None).to_string())
                    }
                    _ => response(400, UNKNOWN),
                }
            }
        });
        let stub = stub.await;
        let plaid = stub.plaid(clock);
        (stub, plaid, down)
    }

    const HOUR: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_crowd_shares_one_flight_and_stalls_nobody_else() {
        let (stub, plaid, _) = plaid(&Clock::default()).await;
        let crowd = join_all((0..50).map(|_| plaid.keys.find("good")));
        assert!(crowd.await.iter().all(Result::is_ok));
        assert_eq!(stub.calls().len(), 1);
        tokio::select! {
            biased;
            _ = plaid.keys.find("good-slow") => panic!("the slow key came first"),
            found = async { tokio::task::yield_now().await; plaid.keys.find("good-2").await } => assert!(found.is_ok()),
        }
    }

    #[tokio::test]
    async fn an_unknown_name_is_asked_for_once_a_minute() {
        let clock = Clock::default();
        let (stub, plaid, _) = plaid(&clock).await;
        for _ in 0..3 {
            let refusal = plaid.keys.find("made-up").await.err();
            assert_eq!(refusal, Some(WebhookRefusal::Forged("unknown key")));
        }
        assert_eq!(stub.calls().len(), 1);
        clock.advance(Duration::from_secs(61));
        assert!(plaid.keys.find("made-up").await.is_err());
        assert_eq!(stub.calls().len(), 2);
    }

    #[tokio::test]
    async fn a_flood_of_names_neither_floods_plaid_nor_shuts_out_a_new_key() {
        let clock = Clock::default();
        let (stub, plaid, _) = plaid(&clock).await;
        assert!(plaid.keys.find("good").await.is_ok());
        for n in 0..1_000 {
            assert!(plaid.keys.find(&format!("made-up-{n}")).await.is_err());
        }
        assert_eq!(stub.calls().len(), 6);
        assert!(plaid.keys.find("good").await.is_ok());
        let refusal = plaid.keys.find("good-rotated").await.err();
        assert_eq!(refusal, Some(WebhookRefusal::Unverifiable));
        clock.advance(Duration::from_secs(30));
        assert!(plaid.keys.find("good-rotated").await.is_ok());
    }

    #[tokio::test]
    async fn what_cannot_be_asked_is_not_forged() {
        let clock = Clock::default();
        let (stub, plaid, down) = plaid(&clock).await;
        down.store(true, Ordering::Relaxed);
        for _ in 0..3 {
            let refusal = plaid.keys.find("good").await.err();
            assert_eq!(refusal, Some(WebhookRefusal::Unverifiable));
        }
        assert_eq!(stub.calls().len(), 1);
        down.store(false, Ordering::Relaxed);
        clock.advance(Duration::from_secs(11));
        assert!(plaid.keys.find("good").await.is_ok());
        let other = plaid.keys.find("good-other").await.err();
        assert_eq!(other, Some(WebhookRefusal::Unverifiable));
    }

    #[tokio::test]
    async fn a_key_is_asked_for_daily_and_believed_for_two() {
        let clock = Clock::default();
        let (stub, plaid, down) = plaid(&clock).await;
        assert!(plaid.keys.find("good").await.is_ok());
        clock.advance(23 * HOUR);
        assert!(plaid.keys.find("good").await.is_ok());
        assert_eq!(stub.calls().len(), 1);
        clock.advance(2 * HOUR);
        assert!(plaid.keys.find("good").await.is_ok());
        assert_eq!(stub.calls().len(), 2);
        down.store(true, Ordering::Relaxed);
        clock.advance(25 * HOUR);
        assert!(plaid.keys.find("good").await.is_ok());
        assert_eq!(stub.calls().len(), 3);
        clock.advance(24 * HOUR);
        assert!(plaid.keys.find("good").await.is_err());
    }

    #[test]
    fn only_a_p256_key_of_that_name_will_do() {
        let signer = Signer::new();
        let read = |field: &str, value: Value| {
            let mut got = signer.key(&"good".into(), Some(7));
            if !field.is_empty() {
                got["key"][field] = value;
            }
            let key: JsonWebKey = serde_json::from_value(got["key"].clone()).unwrap();
            key.signing_key("good")
        };
        assert_eq!(
            read("", Value::Null).and_then(|key| key.expired_at),
            Some(7)
        );
        for (field, value) in [
            ("kid", "Good"),
            ("kty", "RSA"),
            ("crv", "P-384"),
            ("alg", "HS256"),
            ("x", "AAAA"),
            ("y", "not base64!"),
        ] {
            assert!(read(field, value.into()).is_none(), "{field}");
        }
    }
}
