//! Changes to a member's rows on order: at once, or between one page of a list and the next.
//!
//! MX's lists shift under whoever reads them, and nothing in an answer says so. Here a test says when.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::notice;
use super::request::Listed;
use crate::app::App;
use crate::webhooks::notice::Notice;
use crate::world::World;
use crate::world::mx::member::{Account, Job, JobKind};
use crate::world::mx::row::{Row, guid};
use crate::world::mx::{Held, MxOp};

/// Changes to a member's rows, made together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
    #[serde(default)]
    add: Vec<Map<String, Value>>,
    #[serde(default)]
    modify: Vec<Map<String, Value>>,
    #[serde(default)]
    post: Vec<String>,
    #[serde(default)]
    remove: Vec<String>,
    /// Whether a webhook tells of it, as after an aggregation in the background.
    #[serde(default = "yes")]
    notify: bool,
    /// Wait until this page of a list with the member's rows has been answered.
    pub(crate) after_page: Option<usize>,
}

fn yes() -> bool {
    true
}

/// Changes that wait for a page.
#[derive(Debug)]
pub(crate) struct Shift {
    pub(crate) member_guid: String,
    pub(crate) after_page: usize,
    pub(crate) changes: Changes,
}

/// What was done.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Done {
    added: Vec<String>,
    /// For each pending guid that posted, the guid it has now.
    posted: Vec<(String, String)>,
}

/// Why changes cannot be made.
#[derive(Debug)]
pub(crate) enum Unmade {
    NoMember,
    NoRow(String),
    /// Not a field of a row, or not a value for it.
    Field(String),
}

/// Makes changes now, and says so where it is wanted.
pub(crate) fn make(app: &Arc<App>, member_guid: &str, changes: Changes) -> Result<Done, Unmade> {
    let now = app.clock.now();
    let (done, notice) = {
        let mut world = crate::lock(&app.world);
        apply(app, &mut world, member_guid, changes, now)?
    };
    app.send(notice);
    Ok(done)
}

/// Makes the changes that waited for this page.
pub(crate) fn strike(app: &Arc<App>, listed: &Listed) {
    let due: Vec<Shift> = {
        let mut shifts = crate::lock(&app.shifts);
        shifts
            .extract_if(.., |shift| {
                shift.after_page == listed.page && listed.member_guids.contains(&shift.member_guid)
            })
            .collect()
    };
    for shift in due {
        if let Err(unmade) = make(app, &shift.member_guid, shift.changes) {
            tracing::warn!(?unmade, "changes that waited for a page could not be made");
        }
    }
}

fn apply(
    app: &App,
    world: &mut World,
    member_guid: &str,
    changes: Changes,
    now: DateTime<Utc>,
) -> Result<(Done, Option<Notice>), Unmade> {
    let seed = world.draw("mx control");
    let held = world.mx.members.get(member_guid).ok_or(Unmade::NoMember)?;
    let mut member = held.member.clone();
    let account = member.accounts.first().map(|account| account.guid.clone());
    let mut done = Done::default();
    let (mut put, mut gone) = (Vec::new(), changes.remove.clone());
    for guid in &changes.remove {
        standing(held, guid)?;
    }
    for (given, n) in changes.add.into_iter().zip(0..) {
        let plain = Row::plain(
            guid("TRN", seed.at(n)),
            account.clone().unwrap_or_default(),
            now,
        );
        let row = overlay(&plain, given)?;
        done.added.push(row.guid.clone());
        put.push(row);
    }
    for (pending, n) in changes.post.iter().zip(0..) {
        let posted = standing(held, pending)?.posted_as(guid("TRN", seed.of("posted").at(n)), now);
        done.posted.push((pending.clone(), posted.guid.clone()));
        gone.push(pending.clone());
        put.push(posted);
    }
    let created = put.len() as u64;
    let updated = changes.modify.len() as u64;
    for given in changes.modify {
        let named = given
            .get("guid")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let row = Row {
            updated_at: now,
            ..standing(held, named)?.clone()
        };
        put.push(overlay(&row, given)?);
    }
    (member.aggregated_at, member.successfully_aggregated_at) = (Some(now), Some(now));
    let job = Job {
        is_background: true,
        created,
        updated,
        ..Job::new(JobKind::Aggregation, guid("JOB", seed.of("job")))
    };
    let user = world
        .mx
        .users
        .get(&member.user_guid)
        .filter(|_| changes.notify);
    let notice = user.and_then(|user| notice::finished(app, user, &member, &job, now));
    let member_guid = member.guid.clone();
    world.commit_mx(now, MxOp::MemberPut(Box::new(member)));
    world.commit_mx(
        now,
        MxOp::Rows {
            member_guid,
            put,
            gone,
        },
    );
    Ok((done, notice))
}

fn standing<'a>(held: &'a Held, guid: &str) -> Result<&'a Row, Unmade> {
    let row = held
        .row(guid)
        .ok_or_else(|| Unmade::NoRow(guid.to_owned()))?;
    Ok(row)
}

/// A thing with some fields replaced.
fn overlay<T: Serialize + DeserializeOwned>(
    thing: &T,
    given: Map<String, Value>,
) -> Result<T, Unmade> {
    let mut fields = json!(thing);
    for (name, value) in given {
        match fields.get_mut(&name) {
            Some(field) => *field = value,
            None => return Err(Unmade::Field(format!("{name} is not a field here"))),
        }
    }
    serde_json::from_value(fields).map_err(|error| Unmade::Field(error.to_string()))
}

/// Changes to a member's accounts, made together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountChanges {
    #[serde(default)]
    add: Vec<Map<String, Value>>,
    #[serde(default)]
    modify: Vec<Map<String, Value>>,
    #[serde(default)]
    remove: Vec<String>,
}

/// Opens, changes and closes accounts; the guids of those opened. Rows of a removed account stay in the lists, as they may with MX.
pub(crate) fn make_accounts(
    app: &App,
    member_guid: &str,
    changes: AccountChanges,
) -> Result<Vec<String>, Unmade> {
    let now = app.clock.now();
    let mut world = crate::lock(&app.world);
    let seed = world.draw("mx account");
    let held = world.mx.members.get(member_guid);
    let mut member = held.ok_or(Unmade::NoMember)?.member.clone();
    let mut added = Vec::new();
    for (given, n) in changes.add.into_iter().zip(0..) {
        let plain = Account::plain(guid("ACT", seed.at(n)), now);
        let account: Account = overlay(&plain, given)?;
        added.push(account.guid.clone());
        member.accounts.push(account);
    }
    for given in changes.modify {
        let named = given
            .get("guid")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let named = named.to_owned();
        let account = member
            .accounts
            .iter_mut()
            .find(|account| account.guid == named);
        let account = account.ok_or(Unmade::NoRow(named))?;
        account.updated_at = now;
        *account = overlay(account, given)?;
    }
    for named in changes.remove {
        let place = member
            .accounts
            .iter()
            .position(|account| account.guid == named);
        member.accounts.remove(place.ok_or(Unmade::NoRow(named))?);
    }
    world.commit_mx(now, MxOp::MemberPut(Box::new(member)));
    Ok(added)
}
