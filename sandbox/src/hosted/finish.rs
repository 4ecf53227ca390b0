//! How a session ends: an item linked, an item repaired, or somebody gone.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};

use super::flow::Flow;
use crate::app::App;
use crate::bank::accounts::Account;
use crate::bank::institutions::Institution;
use crate::bank::purchase;
use crate::plaid::linking::{self, Linked, Linking};
use crate::plaid::refresh::{self, Notices};
use crate::webhooks::notice::Notice;
use crate::world::World;
use crate::world::link::{Link, Outcome, Session};
use crate::world::op::{Change, Event, Op};

const FIRST_ROWS: u64 = 6;

/// What the person did last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Agreed,
    Left,
}

/// Writes the ending down and says which webhooks follow.
pub(crate) fn record(
    app: &Arc<App>,
    world: &mut World,
    link: &Link,
    mut flow: Flow,
    ending: Ending,
) -> Vec<Notice> {
    let now = app.clock.now();
    let mut changes = Notices::default();
    let outcome = match ending {
        Ending::Agreed => agreed(app, world, link, &mut flow, &mut changes),
        Ending::Left => Err(flow.error.clone()),
    };
    let outcome = match outcome {
        Ok(success) => {
            flow.event(app, world, "HANDOFF", &[]);
            success
        }
        Err(error) => {
            let status = flow.exit_status();
            flow.event(app, world, "EXIT", &[("exit_status", status)]);
            Outcome::Exit {
                error,
                status: status.to_owned(),
                institution_id: flow.bank.map(|bank| bank.id.to_owned()),
            }
        }
    };
    let session = Session {
        finished_at: Some(now),
        outcome: Some(outcome),
        ..flow.session
    };
    let mut notices = notices(link, &session);
    notices.extend(changes.wanted(app.settings().legacy_webhooks));
    world.commit(
        now,
        Op::SessionRecorded {
            link_token: link.link_token.clone(),
            session,
        },
    );
    notices
}

fn agreed(
    app: &Arc<App>,
    world: &mut World,
    link: &Link,
    flow: &mut Flow,
    changes: &mut Notices,
) -> Result<Outcome, Option<String>> {
    let bank = flow.bank.ok_or(None)?;
    let shared = flow
        .accounts
        .iter()
        .filter(|account| flow.chosen.contains(&account.account_id))
        .cloned()
        .collect();
    let (item_id, public_token) = if let Some(item_id) = &link.item_id {
        *changes = repair(app, world, item_id, flow);
        (item_id.clone(), linking::public_token(app, world, item_id))
    } else {
        let linked = link_item(app, world, link, flow, bank)?;
        (linked.item_id, linked.public_token)
    };
    Ok(Outcome::Success {
        public_token,
        item_id,
        institution_id: bank.id.to_owned(),
        accounts: shared,
    })
}

fn link_item(
    app: &Arc<App>,
    world: &mut World,
    link: &Link,
    flow: &mut Flow,
    bank: &'static Institution,
) -> Result<Linked, Option<String>> {
    let linking = Linking {
        bank,
        username: &flow.username,
        password: &flow.password,
        person: flow.person.take().ok_or(None)?,
        seed: flow.seed,
        accounts: std::mem::take(&mut flow.accounts),
        chosen: std::mem::take(&mut flow.chosen),
        products: link.products.clone(),
        webhook: link.webhook.clone(),
        days: link.days_requested,
    };
    linking::link(app, world, linking).map_err(|error| Some(error.error_code))
}

/// Brings an item back: no error, no end in sight, and the accounts as chosen now. Plaid sends no `LOGIN_REPAIRED` for a repair made in
/// the app's own Link, since the app knows.
fn repair(app: &App, world: &mut World, item_id: &str, flow: &Flow) -> Notices {
    let now = app.clock.now();
    let before = world
        .items
        .get(item_id)
        .map(|item| item.chosen.clone())
        .unwrap_or_default();
    let events = [
        Event::ErrorSet { code: None },
        Event::ConsentExpires { at: None },
        Event::Disconnects { at: None },
        Event::AccountsChosen {
            account_ids: flow.chosen.clone(),
        },
    ];
    for event in events {
        world.commit(
            now,
            Op::Item {
                item_id: item_id.to_owned(),
                event,
            },
        );
    }
    let has_feed = world
        .items
        .get(item_id)
        .is_some_and(|item| item.feed.is_some());
    let joined = |account: &&Account| {
        flow.chosen.contains(&account.account_id) && !before.contains(&account.account_id)
    };
    if !has_feed {
        return Notices::default();
    }
    let joined = flow
        .accounts
        .iter()
        .filter(joined)
        .filter(|account| account.is_everyday());
    let changes = joined
        .flat_map(|account| first_rows(app, world, &account.account_id))
        .collect();
    refresh::append(world, item_id, changes, now)
}

/// A newly shared account comes with a few rows.
fn first_rows(app: &App, world: &mut World, account_id: &str) -> Vec<Change> {
    let seed = world.draw("joined");
    let today = app.clock.today();
    let row = |n: u64| {
        let date = today
            .checked_sub_days(chrono::Days::new(n))
            .unwrap_or(today);
        let id = seed.of("row").indexed_id(n);
        Change::put(purchase::everyday(
            id,
            account_id.to_owned(),
            seed.at(n),
            date,
            &Cow::Borrowed("USD"),
        ))
    };
    (0..FIRST_ROWS).rev().map(row).collect()
}

fn notices(link: &Link, session: &Session) -> Vec<Notice> {
    let Some(url) = &link.webhook else {
        return Vec::new();
    };
    let about = |more: Value| {
        let mut body =
            json!({ "link_session_id": session.link_session_id, "link_token": link.link_token });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        body
    };
    let events = Notice::link(url, "EVENTS", about(json!({ "events": session.events })));
    let finished = |more| Notice::link(url, "SESSION_FINISHED", about(more));
    match &session.outcome {
        Some(Outcome::Success { public_token, .. }) => vec![
            Notice::link(
                url,
                "ITEM_ADD_RESULT",
                about(json!({ "public_token": public_token })),
            ),
            finished(
                json!({ "status": "SUCCESS", "public_token": public_token, "public_tokens": [public_token] }),
            ),
            events,
        ],
        _ => vec![
            finished(json!({ "status": "EXITED", "public_tokens": [] })),
            events,
        ],
    }
}
