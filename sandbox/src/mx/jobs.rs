//! What is asked of a member: to aggregate, how it stands, what it was asked, and the answers.

use axum::http::StatusCode;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::error::MxError;
use super::life::{self, Start};
use super::paging::Page;
use super::request::{Answer, Request, accepted, nothing, ok};
use super::{banks, challenge, members, status};
use crate::app::App;
use crate::world::mx::member::{Asked, Given, JobKind, Member, Step};
use crate::world::mx::row::written;
use crate::world::mx::{MxOp, User};

pub(crate) fn aggregate(request: &Request) -> Answer {
    begin(request, JobKind::Aggregation)
}

pub(crate) fn check_balance(request: &Request) -> Answer {
    begin(request, JobKind::Balance)
}

pub(crate) fn extend_history(request: &Request) -> Answer {
    begin(request, JobKind::History)
}

pub(crate) fn fetch_statements(request: &Request) -> Answer {
    begin(request, JobKind::Statements)
}

pub(crate) fn identify(request: &Request) -> Answer {
    begin(request, JobKind::Identification)
}

pub(crate) fn verify(request: &Request) -> Answer {
    begin(request, JobKind::Verification)
}

/// Begins a job. What cannot begin is accepted all the same and changes nothing, but for a job of another type that is in the way.
fn begin(request: &Request, kind: JobKind) -> Answer {
    let mut world = request.world();
    let user = request.user(&world)?.clone();
    let mut member = request.member(&world)?.member.clone();
    match &member.job {
        Some(job) if job.kind != kind => {
            return Err(MxError::conflict(
                "the member has a job of another type running",
            ));
        }
        None if may_begin(request, &user, &member, kind) => {
            let start = Start {
                callback: request.callback.clone(),
                ..Start::of(kind)
            };
            life::start(&request.app, &mut world, &mut member, start, request.now);
            if request.query("include_transactions") == Some("false")
                && let Some(job) = &mut member.job
            {
                job.left.retain(|step| *step != Step::Transactions);
            }
        }
        _ => {}
    }
    let body = members::answer(request, &user, &member);
    world.commit_mx(request.now, MxOp::MemberPut(Box::new(member)));
    // MX's document has it so: every job is accepted, and a verification is 200.
    match kind {
        JobKind::Verification => ok(&body),
        _ => accepted(&body),
    }
}

fn may_begin(request: &Request, user: &User, member: &Member, kind: JobKind) -> bool {
    let wait =
        TimeDelta::try_seconds(request.app.settings().mx.throttle_seconds).unwrap_or_default();
    let throttled = kind == JobKind::Aggregation
        && banks::find(&member.institution_code).is_some_and(|bank| bank.throttled)
        && member
            .aggregated_at
            .is_some_and(|at| at + wait > request.now);
    !throttled && !user.is_disabled && !status::is_resting(member.connection_status.as_deref())
}

pub(crate) fn status(request: &Request) -> Answer {
    let world = request.world();
    let member = &request.member(&world)?.member;
    ok(&json!({ "member": {
        "guid": member.guid,
        "connection_status": member.connection_status,
        "is_being_aggregated": member.job.is_some(),
        "is_authenticated": member.is_authenticated,
        "has_processed_accounts": member.has_processed_accounts,
        "has_processed_transactions": member.has_processed_transactions,
        "has_processed_account_numbers": false,
        "aggregated_at": member.aggregated_at.map(written),
        "successfully_aggregated_at": member.successfully_aggregated_at.map(written),
        "challenges": questions(member),
    } }))
}

/// What is asked now: nothing any more once it was answered.
pub(crate) fn questions(member: &Member) -> Vec<Value> {
    open_question(member)
        .map(challenge::shown)
        .unwrap_or_default()
}

fn open_question(member: &Member) -> Option<&Asked> {
    member.asked.as_ref().filter(|_| !member.is("RESUMED"))
}

pub(crate) fn challenges(request: &Request) -> Answer {
    let world = request.world();
    let asked = questions(&request.member(&world)?.member);
    if asked.is_empty() {
        return Ok(nothing());
    }
    let (challenges, pagination) = Page::asked(request, 1_000).of(asked);
    ok(&json!({ "challenges": challenges, "pagination": pagination }))
}

/// Takes the answers; what they are worth turns out with the job's next step.
pub(crate) fn resume(request: &Request) -> Answer {
    let fields = request.object("member")?;
    let mut world = request.world();
    let user = request.user(&world)?.clone();
    let mut member = request.member(&world)?.member.clone();
    let given = fields.get("challenges").and_then(Value::as_array);
    let given = given.ok_or_else(|| MxError::invalid("challenges are missing"))?;
    let answers: Option<Vec<Given>> = given.iter().map(read).collect();
    let answers = answers.ok_or_else(|| MxError::invalid("an answer has no guid or no value"))?;
    answer(&request.app, &mut member, answers)?;
    let body = members::answer(request, &user, &member);
    world.commit_mx(request.now, MxOp::MemberPut(Box::new(member)));
    accepted(&body)
}

fn read(one: &Value) -> Option<Given> {
    let text = |name| one.get(name)?.as_str().map(str::to_owned);
    Some(Given {
        guid: text("guid")?,
        value: text("value")?,
    })
}

/// Hands answers to the bank, provided that they are to what it asked and to all of it.
pub(crate) fn answer(app: &App, member: &mut Member, answers: Vec<Given>) -> Result<(), MxError> {
    let asked = open_question(member).ok_or_else(|| {
        MxError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "the member has not been challenged",
        )
    })?;
    let wanted = asked.challenge.guids(asked.round);
    if answers.iter().any(|answer| !wanted.contains(&answer.guid)) {
        return Err(MxError::invalid(
            "an answer is to a challenge that was not made",
        ));
    }
    if wanted
        .iter()
        .any(|guid| !answers.iter().any(|answer| answer.guid == *guid))
    {
        return Err(MxError::invalid("a challenge was not answered"));
    }
    life::resume(app, member, answers);
    Ok(())
}
