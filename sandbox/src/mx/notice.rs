//! What MX's webhooks say. One address for all of them, configured in MX's dashboard there and at start or by control here.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{banks, status};
use crate::app::App;
use crate::webhooks::notice::{Notice, Proof};
use crate::world::mx::User;
use crate::world::mx::member::{Job, JobKind, Member};

/// A webhook to the one address; nothing if none is configured.
pub(crate) fn to_target(
    app: &App,
    member_guid: &str,
    kind: &'static str,
    body: Value,
    callback: Option<String>,
) -> Option<Notice> {
    let target = crate::lock(&app.mx_webhooks).clone()?;
    let code = body["action"].as_str().unwrap_or_default().to_owned();
    Some(Notice {
        url: target.url.clone(),
        item_id: Some(member_guid.to_owned()),
        kind,
        code,
        body,
        proof: Proof::Mx {
            target: Arc::clone(&target),
            callback,
        },
    })
}

pub(crate) fn connection_status(app: &App, member: &Member) -> Option<Notice> {
    let callback = member.job.as_ref().and_then(|job| job.callback.clone());
    to_target(
        app,
        &member.guid,
        "CONNECTION_STATUS",
        json!({
            "type": "CONNECTION_STATUS",
            "action": "CHANGED",
            "connection_status": member.connection_status,
            "connection_status_id": status::number(member.connection_status.as_deref()),
            "connection_status_message": message(member),
            "member_guid": member.guid,
            "user_guid": member.user_guid,
        }),
        callback,
    )
}

fn message(member: &Member) -> Option<String> {
    let bank = banks::find(&member.institution_code).map_or("", |bank| bank.name);
    status::message(member.connection_status.as_deref(), bank)
}

/// A job that ended well.
pub(crate) fn finished(
    app: &App,
    user: &User,
    member: &Member,
    job: &Job,
    at: DateTime<Utc>,
) -> Option<Notice> {
    let kind = match job.kind {
        JobKind::Aggregation => "AGGREGATION",
        JobKind::Balance => "BALANCE",
        JobKind::History => "HISTORY",
        JobKind::Statements => "STATEMENT",
        JobKind::Verification => "VERIFICATION",
        JobKind::Identification => return None,
    };
    let mut body = json!({
        "type": kind,
        "action": "member_data_updated",
        "completed_at": at.timestamp(),
        "completed_on": at.date_naive(),
        "is_background": job.is_background,
        "job_guid": job.guid,
        "member_guid": member.guid,
        "user_guid": user.guid,
        "user_id": user.id,
    });
    match job.kind {
        JobKind::Aggregation | JobKind::History => {
            body["transactions_created_count"] = job.created.into();
            body["transactions_updated_count"] = job.updated.into();
        }
        JobKind::Statements => body["statements_created_count"] = 0.into(),
        _ => {}
    }
    to_target(app, &member.guid, kind, body, job.callback.clone())
}

/// A member that was made, changed or deleted.
pub(crate) fn member(
    app: &App,
    user: &User,
    member: &Member,
    action: &'static str,
    callback: Option<String>,
) -> Option<Notice> {
    let bank = banks::find(&member.institution_code);
    let status = member.connection_status.as_deref();
    to_target(
        app,
        &member.guid,
        "MEMBER",
        json!({
            "type": "MEMBER",
            "action": action,
            "guid": member.guid,
            "id": member.id,
            "user_guid": user.guid,
            "user_id": user.id,
            "name": bank.map(|bank| bank.name),
            "institution_code": member.institution_code,
            "institution_guid": bank.map(banks::Bank::guid),
            "connection_status": status,
            "connection_status_id": status::number(status),
            "connection_status_message": message(member),
            "is_being_aggregated": member.job.is_some(),
            "is_managed_by_user": true,
            "is_manual": false,
            "is_oauth": member.is_oauth,
            "aggregated_at": member.aggregated_at.map(|at| at.timestamp()),
            "successfully_aggregated_at": member.successfully_aggregated_at.map(|at| at.timestamp()),
            "created_at": member.created_at.timestamp(),
            "updated_at": app.clock.now().timestamp(),
            "metadata": member.metadata,
        }),
        callback,
    )
}
