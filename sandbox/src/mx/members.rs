//! `/members`: one login at one bank each. Making one, and giving one new credentials, begins an aggregation at once.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::admission::{change, free, login, single};
use super::banks::{self, Bank};
use super::error::MxError;
use super::life::{self, Start};
use super::notice;
use super::paging::Page;
use super::request::{Answer, Request, accepted, flag, nothing, ok, text};
use super::{institutions, oauth, status};
use crate::world::World;
use crate::world::mx::member::{JobKind, Member};
use crate::world::mx::row::{guid, written};
use crate::world::mx::{Held, MxOp, User};

/// A member as MX tells of it. Its credentials are never told.
pub(crate) fn shown(public_url: &str, user: &User, member: &Member) -> Value {
    let bank = banks::find(&member.institution_code);
    let name = bank.map_or("", |bank| bank.name);
    let status = member.connection_status.as_deref();
    json!({
        "guid": member.guid,
        "id": member.id,
        "user_guid": user.guid,
        "user_id": user.id,
        "name": name,
        "institution_code": member.institution_code,
        "institution_guid": bank.map(Bank::guid),
        "connection_status": status,
        "connection_status_message": status::message(status, name),
        "is_being_aggregated": member.job.is_some(),
        "aggregated_at": member.aggregated_at.map(written),
        "successfully_aggregated_at": member.successfully_aggregated_at.map(written),
        "is_oauth": member.is_oauth,
        "oauth_window_uri": oauth::window_uri(public_url, member),
        "is_manual": false,
        "is_managed_by_user": true,
        "background_aggregation_is_disabled": member.background_aggregation_is_disabled,
        "needs_updated_credentials": status::wants_credentials(status),
        "most_recent_job_guid": member.most_recent_job_guid,
        "most_recent_job_detail_code": null,
        "most_recent_job_detail_text": null,
        "metadata": member.metadata,
        "use_cases": member.use_cases,
    })
}

pub(crate) fn answer(request: &Request, user: &User, member: &Member) -> Value {
    json!({ "member": shown(&request.app.public_url, user, member) })
}

pub(crate) fn list(request: &Request) -> Answer {
    let world = request.world();
    let user = request.user(&world)?;
    let wanted = |held: &&Held| {
        let cases = &held.member.use_cases;
        let case = request.query("use_case");
        case.is_none_or(|case| cases.iter().any(|known| known == case))
    };
    let members = world.mx.members_of(&user.guid).into_iter().filter(wanted);
    let (members, pagination) = Page::asked(request, 1_000).of(members.collect());
    let members: Vec<Value> = members
        .into_iter()
        .map(|held| shown(&request.app.public_url, user, &held.member))
        .collect();
    ok(&json!({ "members": members, "pagination": pagination }))
}

pub(crate) fn read(request: &Request) -> Answer {
    let world = request.world();
    let user = request.user(&world)?;
    ok(&answer(request, user, &request.member(&world)?.member))
}

/// The fields its bank asks for; never what was answered.
pub(crate) fn credentials(request: &Request) -> Answer {
    let world = request.world();
    let code = &request.member(&world)?.member.institution_code;
    let bank = banks::find(code).ok_or_else(|| MxError::missing("institution"))?;
    institutions::list_fields(request, bank)
}

pub(crate) fn create(request: &Request) -> Answer {
    let fields = request.object("member")?;
    let mut world = request.world();
    let user = request.user(&world)?.clone();
    let code = text(fields, "institution_code")?
        .ok_or_else(|| MxError::invalid("institution_code is missing"))?;
    let bank = banks::find(&code).ok_or_else(|| MxError::missing("institution"))?;
    let is_oauth = flag(fields, "is_oauth")?.unwrap_or(false);
    if is_oauth != bank.oauth {
        let how = if bank.oauth { "only" } else { "not" };
        return Err(MxError::new(
            axum::http::StatusCode::UNPROCESSABLE_ENTITY,
            format!("{} is {how} linked by OAuth", bank.name),
        ));
    }
    let (username, password) = if is_oauth {
        Default::default()
    } else {
        login(bank, fields.get("credentials"))?
    };
    free(&world, &user, None, text(fields, "id")?.as_deref())?;
    single(&world, &user, bank, &username)?;
    let mut member = Member {
        username,
        password,
        ..fresh(&mut world, &user, bank, request.now)
    };
    change(&mut member, fields)?;
    begin(request, &mut world, &mut member, fields)?;
    let body = answer(request, &user, &member);
    let told = notice::member(
        &request.app,
        &user,
        &member,
        "created",
        request.callback.clone(),
    );
    let started = member.job.is_some();
    world.commit_mx(request.now, MxOp::MemberPut(Box::new(member)));
    drop(world);
    request.app.send(told);
    if started { accepted(&body) } else { ok(&body) }
}

/// A member nobody has done anything with yet.
pub(crate) fn fresh(world: &mut World, user: &User, bank: &Bank, now: DateTime<Utc>) -> Member {
    let number = world
        .mx
        .members
        .values()
        .map(|held| held.member.number)
        .max();
    Member {
        guid: guid("MBR", world.draw("mx member")),
        number: number.unwrap_or(0) + 1,
        user_guid: user.guid.clone(),
        id: None,
        institution_code: bank.code.to_owned(),
        username: String::new(),
        password: String::new(),
        metadata: None,
        background_aggregation_is_disabled: false,
        use_cases: vec!["PFM".to_owned()],
        is_oauth: bank.oauth,
        oauth: None,
        connection_status: Some("CREATED".to_owned()),
        is_authenticated: false,
        has_processed_accounts: false,
        has_processed_transactions: false,
        created_at: now,
        aggregated_at: None,
        successfully_aggregated_at: None,
        most_recent_job_guid: None,
        job: None,
        asked: None,
        denials: 0,
        accounts: Vec::new(),
    }
}

fn begin(
    request: &Request,
    world: &mut World,
    member: &mut Member,
    fields: &Map<String, Value>,
) -> Result<(), MxError> {
    let skip = flag(fields, "skip_aggregation")?.unwrap_or(false);
    if member.is_oauth {
        let by_app = request.body.get("referral_source").and_then(Value::as_str) == Some("APP");
        let redirect = request
            .body
            .get("client_redirect_url")
            .and_then(Value::as_str);
        let redirect = redirect.filter(|_| by_app).map(str::to_owned);
        oauth::begin(world, member, redirect, skip);
    } else if !skip {
        let start = Start {
            callback: request.callback.clone(),
            ..Start::of(JobKind::Aggregation)
        };
        life::start(&request.app, world, member, start, request.now);
    }
    Ok(())
}

/// Takes new credentials, which begin an aggregation whatever ran before, or other details, which begin nothing.
pub(crate) fn update(request: &Request) -> Answer {
    let fields = request.object("member")?;
    let mut world = request.world();
    let user = request.user(&world)?.clone();
    let mut member = request.member(&world)?.member.clone();
    free(
        &world,
        &user,
        Some(&member.guid),
        text(fields, "id")?.as_deref(),
    )?;
    change(&mut member, fields)?;
    if fields.contains_key("credentials") && !member.is_oauth {
        let bank =
            banks::find(&member.institution_code).ok_or_else(|| MxError::missing("institution"))?;
        let given = login(bank, fields.get("credentials"))?;
        renew(&mut member, given);
        begin(request, &mut world, &mut member, fields)?;
    }
    let told = notice::member(
        &request.app,
        &user,
        &member,
        "updated",
        request.callback.clone(),
    );
    let body = answer(request, &user, &member);
    world.commit_mx(request.now, MxOp::MemberPut(Box::new(member)));
    drop(world);
    request.app.send(told);
    ok(&body)
}

/// Puts other credentials in place; what ran with the old ones is over.
pub(crate) fn renew(member: &mut Member, (username, password): (String, String)) {
    (member.username, member.password) = (username, password);
    member.connection_status = Some("UPDATED".to_owned());
    member.job = None;
    member.asked = None;
}

pub(crate) fn delete(request: &Request) -> Answer {
    let mut world = request.world();
    let user = request.user(&world)?.clone();
    let member = request.member(&world)?.member.clone();
    let told = notice::member(
        &request.app,
        &user,
        &member,
        "deleted",
        request.callback.clone(),
    );
    world.commit_mx(request.now, MxOp::MemberGone { guid: member.guid });
    drop(world);
    request.app.send(told);
    Ok(nothing())
}
