//! Items, and what a bank may do to them at any moment.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Answer, Refusal, missing, read, settled, wrong};
use crate::app::App;
use crate::bank::transaction::Transaction;
use crate::plaid::refresh;
use crate::seed::Seed;
use crate::webhooks::notice::{self, Notice};
use crate::world::World;
use crate::world::item::{Feed, Item};
use crate::world::op::{Change, Event, Op};

#[derive(Serialize)]
struct Row<'a> {
    item_id: &'a str,
    institution_id: &'a str,
    username: &'a str,
    access_token: Option<&'a str>,
    webhook: Option<&'a str>,
    accounts: Vec<&'a str>,
    removed: bool,
    error: Option<String>,
    armed: bool,
    /// Entries of the log that can be read now, and the whole log.
    head: u64,
    entries: u64,
    epoch: u64,
}

/// Every item there ever was.
pub(super) async fn list(State(app): State<Arc<App>>) -> Response {
    let now = app.clock.now();
    let world = crate::lock(&app.world);
    let rows: Vec<Row<'_>> = world
        .items
        .values()
        .map(|item| row(item, &world, now))
        .collect();
    Json(json!({ "items": rows })).into_response()
}

fn row<'a>(item: &'a Item, world: &'a World, now: DateTime<Utc>) -> Row<'a> {
    let feed = item.feed.as_ref();
    Row {
        item_id: item.id(),
        institution_id: &item.linked.institution_id,
        username: &item.linked.username,
        access_token: world.access_token_of(item.id()),
        webhook: item.webhook.as_deref(),
        accounts: item
            .shared()
            .map(|account| account.account_id.as_str())
            .collect(),
        removed: item.removed,
        error: item.trouble(now),
        armed: item.armed,
        head: feed.map_or(0, |feed| feed.head(now)),
        entries: feed.map_or(0, |feed| feed.history.len() + feed.ledger.len()),
        epoch: item.epoch,
    }
}

/// Changes to an item's log, applied together and in order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    add: Vec<Map<String, Value>>,
    #[serde(default)]
    modify: Vec<Map<String, Value>>,
    #[serde(default)]
    post: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
    /// Whether webhooks tell of it.
    #[serde(default = "yes")]
    notify: bool,
}

fn yes() -> bool {
    true
}

#[derive(Serialize)]
struct Done {
    added: Vec<String>,
    /// For each pending id that posted, the id it has now.
    posted: Vec<(String, String)>,
}

/// Adds, modifies, posts and removes rows; `add` takes what is given and makes up the rest.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path(item_id): Path<String>,
    body: Bytes,
) -> Answer {
    let wanted: Wanted = read(&body)?;
    let notify = wanted.notify;
    let (done, notices) = apply(&app, &item_id, wanted)?;
    if notify {
        app.send_changes(notices);
    }
    Ok(settled(&app, Json(done).into_response()).await)
}

fn apply(app: &App, item_id: &str, wanted: Wanted) -> Result<(Done, refresh::Notices), Refusal> {
    let now = app.clock.now();
    let mut world = crate::lock(&app.world);
    let seed = world.draw("control").of("row");
    let unknown = || missing("no item with transactions has this id");
    let item = world.items.get(item_id).ok_or_else(unknown)?;
    let feed = item.feed.as_ref().ok_or_else(unknown)?;
    let first = item
        .shared()
        .next()
        .map(|account| account.account_id.clone())
        .unwrap_or_default();
    let mut done = Done {
        added: Vec::new(),
        posted: Vec::new(),
    };
    let mut changes = Vec::new();
    for (given, n) in wanted.add.into_iter().zip(0..) {
        let row = fresh(given, seed.indexed_id(n), &first, now)?;
        done.added.push(row.transaction_id.clone());
        changes.push(Change::put(row));
    }
    for given in wanted.modify {
        changes.push(Change::put(modified(feed, &given)?));
    }
    for (id, n) in wanted.post.iter().zip(0..) {
        let pending = standing(feed, id)?;
        let posted_id = Seed(seed.0).of("posted").indexed_id(n);
        done.posted.push((id.clone(), posted_id.clone()));
        changes.extend(refresh::post(&pending, posted_id, now));
    }
    for id in &wanted.remove {
        changes.push(Change::removed(&standing(feed, id)?));
    }
    let notices = refresh::append(&mut world, item_id, changes, now);
    Ok((done, notices))
}

fn standing(feed: &Feed, transaction_id: &str) -> Result<Transaction, Refusal> {
    let missing = || missing(format!("no transaction stands under {transaction_id}"));
    feed.ledger
        .current(&feed.history, transaction_id)
        .ok_or_else(missing)
}

fn fresh(
    given: Map<String, Value>,
    id: String,
    account_id: &str,
    now: DateTime<Utc>,
) -> Result<Transaction, Refusal> {
    let plain = Transaction::plain(
        id,
        account_id.to_owned(),
        Decimal::ONE,
        now.date_naive(),
        Cow::Borrowed("ADDED BY CONTROL"),
    );
    overlay(&plain, given)
}

fn modified(feed: &Feed, given: &Map<String, Value>) -> Result<Transaction, Refusal> {
    let id = given
        .get("transaction_id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    overlay(&standing(feed, id)?, given.clone())
}

/// A row with some fields replaced.
fn overlay(row: &Transaction, given: Map<String, Value>) -> Result<Transaction, Refusal> {
    let mut fields = json!(row);
    for (name, value) in given {
        match fields.get_mut(&name) {
            Some(field) => *field = value,
            None => {
                return Err(wrong(format!("{name} is not a field of a transaction")));
            }
        }
    }
    Ok(serde_json::from_value(fields)?)
}

/// Something that happens to an item.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Happening {
    /// The login ends with this error; webhook `ERROR`.
    Error { code: String },
    /// The login works again without the app's doing; webhook `LOGIN_REPAIRED`.
    Repair,
    /// The consent ends in seven days; webhook `PENDING_EXPIRATION`.
    PendingExpiration,
    /// The bank cuts the connection in seven days; webhook `PENDING_DISCONNECT`.
    PendingDisconnect,
    /// Cursors given out so far are worthless. No webhook.
    ExpireCursors,
    /// The item vanishes, as when the user disconnects it at Plaid's own portal. No webhook.
    Vanish,
}

/// Makes something happen to an item, and tells of it where Plaid would.
pub(super) async fn event(
    State(app): State<Arc<App>>,
    Path(item_id): Path<String>,
    body: Bytes,
) -> Answer {
    let happening: Happening = read(&body)?;
    let now = app.clock.now();
    let ends = now + notice::warning();
    let notice = {
        let mut world = crate::lock(&app.world);
        if !world.items.contains_key(&item_id) {
            return Err(missing("no item has this id"));
        }
        let event = match &happening {
            Happening::Error { code } => Event::ErrorSet {
                code: Some(code.clone()),
            },
            Happening::Repair => Event::ErrorSet { code: None },
            Happening::PendingExpiration => Event::ConsentExpires { at: Some(ends) },
            Happening::PendingDisconnect => Event::Disconnects { at: Some(ends) },
            Happening::ExpireCursors => Event::CursorsExpired,
            Happening::Vanish => Event::Removed,
        };
        world.commit(
            now,
            Op::Item {
                item_id: item_id.clone(),
                event,
            },
        );
        world.items.get(&item_id).and_then(|item| match &happening {
            Happening::Error { code } => Notice::error(item, code),
            Happening::Repair => Notice::item(item, "ITEM", "LOGIN_REPAIRED", json!({})),
            Happening::PendingExpiration => Notice::pending_expiration(item, ends),
            Happening::PendingDisconnect => Notice::pending_disconnect(item, ends),
            Happening::ExpireCursors | Happening::Vanish => None,
        })
    };
    app.send(notice);
    Ok(settled(&app, StatusCode::NO_CONTENT.into_response()).await)
}
