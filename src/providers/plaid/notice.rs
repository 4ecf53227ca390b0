//! What a webhook means. Every code that Plaid lists has an effect here; what it will list tomorrow is
//! taken and ignored, for Plaid stops sending to those who refuse too much.
//! <https://plaid.com/docs/api/webhooks/>
//! A notice says where to look, not what is true: webhooks come twice, late and out of order.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient::{Text, moment, object};
use crate::providers::{Delivery, Notice, Subject, WebhookRefusal};

/// Longest type or code that is repeated in the log.
const WORD_MAX: usize = 64;

/// The fields of all webhooks that mean something here. None is required: the published list of
/// required fields is longer than what is sent.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    webhook_type: Text,
    #[serde(default)]
    webhook_code: Text,
    #[serde(default)]
    item_id: Text,
    #[serde(default)]
    account_id: Text,
    #[serde(default)]
    link_token: Text,
    #[serde(default)]
    status: Text,
    #[serde(default)]
    public_token: Text,
    #[serde(default, borrow)]
    public_tokens: Option<&'a RawValue>,
    #[serde(default)]
    consent_expiration_time: Text,
    #[serde(default)]
    disconnect_time: Text,
}

/// Reads the body of a webhook that is genuine.
pub(super) fn read(delivery_key: String, body: &[u8]) -> Result<Delivery, WebhookRefusal> {
    let text = std::str::from_utf8(body).map_err(|_| WebhookRefusal::Malformed("not UTF-8"))?;
    let body: Body<'_> = object(text).ok_or(WebhookRefusal::Malformed("not one JSON object"))?;
    let (kind, code) = (word(&body.webhook_type), word(&body.webhook_code));
    let subject = subject(&kind, &body);
    let notice = match subject {
        Subject::Nothing => Notice::Ignore,
        _ => notice(&kind, &code, body),
    };
    Ok(Delivery {
        delivery_key,
        code: format!("{kind}.{code}"),
        subject,
        provider_user_id: None,
        notice,
    })
}

fn subject(kind: &str, body: &Body<'_>) -> Subject {
    let (item, link) = (body.item_id.0.clone(), body.link_token.0.clone());
    match (kind, item, link) {
        ("LINK", _, Some(token)) => Subject::Link(token.into()),
        ("LINK", _, None) | (_, None, _) => Subject::Nothing,
        (_, Some(id), _) => Subject::Item(id),
    }
}

fn notice(kind: &str, code: &str, body: Body<'_>) -> Notice {
    match (kind, code) {
        // The legacy codes are sent beside SYNC_UPDATES_AVAILABLE; looking once too often costs one
        // page. An item's faults are read from the item, whatever the webhook says of them.
        (
            "TRANSACTIONS",
            "SYNC_UPDATES_AVAILABLE"
            | "INITIAL_UPDATE"
            | "HISTORICAL_UPDATE"
            | "DEFAULT_UPDATE"
            | "TRANSACTIONS_REMOVED",
        )
        | ("ITEM", "ERROR" | "USER_PERMISSION_REVOKED") => Notice::Look,
        ("ITEM", "LOGIN_REPAIRED") => Notice::Repaired,
        ("ITEM", "PENDING_EXPIRATION") => {
            Notice::ConsentExpires(moment(body.consent_expiration_time.as_str()))
        }
        ("ITEM", "PENDING_DISCONNECT") => {
            Notice::ConsentExpires(moment(body.disconnect_time.as_str()))
        }
        ("ITEM", "NEW_ACCOUNTS_AVAILABLE") => Notice::NewAccounts,
        ("ITEM", "USER_ACCOUNT_REVOKED") => body
            .account_id
            .0
            .map_or(Notice::Look, Notice::AccountRevoked),
        ("LINK", "SESSION_FINISHED" | "ITEM_ADD_RESULT") => {
            let left = body.status.as_str() == "EXITED";
            let tokens = public_tokens(body);
            // Who leaves has linked nothing and repaired nothing, unless there is a token.
            if left && tokens.is_empty() {
                Notice::Ignore
            } else {
                Notice::SessionFinished(tokens)
            }
        }
        // Nothing of ours: products we do not use, Link's own events, WEBHOOK_UPDATE_ACKNOWLEDGED,
        // institution alerts, and whatever comes tomorrow.
        _ => Notice::Ignore,
    }
}

/// The tokens of a session, each once: the single field is the old form of the list.
fn public_tokens(body: Body<'_>) -> Vec<SecretString> {
    let list = body
        .public_tokens
        .and_then(|list| serde_json::from_str(list.get()).ok());
    let listed: Vec<Text> = list.unwrap_or_default();
    let mut tokens: Vec<String> = Vec::new();
    for token in listed.into_iter().chain([body.public_token]) {
        tokens.extend(token.0.filter(|token| !tokens.contains(token)));
    }
    tokens.into_iter().map(SecretString::from).collect()
}

/// A type or code that is safe to repeat.
fn word(text: &Text) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let word: String = text.as_str().chars().filter(plain).take(WORD_MAX).collect();
    if word.is_empty() {
        "UNKNOWN".to_owned()
    } else {
        word
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// Subject and notice in a word each.
    fn told(json: &str) -> String {
        let delivery = read("key".to_owned(), json.as_bytes()).unwrap();
        let subject = match delivery.subject {
            Subject::Item(id) => id,
            Subject::Link(token) => token.expose_secret().to_owned(),
            Subject::Nothing => "-".to_owned(),
        };
        let notice = match delivery.notice {
            Notice::SessionFinished(tokens) => {
                let tokens: Vec<&str> = tokens.iter().map(ExposeSecret::expose_secret).collect();
                format!("finished {}", tokens.join(","))
            }
            Notice::ConsentExpires(Some(by)) => format!("expires {}", by.date_naive()),
            notice => format!("{notice:?}"),
        };
        format!("{} {subject}: {notice}", delivery.code)
    }

    fn item(kind: &str, code: &str, more: &str) -> String {
        told(&format!(
            r#"{{"webhook_type":"{kind}","webhook_code":"{code}","item_id":"i1","environment":"sandbox",{more}}}"#
        ))
    }

    /// Type and code, what is sent beside the item's id, and what it means.
    const TABLE: &str = r#"
        TRANSACTIONS SYNC_UPDATES_AVAILABLE | "initial_update_complete":true | Look
        TRANSACTIONS INITIAL_UPDATE | "error":"text","new_transactions":19 | Look
        TRANSACTIONS HISTORICAL_UPDATE | "error":null | Look
        TRANSACTIONS DEFAULT_UPDATE | - | Look
        TRANSACTIONS TRANSACTIONS_REMOVED | "removed_transactions":["a"] | Look
        TRANSACTIONS RECURRING_TRANSACTIONS_UPDATE | "account_ids":["a"] | Ignore
        ITEM ERROR | "error":{"error_code":"ITEM_LOGIN_REQUIRED","status":400} | Look
        ITEM ERROR | - | Look
        ITEM LOGIN_REPAIRED | - | Repaired
        ITEM PENDING_EXPIRATION | "consent_expiration_time":"2026-01-15T13:25:17.766Z" | expires 2026-01-15
        ITEM PENDING_EXPIRATION | "consent_expiration_time":7 | ConsentExpires(None)
        ITEM PENDING_DISCONNECT | "reason":"OF_TOMORROW","disconnect_time":"2026-01-16T00:00:00Z" | expires 2026-01-16
        ITEM PENDING_DISCONNECT | - | ConsentExpires(None)
        ITEM NEW_ACCOUNTS_AVAILABLE | - | NewAccounts
        ITEM USER_PERMISSION_REVOKED | - | Look
        ITEM USER_ACCOUNT_REVOKED | "account_id":"a1" | AccountRevoked("a1")
        ITEM USER_ACCOUNT_REVOKED | - | Look
        ITEM WEBHOOK_UPDATE_ACKNOWLEDGED | "new_webhook_url":"https://x" | Ignore
        ITEM OF_TOMORROW | - | Ignore
        HOLDINGS DEFAULT_UPDATE | "new_holdings":1 | Ignore
        INVESTMENTS_TRANSACTIONS DEFAULT_UPDATE | - | Ignore
        INVESTMENTS_TRANSACTIONS HISTORICAL_UPDATE | - | Ignore
        LIABILITIES DEFAULT_UPDATE | - | Ignore
        DASHBOARD_CONFIGURED_ALERT INSTITUTION_STATUS_ALERT_TRIGGERED | - | Ignore
        OF_TOMORROW X | - | Ignore"#;

    #[test]
    fn every_code_about_an_item_has_its_effect() {
        for line in TABLE.lines().filter(|line| !line.trim().is_empty()) {
            let [words, more, effect] = line.split(" | ").collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let (kind, code) = words.trim().split_once(' ').unwrap();
            let more = if more == "-" { r#""error":null"# } else { more };
            let expected = format!("{kind}.{code} i1: {effect}");
            assert_eq!(item(kind, code, more), expected);
        }
    }

    #[test]
    fn a_session_tells_each_public_token_once() {
        let link = |code: &str, more: &str| {
            told(&format!(
                r#"{{"webhook_type":"LINK","webhook_code":"{code}","link_token":"l1","item_id":"i1"{more}}}"#
            ))
        };
        for (code, more, effect) in [
            (
                "SESSION_FINISHED",
                r#","public_tokens":["p1","p2"],"public_token":"p1""#,
                "finished p1,p2",
            ),
            ("SESSION_FINISHED", r#","status":"EXITED""#, "Ignore"),
            (
                "SESSION_FINISHED",
                r#","public_tokens":null,"public_token":"p3""#,
                "finished p3",
            ),
            (
                "SESSION_FINISHED",
                r#","public_tokens":[7,null,"","p4"]"#,
                "finished p4",
            ),
            ("ITEM_ADD_RESULT", r#","public_token":"p5""#, "finished p5"),
            ("EVENTS", r#","events":[{}]"#, "Ignore"),
            ("OF_TOMORROW", "", "Ignore"),
        ] {
            assert_eq!(link(code, more), format!("LINK.{code} l1: {effect}"));
        }
    }

    #[test]
    fn what_names_nothing_is_ignored() {
        assert_eq!(told("{}"), "UNKNOWN.UNKNOWN -: Ignore");
        assert_eq!(
            told(r#"{"webhook_type":7,"webhook_code":null}"#),
            "UNKNOWN.UNKNOWN -: Ignore"
        );
        let orphan = r#"{"webhook_type":"ITEM","webhook_code":"ERROR","item_id":null}"#;
        assert_eq!(told(orphan), "ITEM.ERROR -: Ignore");
        let orphan = r#"{"webhook_type":"LINK","webhook_code":"SESSION_FINISHED","item_id":"i1"}"#;
        assert_eq!(told(orphan), "LINK.SESSION_FINISHED -: Ignore");
        let forger = format!(r#"{{"webhook_type":"A\nB \u0000C{}"}}"#, "D".repeat(100));
        assert_eq!(
            told(&forger),
            format!("ABC{}.UNKNOWN -: Ignore", "D".repeat(61))
        );
    }

    #[test]
    fn one_object_and_no_more() {
        for body in [
            "",
            "null",
            "7",
            "[]",
            "[{}]",
            "{} {}",
            "{}x",
            "{",
            "\u{feff}{}",
            r#"{"item_id":"a","item_id":"b"}"#,
        ] {
            let refusal = read(String::new(), body.as_bytes()).unwrap_err();
            assert_eq!(
                refusal,
                WebhookRefusal::Malformed("not one JSON object"),
                "{body}"
            );
        }
        let refusal = read(String::new(), b"{\"a\":\"\xff\"}").unwrap_err();
        assert_eq!(refusal, WebhookRefusal::Malformed("not UTF-8"));
        assert!(read(String::new(), b"\n{\n  \"a\": 1\n}\n").is_ok());
    }
}
