//! What each form of the widget does.

use std::sync::Arc;

use super::super::life::{self, Start};
use super::super::{admission, banks, jobs, members, notice, oauth};
use super::Session;
use crate::app::App;
use crate::world::World;
use crate::world::mx::member::{Given, JobKind, Member};
use crate::world::mx::{MxOp, User};

/// The fields of a form.
pub(super) struct Fields(pub(super) Vec<(String, String)>);

impl Fields {
    fn one(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Takes a form; where it leads, if not to the next page here.
pub(super) fn take(app: &Arc<App>, session: &mut Session, fields: &Fields) -> Option<String> {
    match fields.one("action") {
        "back" if !session.fixed => (session.bank, session.member_guid) = (None, None),
        "edit" => session.editing = true,
        "sign_in" => sign_in(app, session, fields),
        "oauth" => return begin_oauth(app, session),
        "answer" => answer(app, session, fields),
        "retry" => retry(app, session),
        _ if !session.fixed => session.bank = banks::find(fields.one("institution_code")),
        _ => {}
    }
    None
}

/// The member as it stands, with whom it belongs to.
fn member(world: &World, session: &Session) -> Option<Member> {
    let held = world.mx.members.get(session.member_guid.as_ref()?)?;
    Some(held.member.clone())
}

fn user(world: &World, session: &Session) -> Option<User> {
    world.mx.users.get(&session.user_guid).cloned()
}

fn sign_in(app: &Arc<App>, session: &mut Session, fields: &Fields) {
    let now = app.clock.now();
    let given = (
        fields.one("LOGIN").trim().to_owned(),
        fields.one("PASSWORD").to_owned(),
    );
    let told = {
        let mut world = crate::lock(&app.world);
        let Some(user) = user(&world, session) else {
            return;
        };
        let known = member(&world, session);
        let (mut member, action) = match (known, session.bank) {
            (Some(member), _) => (member, "updated"),
            (None, Some(bank)) => {
                if let Err(error) = admission::single(&world, &user, bank, &given.0) {
                    session.trouble = Some(error.message);
                    return;
                }
                (members::fresh(&mut world, &user, bank, now), "created")
            }
            (None, None) => return,
        };
        let status = member.connection_status.clone();
        members::renew(&mut member, given);
        if action == "created" {
            member.connection_status = status;
        }
        life::start(
            app,
            &mut world,
            &mut member,
            Start::of(JobKind::Aggregation),
            now,
        );
        session.member_guid = Some(member.guid.clone());
        session.editing = false;
        let told = notice::member(app, &user, &member, action, None);
        world.commit_mx(now, MxOp::MemberPut(Box::new(member)));
        told
    };
    app.send(told);
}

/// Makes the member and leads to the bank's own page.
fn begin_oauth(app: &Arc<App>, session: &mut Session) -> Option<String> {
    let now = app.clock.now();
    let (told, leads) = {
        let mut world = crate::lock(&app.world);
        let user = user(&world, session)?;
        let known = member(&world, session);
        let made = known.is_none();
        let mut member = match (known, session.bank) {
            (Some(member), _) => member,
            (None, Some(bank)) => members::fresh(&mut world, &user, bank, now),
            (None, None) => return None,
        };
        oauth::begin(&mut world, &mut member, session.redirect.clone(), false);
        session.editing = false;
        session.member_guid = Some(member.guid.clone());
        let leads = oauth::window_uri(&app.public_url, &member);
        let told = made.then(|| notice::member(app, &user, &member, "created", None));
        world.commit_mx(now, MxOp::MemberPut(Box::new(member)));
        (told.flatten(), leads)
    };
    app.send(told);
    leads
}

fn answer(app: &Arc<App>, session: &mut Session, fields: &Fields) {
    let mut world = crate::lock(&app.world);
    let Some(mut member) = member(&world, session) else {
        return;
    };
    let asked = member.asked.as_ref();
    let wanted = asked.map(|asked| asked.challenge.guids(asked.round));
    let given = |guid: String| Given {
        value: fields.one(&guid).trim().to_owned(),
        guid,
    };
    let answers = wanted.unwrap_or_default().into_iter().map(given).collect();
    match jobs::answer(app, &mut member, answers) {
        Ok(()) => world.commit_mx(app.clock.now(), MxOp::MemberPut(Box::new(member))),
        Err(error) => session.trouble = Some(error.message),
    }
}

fn retry(app: &Arc<App>, session: &Session) {
    let now = app.clock.now();
    let mut world = crate::lock(&app.world);
    if let Some(mut member) = member(&world, session).filter(|member| member.job.is_none()) {
        life::start(
            app,
            &mut world,
            &mut member,
            Start::of(JobKind::Aggregation),
            now,
        );
        world.commit_mx(now, MxOp::MemberPut(Box::new(member)));
    }
}
