//! What a webhook says.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::plaid::error::PlaidError;
use crate::settings::MxWebhooks;
use crate::world::item::{Item, Stage};

/// How a webhook proves where it comes from.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    /// Plaid's signature over the body.
    Plaid,
    /// MX's user name and password, and what the call that caused it wanted given back.
    Mx {
        target: Arc<MxWebhooks>,
        callback: Option<String>,
    },
}

/// A webhook about to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) url: String,
    pub(crate) item_id: Option<String>,
    pub(crate) kind: &'static str,
    pub(crate) code: String,
    pub(crate) body: Value,
    pub(crate) proof: Proof,
}

impl Notice {
    /// About an item, to the item's own address; nothing if it has none.
    pub(crate) fn item(item: &Item, kind: &'static str, code: &str, more: Value) -> Option<Self> {
        let url = item.webhook.clone()?;
        let mut body = base(kind, code);
        body.insert("item_id".into(), item.id().into());
        extend(&mut body, more);
        Some(Self {
            url,
            item_id: Some(item.id().to_owned()),
            kind,
            code: code.to_owned(),
            body: Value::Object(body),
            proof: Proof::Plaid,
        })
    }

    /// About a link session, to the link token's address.
    pub(crate) fn link(url: &str, code: &str, more: Value) -> Self {
        let mut body = base("LINK", code);
        extend(&mut body, more);
        Self {
            url: url.to_owned(),
            item_id: None,
            kind: "LINK",
            code: code.to_owned(),
            body: Value::Object(body),
            proof: Proof::Plaid,
        }
    }

    pub(crate) fn sync_updates(item: &Item, now: DateTime<Utc>) -> Option<Self> {
        let stage = item
            .feed
            .as_ref()
            .map_or(Stage::NotReady, |feed| feed.stage(now));
        let flags = json!({
            "initial_update_complete": stage != Stage::NotReady,
            "historical_update_complete": stage == Stage::Complete,
        });
        Self::item(item, "TRANSACTIONS", "SYNC_UPDATES_AVAILABLE", flags)
    }

    /// One of the older codes that count new rows.
    pub(crate) fn new_rows(item: &Item, code: &str, count: u64) -> Option<Self> {
        Self::item(
            item,
            "TRANSACTIONS",
            code,
            json!({ "error": null, "new_transactions": count }),
        )
    }

    pub(crate) fn removed_rows(item: &Item, ids: &[String]) -> Option<Self> {
        Self::item(
            item,
            "TRANSACTIONS",
            "TRANSACTIONS_REMOVED",
            json!({ "error": null, "removed_transactions": ids }),
        )
    }

    pub(crate) fn error(item: &Item, code: &str) -> Option<Self> {
        let error = serde_json::to_value(PlaidError::of(code).enclosed()).unwrap_or_default();
        Self::item(item, "ITEM", "ERROR", json!({ "error": error }))
    }

    pub(crate) fn permission_revoked(item: &Item) -> Option<Self> {
        let error = serde_json::to_value(PlaidError::of("USER_PERMISSION_REVOKED").enclosed())
            .unwrap_or_default();
        Self::item(
            item,
            "ITEM",
            "USER_PERMISSION_REVOKED",
            json!({ "error": error }),
        )
    }

    pub(crate) fn pending_disconnect(item: &Item, at: DateTime<Utc>) -> Option<Self> {
        let more = json!({ "reason": "INSTITUTION_MIGRATION", "disconnect_time": at.to_rfc3339() });
        Self::item(item, "ITEM", "PENDING_DISCONNECT", more)
    }

    pub(crate) fn pending_expiration(item: &Item, at: DateTime<Utc>) -> Option<Self> {
        Self::item(
            item,
            "ITEM",
            "PENDING_EXPIRATION",
            json!({ "consent_expiration_time": at.to_rfc3339() }),
        )
    }
}

/// How long before the end Plaid warns.
pub(crate) fn warning() -> TimeDelta {
    TimeDelta::days(7)
}

fn base(kind: &str, code: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("webhook_type".into(), kind.into());
    body.insert("webhook_code".into(), code.into());
    body.insert("environment".into(), "sandbox".into());
    body
}

fn extend(body: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        body.extend(more);
    }
}
