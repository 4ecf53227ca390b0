//! Signing in at the bank's own page: the address of it, the page, and the way back.
//!
//! An address works for one decision. Who agrees is connected by what a password would have brought, which the page lets a tester type.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::banks;
use super::connect::{answer, message, redirect, with_query};
use super::error::MxError;
use super::life::{self, Start};
use super::request::{Answer, Request, ok};
use crate::app::App;
use crate::hosted::page::{escape, notice, whole};
use crate::webhooks::notice::Notice;
use crate::world::World;
use crate::world::mx::MxOp;
use crate::world::mx::member::{JobKind, Member, OAuth};

/// Where a person signs in, if he is to.
pub(crate) fn window_uri(public_url: &str, member: &Member) -> Option<String> {
    let oauth = member.oauth.as_ref()?;
    Some(format!("{public_url}/mx/oauth/{}", oauth.state))
}

/// Lets a member wait for its person. One that was connected stays so until he has decided.
pub(crate) fn begin(
    world: &mut World,
    member: &mut Member,
    redirect: Option<String>,
    skip_aggregation: bool,
) {
    if member.successfully_aggregated_at.is_none() {
        member.connection_status = Some("PENDING".to_owned());
    }
    member.oauth = Some(OAuth {
        state: world.draw("mx oauth").id(32),
        redirect,
        skip_aggregation,
    });
}

/// `/oauth_window_uri`: a new address; the one before works no more.
pub(crate) fn oauth_window_uri(request: &Request) -> Answer {
    let mut world = request.world();
    let mut member = request.member(&world)?.member.clone();
    if !member.is_oauth {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Err(MxError::new(status, "the member is not linked by OAuth"));
    }
    let redirect = request.query("client_redirect_url");
    let redirect = redirect.filter(|_| request.query("referral_source") == Some("APP"));
    let skip = request.query("skip_aggregation") == Some("true");
    begin(&mut world, &mut member, redirect.map(str::to_owned), skip);
    let uri = window_uri(&request.app.public_url, &member);
    let body = json!({ "member": { "guid": member.guid, "oauth_window_uri": uri } });
    world.commit_mx(request.now, MxOp::MemberPut(Box::new(member)));
    ok(&body)
}

fn waiting(world: &World, state: &str) -> Option<Member> {
    let of_it = |member: &&Member| {
        member
            .oauth
            .as_ref()
            .is_some_and(|oauth| oauth.state == state)
    };
    let mut members = world.mx.members.values().map(|held| &held.member);
    members.find(of_it).cloned()
}

/// The bank's page.
pub(crate) async fn show(State(app): State<Arc<App>>, Path(state): Path<String>) -> Response {
    let Some(member) = waiting(&crate::lock(&app.world), &state) else {
        return used();
    };
    let bank = banks::find(&member.institution_code).map_or("", |bank| bank.name);
    let body = format!(
        "<h1>Share your accounts?</h1><p>MX asks {} to show it your accounts and transactions. All of it is invented.</p>\
         <form method=\"post\"><label for=\"password\">What the sign-in leads to (may stay empty)</label>\
         <input type=\"text\" id=\"password\" name=\"password\" autocomplete=\"off\" placeholder=\"challenge, LOCKED …\">\
         <button class=\"go\" name=\"action\" value=\"allow\">Allow</button>\
         <footer><button class=\"quiet\" name=\"action\" value=\"deny\">I cannot sign in</button>\
         <button class=\"quiet\" name=\"action\" value=\"cancel\">Cancel</button></footer></form>",
        escape(bank)
    );
    answer(
        StatusCode::OK,
        whole("Share your accounts?", bank, &body),
        "none",
    )
}

/// Takes the decision and leads back.
pub(crate) async fn decide(
    State(app): State<Arc<App>>,
    Path(state): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let field = |name: &str| {
        let found = fields.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.trim())
    };
    let decided = {
        let mut world = crate::lock(&app.world);
        waiting(&world, &state)
            .map(|member| conclude(&app, &mut world, member, field("action"), field("password")))
    };
    let Some((notices, leads)) = decided else {
        return used();
    };
    app.send(notices);
    let written = crate::lock(&app.world).written();
    written.settle().await;
    leads
}

fn conclude(
    app: &App,
    world: &mut World,
    mut member: Member,
    action: &str,
    password: &str,
) -> (Vec<Notice>, Response) {
    let now = app.clock.now();
    let oauth = member.oauth.take().unwrap_or_default();
    let mut notices = Vec::new();
    let reason = match action {
        "allow" => {
            password.clone_into(&mut member.password);
            let again = member.successfully_aggregated_at.is_some();
            member.connection_status =
                Some(if again { "RECONNECTED" } else { "CREATED" }.to_owned());
            if !oauth.skip_aggregation {
                life::start(
                    app,
                    world,
                    &mut member,
                    Start::of(JobKind::Aggregation),
                    now,
                );
            }
            None
        }
        "deny" => {
            // With no token there is nothing to sign in with the next time either.
            "DENIED".clone_into(&mut member.password);
            notices = life::end(app, &mut member, "DENIED");
            Some("DENIED")
        }
        _ => Some("CANCELLED"),
    };
    let leads = lead_back(app, &member, oauth.redirect.as_deref(), reason);
    world.commit_mx(now, MxOp::MemberPut(Box::new(member)));
    (notices, leads)
}

fn lead_back(app: &App, member: &Member, address: Option<&str>, reason: Option<&str>) -> Response {
    if let Some(address) = address {
        let outcome = reason.map_or_else(
            || "status=success".to_owned(),
            |reason| format!("status=error&error_reason={reason}"),
        );
        return redirect(&with_query(
            address,
            &format!("{outcome}&member_guid={}", member.guid),
        ));
    }
    let nonce = app.request_id();
    let (title, kind) = match reason {
        None => ("Thank you", "mx/oauthComplete/success"),
        Some(_) => ("Nothing was shared", "mx/oauthComplete/error"),
    };
    let metadata = json!({ "member_guid": member.guid, "error_reason": reason });
    let body = format!(
        "<h1>{title}</h1><p>You can close this page.</p>{}",
        message(&nonce, kind, &metadata)
    );
    answer(StatusCode::OK, whole(title, "MX", &body), &nonce)
}

fn used() -> Response {
    let page = notice(
        "This address is used up",
        "Go back to the app and start again.",
        false,
    );
    answer(StatusCode::GONE, page, "none")
}
