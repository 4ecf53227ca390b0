//! Webhooks of MX's. They have no signature: whoever knows the name and the password of our address is
//! MX. None says what is true, only where to look. What nobody can read is kept all the same, since MX would
//! send it twelve times more.
//! <https://docs.mx.com/resources/webhooks/>
//!
//! A body is all that tells two deliveries apart, and some bodies are the same whenever the same thing
//! happens (`CHALLENGED`, today and tomorrow). So a repeat within ten minutes is taken for one, and a
//! later one looks again, which costs one call. Refused: remembering a body for a month, as for signed
//! deliveries, which would make the second challenge of a week unheard.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    providers::{
        Delivery, Notice, Subject, WebhookRefusal,
        lenient::{Text, object},
    },
    seal::sha256_hex,
};

/// Longest type or action that is repeated in the log.
const WORD_MAX: usize = 64;

/// How long the same body is the same delivery, in seconds.
const REPEAT: i64 = 600;

/// What MX says to prove that it is MX.
pub struct WebhookLogin {
    /// The name.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

impl std::fmt::Debug for WebhookLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookLogin({})", self.user)
    }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    action: Text,
    #[serde(default)]
    guid: Text,
    #[serde(default)]
    member_guid: Text,
    #[serde(default)]
    user_guid: Text,
    #[serde(default, borrow)]
    member: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Inner {
    #[serde(default)]
    guid: Text,
    #[serde(default)]
    user_guid: Text,
}

/// Checks who sends, and reads what.
pub(super) fn verify(
    login: Option<&WebhookLogin>,
    now: DateTime<Utc>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Delivery, WebhookRefusal> {
    // Without a password of our own nobody can prove anything; MX tries for a day.
    let login = login.ok_or(WebhookRefusal::Unverifiable)?;
    let sent = headers.get(AUTHORIZATION);
    let sent = sent.ok_or(WebhookRefusal::Forged("no credentials"))?;
    if !login.fits(sent.as_bytes()) {
        return Err(WebhookRefusal::Forged("wrong credentials"));
    }
    let round = now.timestamp() / REPEAT;
    let key = sha256_hex(format!("mx {round} {}", sha256_hex(body)).as_bytes());
    Ok(read(key, body))
}

impl WebhookLogin {
    /// Hashes are compared, so that not even the length of what is wrong shows in the time.
    fn fits(&self, sent: &[u8]) -> bool {
        let pair = format!("{}:{}", self.user, self.password.expose_secret());
        let wanted = STANDARD.encode(pair);
        let sent = std::str::from_utf8(sent).unwrap_or_default();
        let (scheme, sent) = sent.split_once(' ').unwrap_or_default();
        let (wanted, sent) = (
            sha256_hex(wanted.as_bytes()),
            sha256_hex(sent.trim().as_bytes()),
        );
        scheme.eq_ignore_ascii_case("basic")
            && verify_slices_are_equal(wanted.as_bytes(), sent.as_bytes()).is_ok()
    }
}

/// Reads a body that is MX's. One that is no JSON object says nothing.
pub(super) fn read(delivery_key: String, body: &[u8]) -> Delivery {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let Some(body) = object::<Body<'_>>(text) else {
        return Delivery {
            delivery_key,
            code: "UNREADABLE.".to_owned(),
            subject: Subject::Nothing,
            provider_user_id: None,
            notice: Notice::Ignore,
        };
    };
    let inner: Inner = body
        .member
        .and_then(|json| object(json.get()))
        .unwrap_or_default();
    let kind = word(&body.kind);
    let own = (kind == "MEMBER").then_some(body.guid.0).flatten();
    let member = body.member_guid.0.or(inner.guid.0).or(own);
    let subject = match (kind.as_str(), member) {
        // Not about money we keep.
        ("STATEMENT", _) | (_, None) => Subject::Nothing,
        (_, Some(guid)) => Subject::Item(guid),
    };
    Delivery {
        delivery_key,
        code: format!("{kind}.{}", word(&body.action)),
        notice: match subject {
            Subject::Nothing => Notice::Ignore,
            _ => Notice::Look,
        },
        subject,
        provider_user_id: body.user_guid.0.or(inner.user_guid.0),
    }
}

fn word(text: &Text) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let kept = text.as_str().chars().filter(plain).take(WORD_MAX);
    kept.collect::<String>().to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> WebhookLogin {
        WebhookLogin {
            user: "mx".to_owned(),
            password: "p:w".into(),
        }
    }

    fn headers(value: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(value) = value {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_who_knows_name_and_password_is_mx() {
        let now = DateTime::UNIX_EPOCH;
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        let good = basic("mx:p:w");
        let ask = |login: Option<&WebhookLogin>, value: Option<&str>| {
            verify(login, now, &headers(value), b"{}").map(|_| ())
        };
        assert_eq!(ask(Some(&login()), Some(&good)), Ok(()));
        assert_eq!(
            ask(Some(&login()), Some(&good.replace("Basic", "basic"))),
            Ok(())
        );
        assert_eq!(ask(None, Some(&good)), Err(WebhookRefusal::Unverifiable));
        for bad in [
            basic("mx:p:W"),
            basic("MX:p:w"),
            basic(""),
            good.replace("Basic", "Bearer"),
            String::new(),
        ] {
            let refused = ask(Some(&login()), Some(&bad));
            assert!(matches!(refused, Err(WebhookRefusal::Forged(_))), "{bad}");
        }
        assert!(matches!(
            ask(Some(&login()), None),
            Err(WebhookRefusal::Forged(_))
        ));
    }

    #[test]
    fn a_repeat_is_one_delivery_for_ten_minutes() {
        let at = |seconds, body: &[u8]| {
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let basic = format!("Basic {}", STANDARD.encode("mx:p:w"));
            verify(Some(&login()), now, &headers(Some(&basic)), body)
                .unwrap()
                .delivery_key
        };
        assert_eq!(at(1_200, b"{}"), at(1_799, b"{}"));
        assert_ne!(at(1_200, b"{}"), at(1_800, b"{}"));
        assert_ne!(at(1_200, b"{}"), at(1_200, b"{ }"));
    }

    #[test]
    fn every_type_says_where_to_look() {
        for (body, code, item) in [
            (
                r#"{"type":"CONNECTION_STATUS","action":"CHANGED","member_guid":"MBR-1","user_guid":"USR-1"}"#,
                "CONNECTION_STATUS.CHANGED",
                true,
            ),
            (
                r#"{"type":"AGGREGATION","action":"member_data_updated","member_guid":"MBR-1","user_guid":"USR-1"}"#,
                "AGGREGATION.MEMBER_DATA_UPDATED",
                true,
            ),
            (
                r#"{"type":"MEMBER","action":"created","guid":"MBR-1","user_guid":"USR-1"}"#,
                "MEMBER.CREATED",
                true,
            ),
            (
                r#"{"type":"member","action":"deleted","member":{"guid":"MBR-1","user_guid":"USR-1"}}"#,
                "MEMBER.DELETED",
                true,
            ),
            (
                r#"{"type":"STATEMENT","action":"x","member_guid":"MBR-1","user_guid":"USR-1"}"#,
                "STATEMENT.X",
                false,
            ),
            (
                r#"{"type":"NEW_THING","user_guid":"USR-1"}"#,
                "NEW_THING.",
                false,
            ),
        ] {
            let read = read(String::new(), body.as_bytes());
            assert_eq!(read.code, code);
            assert_eq!(
                matches!(&read.subject, Subject::Item(id) if id == "MBR-1"),
                item,
                "{body}"
            );
            assert_eq!(matches!(read.notice, Notice::Look), item, "{body}");
            assert_eq!(read.provider_user_id.as_deref(), Some("USR-1"));
        }
        for bad in [&b"[]"[..], b"", b"\xff", b"{\"type\":"] {
            let read = read(String::new(), bad);
            assert!(matches!(read.subject, Subject::Nothing));
            assert!(matches!(read.notice, Notice::Ignore));
        }
    }
}
