//! The messages of `graphql-transport-ws`.

use async_graphql::{Response, ServerError};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::transport::params::Params;

/// What a client says.
#[derive(Debug)]
pub(super) enum Heard {
    Init(Map<String, Json>),
    Ping(Option<Json>),
    Pong,
    Subscribe(String, Params),
    Complete(String),
}

/// What the server says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Json>,
    },
    Next {
        id: &'a str,
        payload: &'a Response,
    },
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
}

impl Said<'_> {
    /// The text of the message.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| {
            tracing::error!(%error, "a message could not be written");
            String::new()
        })
    }
}

/// Reads a message, or says why it is none.
pub(super) fn read(text: &str) -> Result<Heard, String> {
    let Ok(Json::Object(mut fields)) = serde_json::from_str(text) else {
        return Err("A message must be a JSON object".to_owned());
    };
    let Some(Json::String(kind)) = fields.remove("type") else {
        return Err("A message must have a type".to_owned());
    };
    let payload = fields
        .remove("payload")
        .filter(|payload| !payload.is_null());
    let id = fields.remove("id");
    match (kind.as_str(), payload) {
        ("subscribe", Some(Json::Object(payload))) => Params::from_fields(payload)
            .map_err(|_| "The payload of subscribe is not a request".to_owned())
            .and_then(|params| Ok(Heard::Subscribe(name(id)?, params))),
        ("subscribe", _) => Err("Subscribe must have a payload".to_owned()),
        ("complete", _) => name(id).map(Heard::Complete),
        (_, Some(payload)) if !payload.is_object() => Err("A payload must be an object".to_owned()),
        ("connection_init", Some(Json::Object(payload))) => Ok(Heard::Init(payload)),
        ("connection_init", _) => Ok(Heard::Init(Map::new())),
        ("ping", payload) => Ok(Heard::Ping(payload)),
        ("pong", _) => Ok(Heard::Pong),
        (other, _) => Err(format!("There is no message of type {other}")),
    }
}

fn name(id: Option<Json>) -> Result<String, String> {
    match id {
        Some(Json::String(id)) if !id.is_empty() => Ok(id),
        _ => Err("A message must have an id".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::proptest;

    use super::*;
    use crate::transport::properties::cases;

    proptest! {
        #![proptest_config(cases())]

        #[test]
        fn whatever_is_said_is_understood_or_told_shortly(
            text in ".{0,200}",
            kind in "[a-z_]{0,20}",
            payload in ".{0,80}",
        ) {
            let sentence = serde_json::json!({"type": kind, "id": payload, "payload": payload});
            for said in [text, sentence.to_string()] {
                if let Err(why) = read(&said) {
                    assert!(!why.is_empty() && why.len() < 100, "{why}");
                }
            }
        }
    }
}
