//! `/transactions/sync`.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::Serialize;

use super::cursor::Cursor;
use super::error::PlaidError;
use super::linking;
use super::request::{Answer, Request};
use crate::bank::accounts::Account;
use crate::bank::history::History;
use crate::bank::transaction::Transaction;
use crate::world::World;
use crate::world::item::{Feed, Item, Stage};
use crate::world::ledger::{Page, Row, Window};
use crate::world::op::{Event, Op};

#[derive(Debug)]
struct Asked {
    cursor: Option<String>,
    count: usize,
    account_id: Option<String>,
    original_description: bool,
    version: &'static str,
    days: u64,
}

#[derive(Serialize)]
struct Body<'a> {
    transactions_update_status: &'static str,
    accounts: Vec<&'a Account>,
    added: Vec<Transaction>,
    modified: Vec<Transaction>,
    removed: Vec<Removed>,
    next_cursor: String,
    has_more: bool,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Removed {
    transaction_id: String,
    account_id: String,
}

/// What was read under the lock; the rows are made after it is given back.
struct Reading {
    stage: Stage,
    page: Page,
    next: Option<Cursor>,
    history: Arc<History>,
    accounts: Vec<Account>,
}

pub(crate) fn sync(request: &Request) -> Answer {
    let asked = read(request)?;
    let not_ready_calls = request.app.settings().not_ready_calls;
    let reading = {
        let mut world = request.world();
        let item_id = request.healthy_item(&world)?.id().to_owned();
        start(&mut world, request, &item_id, asked.days)?;
        let item = world
            .items
            .get_mut(&item_id)
            .ok_or_else(|| PlaidError::of("ITEM_NOT_FOUND"))?;
        item.sync_calls += 1;
        let early = item.sync_calls <= not_ready_calls;
        take(item, &asked, request, early)?
    };
    write(request, &asked, &reading)
}

fn read(request: &Request) -> Result<Asked, PlaidError> {
    let fields = &request.fields;
    fields.expect(&["access_token"], &["cursor", "count", "options"])?;
    let options = fields.object("options")?;
    options.expect(
        &[],
        &[
            "include_original_description",
            "include_personal_finance_category",
            "include_logo_and_counterparty_beta",
            "personal_finance_category_version",
            "days_requested",
            "account_id",
        ],
    )?;
    let cursor = fields.optional_text("cursor")?;
    if cursor.as_ref().is_some_and(|cursor| cursor.len() > 256) {
        return Err(PlaidError::invalid(
            "cursor must not be longer than 256 characters",
        ));
    }
    let version = options.word("personal_finance_category_version", &["v1", "v2"])?;
    Ok(Asked {
        cursor,
        count: usize::try_from(fields.whole("count", 1..=500)?.unwrap_or(100)).unwrap_or(100),
        account_id: options.optional_text("account_id")?,
        original_description: options.flag("include_original_description")?,
        version: if version.as_deref() == Some("v1") {
            "v1"
        } else {
            "v2"
        },
        days: options.whole("days_requested", 1..=730)?.unwrap_or(90),
    })
}

/// Puts the product on the item if it is not there yet, and arms the webhook.
fn start(world: &mut World, request: &Request, item_id: &str, days: u64) -> Result<(), PlaidError> {
    linking::start_transactions(&request.app, world, item_id, days)?;
    let armed = world.items.get(item_id).is_some_and(|item| item.armed);
    if !armed {
        world.commit(
            request.now(),
            Op::Item {
                item_id: item_id.to_owned(),
                event: Event::Armed,
            },
        );
    }
    Ok(())
}

fn take(item: &Item, asked: &Asked, request: &Request, early: bool) -> Result<Reading, PlaidError> {
    let feed = item
        .feed
        .as_ref()
        .ok_or_else(|| PlaidError::of("PRODUCT_NOT_READY"))?;
    let now = request.now();
    let stage = if early {
        Stage::NotReady
    } else {
        feed.stage(now)
    };
    let shared: Vec<Account> = item.shared().cloned().collect();
    if let Some(wanted) = &asked.account_id {
        let known = shared.iter().any(|account| account.account_id == *wanted);
        known
            .then_some(())
            .ok_or_else(|| PlaidError::of("INVALID_ACCOUNT_ID"))?;
    }
    let begun = match &asked.cursor {
        Some(text) if text == "now" => Cursor::resting(
            item.id(),
            item.epoch,
            feed.head(now),
            asked.account_id.clone(),
        ),
        Some(text) => Cursor::decode(text)?,
        None => Cursor::resting(item.id(), item.epoch, 0, asked.account_id.clone()),
    };
    if begun.item_id != item.id()
        || begun.epoch != item.epoch
        || begun.account_id != asked.account_id
    {
        return Err(PlaidError::invalid(
            "cursor not associated with access_token",
        ));
    }
    let history = Arc::clone(&feed.history);
    if stage == Stage::NotReady {
        return Ok(Reading {
            stage,
            page: Page::default(),
            next: None,
            history,
            accounts: Vec::new(),
        });
    }
    let (page, next) = turn(feed, begun, feed.head(now), asked, &shared)?;
    Ok(Reading {
        stage,
        page,
        next: Some(next),
        history,
        accounts: shared,
    })
}

/// Reads the page behind a cursor, and the cursor behind the page.
fn turn(
    feed: &Feed,
    begun: Cursor,
    head: u64,
    asked: &Asked,
    shared: &[Account],
) -> Result<(Page, Cursor), PlaidError> {
    let cursor = if begun.is_resting() {
        Cursor {
            from: begun.at,
            to: head.max(begun.at),
            ..begun
        }
    } else {
        begun
    };
    if cursor.to != head && !cursor.is_resting() {
        return Err(PlaidError::of(
            "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION",
        ));
    }
    let window = Window {
        from: cursor.from,
        at: cursor.at,
        to: cursor.to,
        count: asked.count,
    };
    let ids: Vec<&str> = shared
        .iter()
        .map(|account| account.account_id.as_str())
        .collect();
    let one = |id: &str| {
        asked
            .account_id
            .as_deref()
            .is_none_or(|wanted| wanted == id)
            && ids.contains(&id)
    };
    let all = asked.account_id.is_none() && feed.history.touches_only(&ids);
    let wanted: Option<&dyn Fn(&str) -> bool> = if all { None } else { Some(&one) };
    let page = feed.ledger.page(&feed.history, window, wanted);
    let next = if page.more {
        Cursor {
            at: page.next,
            page: cursor.page + 1,
            ..cursor
        }
    } else {
        Cursor::resting(&cursor.item_id, cursor.epoch, cursor.to, cursor.account_id)
    };
    Ok((page, next))
}

fn write(request: &Request, asked: &Asked, reading: &Reading) -> Answer {
    let make = |rows: &[Row]| -> Vec<Transaction> {
        let rows = rows.iter().filter_map(|row| row.make(&reading.history));
        rows.map(|row| present(row, asked)).collect()
    };
    let (added, modified) = (make(&reading.page.added), make(&reading.page.modified));
    let mentioned = |account: &&Account| {
        added
            .iter()
            .chain(&modified)
            .any(|row| row.account_id == account.account_id)
    };
    let accounts = reading.accounts.iter().filter(mentioned).collect();
    let next_cursor = reading
        .next
        .as_ref()
        .map(Cursor::encode)
        .unwrap_or_default();
    request.noted.borrow_mut().cursor_out = Some(next_cursor.clone());
    let removed = reading.page.removed.iter().cloned();
    request.answer(&Body {
        transactions_update_status: match reading.stage {
            Stage::NotReady => "NOT_READY",
            Stage::Initial => "INITIAL_UPDATE_COMPLETE",
            Stage::Complete => "HISTORICAL_UPDATE_COMPLETE",
        },
        accounts,
        added,
        modified,
        removed: removed
            .map(|(transaction_id, account_id)| Removed {
                transaction_id,
                account_id,
            })
            .collect(),
        next_cursor,
        has_more: reading.page.more,
        request_id: &request.request_id,
    })
}

/// The row as this caller asked to see it.
pub(crate) fn present_as(
    mut row: Transaction,
    original_description: bool,
    version: &'static str,
) -> Transaction {
    if !original_description {
        row.original_description = None;
    }
    if let Some(category) = &mut row.personal_finance_category {
        category.version.get_or_insert(Cow::Borrowed(version));
        if version == "v2" && category.detailed == "INCOME_WAGES" {
            category.detailed = Cow::Borrowed("INCOME_SALARY");
        }
    }
    row
}

fn present(row: Transaction, asked: &Asked) -> Transaction {
    present_as(row, asked.original_description, asked.version)
}

/// How long an item's history takes to be ready.
pub(crate) fn readiness(settings: &crate::settings::Settings) -> (TimeDelta, TimeDelta) {
    let after = |ms: u64| TimeDelta::milliseconds(i64::try_from(ms).unwrap_or(0));
    (
        after(settings.initial_ready_ms),
        after(settings.history_ready_ms.max(settings.initial_ready_ms)),
    )
}
