//! MX's members, and what MX or a bank may do to them at any moment.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Refusal, lines, missing, read, settled, wrong};
use crate::app::App;
use crate::mx::life::{self, Start};
use crate::mx::members::shown;
use crate::mx::shift::{self, AccountChanges, Changes, Shift, Unmade};
use crate::mx::{jobs, notice, transactions};
use crate::settings::MxWebhooks;
use crate::world::mx::member::{JobKind, Member};
use crate::world::mx::{Held, MxOp};

const NOBODY: &str = "no member has this guid";

fn row(app: &App, world: &crate::world::World, held: &Held) -> Value {
    let member = &held.member;
    let Some(user) = world.mx.users.get(&member.user_guid) else {
        return Value::Null;
    };
    let mut row = shown(&app.public_url, user, member);
    row["username"] = member.username.clone().into();
    row["accounts"] = member
        .accounts
        .iter()
        .map(|account| account.guid.clone())
        .collect();
    row["transactions"] = held.rows().count().into();
    row["challenges"] = jobs::questions(member).into();
    row["steps_left"] = json!(member.job.as_ref().map(|job| &job.left));
    row
}

/// Every member there is, in the order they came.
pub(super) async fn list(State(app): State<Arc<App>>) -> Response {
    life::catch_up(&app);
    let world = crate::lock(&app.world);
    let mut members: Vec<&Held> = world.mx.members.values().collect();
    members.sort_by_key(|held| held.member.number);
    let rows: Vec<Value> = members
        .into_iter()
        .map(|held| row(&app, &world, held))
        .collect();
    Json(json!({ "members": rows })).into_response()
}

pub(super) async fn show(State(app): State<Arc<App>>, Path(guid): Path<String>) -> Answer {
    life::catch_up(&app);
    standing(&app, &guid)
}

fn standing(app: &App, guid: &str) -> Answer {
    let world = crate::lock(&app.world);
    let held = world.mx.members.get(guid).ok_or_else(|| missing(NOBODY))?;
    Ok(Json(row(app, &world, held)).into_response())
}

/// What is set of a member; what is not named stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Any status, also one nobody knows; null is MX's null. What was under way is over.
    #[serde(default, deserialize_with = "given")]
    #[expect(
        clippy::option_option,
        reason = "null is one of the values that can be given"
    )]
    connection_status: Option<Option<String>>,
    /// The user's password at the bank, so that the next sign-in with it leads elsewhere.
    password: Option<String>,
}

#[expect(
    clippy::option_option,
    reason = "null is one of the values that can be given"
)]
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Sets a member's status, and tells of it where MX would; or what its next sign-in meets.
pub(super) async fn set(
    State(app): State<Arc<App>>,
    Path(guid): Path<String>,
    body: Bytes,
) -> Answer {
    let wanted: Wanted = read(&body)?;
    let notices = change(&app, &guid, |member| {
        if let Some(password) = wanted.password {
            member.password = password;
        }
        match wanted.connection_status {
            None => Vec::new(),
            Some(status) => {
                (member.job, member.asked) = (None, None);
                member.connection_status = None;
                status.map_or_else(Vec::new, |status| life::enter(&app, member, &status))
            }
        }
    })?;
    app.send(notices);
    Ok(settled(&app, standing(&app, &guid)?).await)
}

fn change<T>(app: &App, guid: &str, by: impl FnOnce(&mut Member) -> T) -> Result<T, Refusal> {
    let now = app.clock.now();
    let mut world = crate::lock(&app.world);
    let held = world.mx.members.get(guid).ok_or_else(|| missing(NOBODY))?;
    let mut member = held.member.clone();
    let done = by(&mut member);
    world.commit_mx(now, MxOp::MemberPut(Box::new(member)));
    Ok(done)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps {
    #[serde(default = "one")]
    steps: u32,
}

fn one() -> u32 {
    1
}

/// Takes the next steps of a member's job, whatever the time. Fewer if the job ends or asks.
pub(super) async fn step(
    State(app): State<Arc<App>>,
    Path(guid): Path<String>,
    body: Bytes,
) -> Answer {
    let Steps { steps } = read(&body)?;
    let mut notices = Vec::new();
    {
        let now = app.clock.now();
        let mut world = crate::lock(&app.world);
        for _ in 0..steps.min(100) {
            notices.extend(life::take_step(&app, &mut world, &guid, now));
        }
    }
    app.send(notices);
    Ok(settled(&app, standing(&app, &guid)?).await)
}

/// Begins an aggregation in the background, as MX does once a day, however short a while ago the last one was.
pub(super) async fn aggregate(State(app): State<Arc<App>>, Path(guid): Path<String>) -> Answer {
    {
        let now = app.clock.now();
        let mut world = crate::lock(&app.world);
        let held = world.mx.members.get(&guid).ok_or_else(|| missing(NOBODY))?;
        let mut member = held.member.clone();
        if member.job.is_some() {
            return Err(wrong("the member has a job running"));
        }
        let start = Start {
            is_background: true,
            ..Start::of(JobKind::Aggregation)
        };
        life::start(&app, &mut world, &mut member, start, now);
        world.commit_mx(now, MxOp::MemberPut(Box::new(member)));
    }
    Ok(settled(&app, standing(&app, &guid)?).await)
}

/// Adds, modifies, posts and removes rows: now, or after a page of a list.
pub(super) async fn rows(
    State(app): State<Arc<App>>,
    Path(member_guid): Path<String>,
    body: Bytes,
) -> Answer {
    let changes: Changes = read(&body)?;
    if let Some(after_page) = changes.after_page {
        if !crate::lock(&app.world)
            .mx
            .members
            .contains_key(&member_guid)
        {
            return Err(missing(NOBODY));
        }
        crate::lock(&app.shifts).push(Shift {
            member_guid,
            after_page,
            changes,
        });
        return Ok(StatusCode::ACCEPTED.into_response());
    }
    let done = shift::make(&app, &member_guid, changes)?;
    Ok(settled(&app, Json(done).into_response()).await)
}

/// Opens, changes and closes accounts; `add` takes what is given and makes up the rest.
pub(super) async fn accounts(
    State(app): State<Arc<App>>,
    Path(member_guid): Path<String>,
    body: Bytes,
) -> Answer {
    let changes: AccountChanges = read(&body)?;
    let added = shift::make_accounts(&app, &member_guid, changes)?;
    Ok(settled(&app, Json(json!({ "added": added })).into_response()).await)
}

impl From<Unmade> for Refusal {
    fn from(unmade: Unmade) -> Self {
        match unmade {
            Unmade::NoMember => missing(NOBODY),
            Unmade::NoRow(guid) => missing(format!("nothing stands under {guid}")),
            Unmade::Field(sentence) => wrong(sentence),
        }
    }
}

/// What a client that has read everything must hold, a transaction a line, the newest first.
pub(super) async fn oracle(State(app): State<Arc<App>>, Path(guid): Path<String>) -> Answer {
    life::catch_up(&app);
    let world = crate::lock(&app.world);
    let held = world.mx.members.get(&guid).ok_or_else(|| missing(NOBODY))?;
    let user = world.mx.users.get(&held.member.user_guid);
    let user = user.ok_or_else(|| missing(NOBODY))?;
    Ok(lines(
        held.rows().map(|row| transactions::shown(user, held, row)),
    ))
}

/// Where MX's webhooks go. The password is not told.
pub(super) async fn target(State(app): State<Arc<App>>) -> Response {
    let target = crate::lock(&app.mx_webhooks).clone();
    let shown = target.map(|target| json!({ "url": target.url, "user": target.user }));
    Json(json!({ "target": shown })).into_response()
}

pub(super) async fn aim(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    let wanted: MxWebhooks = read(&body)?;
    *crate::lock(&app.mx_webhooks) = Some(Arc::new(wanted));
    Ok(target(State(app)).await)
}

pub(super) async fn silence(State(app): State<Arc<App>>) -> Response {
    *crate::lock(&app.mx_webhooks) = None;
    StatusCode::NO_CONTENT.into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    body: Value,
    #[serde(default)]
    member_guid: String,
    #[serde(default = "one")]
    times: u32,
}

const MOST: u32 = 10_000;

/// Sends any body to the one address, with its credentials, and so often as told.
pub(super) async fn send(State(app): State<Arc<App>>, body: Bytes) -> Answer {
    let made: Made = read(&body)?;
    if made.times > MOST {
        return Err(wrong(format!("times is at most {MOST}")));
    }
    let notice = notice::to_target(&app, &made.member_guid, "CONTROL", made.body, None);
    let notice = notice.ok_or_else(|| missing("no address for MX's webhooks is set"))?;
    app.send((0..made.times).map(|_| notice.clone()));
    Ok((StatusCode::ACCEPTED, Json(json!({ "sent": made.times }))).into_response())
}
