//! `/transactions/refresh`, and what every other change to an item's log sets off.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::error::PlaidError;
use super::request::{Answer, Request};
use crate::app::App;
use crate::bank::history::{History, Plan};
use crate::bank::transaction::Transaction;
use crate::seed::Seed;
use crate::webhooks::notice::Notice;
use crate::world::World;
use crate::world::item::Feed;
use crate::world::op::{Change, Event, Op};

const NEW_ROWS: u64 = 3;

/// `/transactions/refresh`: at a dynamic login, what was pending posts, one old amount grows by a unit, and new pending rows appear.
pub(crate) fn refresh(request: &Request) -> Answer {
    request.fields.expect(&["access_token"], &[])?;
    let notices = {
        let mut world = request.world();
        let item = request.healthy_item(&world)?;
        let item_id = item.id().to_owned();
        if item.feed.is_none() {
            return Err(PlaidError::of("PRODUCT_NOT_ENABLED"));
        }
        if !item.linked.grows {
            return request.done();
        }
        let seed = world.draw("refresh");
        let changes = growth(&world, &item_id, seed, request.now());
        append(&mut world, &item_id, changes, request.now())
    };
    request.app.send_changes(notices);
    request.done()
}

/// Webhooks to send, some of them of the older kind.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    sync: Option<Notice>,
    older: Vec<Notice>,
}

impl Notices {
    /// Those to send, with the older kind or without.
    pub(crate) fn wanted(self, legacy: bool) -> impl Iterator<Item = Notice> {
        self.sync
            .into_iter()
            .chain(self.older.into_iter().filter(move |_| legacy))
    }
}

impl App {
    /// Sends what a change to an item's log sets off. Not to be called with the world locked.
    pub(crate) fn send_changes(self: &Arc<Self>, notices: Notices) {
        let legacy = self.settings().legacy_webhooks;
        self.send(notices.wanted(legacy));
    }
}

/// Appends to an item's log, and says which webhooks follow.
pub(crate) fn append(
    world: &mut World,
    item_id: &str,
    changes: Vec<Change>,
    now: DateTime<Utc>,
) -> Notices {
    if changes.is_empty() {
        return Notices::default();
    }
    let removed: Vec<String> = changes
        .iter()
        .filter(|change| matches!(change, Change::Removed { .. }))
        .map(|change| change.transaction_id().to_owned())
        .collect();
    let put = (changes.len() - removed.len()) as u64;
    world.commit(
        now,
        Op::Item {
            item_id: item_id.to_owned(),
            event: Event::Changed { changes },
        },
    );
    let Some(item) = world.items.get(item_id).filter(|item| !item.removed) else {
        return Notices::default();
    };
    let sync = item
        .armed
        .then(|| Notice::sync_updates(item, now))
        .flatten();
    let gone = (!removed.is_empty())
        .then(|| Notice::removed_rows(item, &removed))
        .flatten();
    let counted = (put > 0)
        .then(|| Notice::new_rows(item, "DEFAULT_UPDATE", put))
        .flatten();
    Notices {
        sync,
        older: gone.into_iter().chain(counted).collect(),
    }
}

fn growth(world: &World, item_id: &str, seed: Seed, now: DateTime<Utc>) -> Vec<Change> {
    let Some(feed) = world.items.get(item_id).and_then(|item| item.feed.as_ref()) else {
        return Vec::new();
    };
    let History::Planned(plan) = &*feed.history else {
        return Vec::new();
    };
    let mut changes = post_all(feed, seed, now);
    changes.extend(bump(feed, plan, seed));
    for n in 0..NEW_ROWS {
        let id = seed.of("pending").indexed_id(n);
        changes.push(Change::put(plan.fresh(
            id,
            seed.of("purchase").at(n),
            now.date_naive(),
        )));
    }
    changes
}

/// Posts every pending row: the pending one goes, a posted one with a new id comes.
fn post_all(feed: &Feed, seed: Seed, now: DateTime<Utc>) -> Vec<Change> {
    let pending = feed.ledger.pending(&feed.history);
    let post = |(row, n): (&Transaction, u64)| post(row, seed.of("posted").indexed_id(n), now);
    pending.iter().zip(0..).flat_map(post).collect()
}

/// The two entries that posting a pending row makes.
pub(crate) fn post(row: &Transaction, posted_id: String, now: DateTime<Utc>) -> [Change; 2] {
    [
        Change::removed(row),
        Change::put(row.posted_as(posted_id, now.date_naive())),
    ]
}

/// One posted row costs one unit more than was said at first.
fn bump(feed: &Feed, plan: &Plan, seed: Seed) -> Option<Change> {
    let posted = plan.count.checked_sub(plan.pending)?;
    (0..16).find_map(|attempt| {
        let row = feed
            .ledger
            .current_of_index(&feed.history, seed.of("bump").at(attempt).below(posted))?;
        let sound = !row.pending && row.iso_currency_code.is_some() && row.amount > Decimal::ZERO;
        sound.then(|| {
            Change::put(Transaction {
                amount: row.amount + Decimal::new(100, 2),
                ..row
            })
        })
    })
}

/// A row that a caller described in a few words.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) transaction_id: String,
    pub(crate) account_id: String,
    pub(crate) amount: Decimal,
    pub(crate) transacted: chrono::NaiveDate,
    pub(crate) posted: chrono::NaiveDate,
    pub(crate) description: String,
    pub(crate) currency: String,
}

impl Described {
    /// The row; one that has not posted by `today` is pending.
    pub(crate) fn row(self, today: chrono::NaiveDate) -> Transaction {
        let pending = self.posted > today;
        let date = if pending {
            self.transacted
        } else {
            self.posted
        };
        let name = Cow::Owned(self.description.clone());
        let mut row = Transaction::plain(
            self.transaction_id,
            self.account_id,
            self.amount,
            date,
            name,
        );
        row.pending = pending;
        row.authorized_date = Some(self.transacted);
        row.iso_currency_code = Some(Cow::Owned(self.currency));
        row.original_description = Some(Cow::Owned(self.description));
        row
    }
}
