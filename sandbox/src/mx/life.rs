//! A member's life: jobs begin, sign in, are asked, bring data, and end, step by step as the clock goes.
//!
//! A step is taken at the moment it was due, however late anybody looks: a clock that is moved by a day leaves the same marks as a day that
//! passed. Whoever looks first takes the steps that are due, a call or the task that waits for the next moment, and sends what they set off.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use super::challenge::{self, Verdict};
use super::login::{self, Outcome};
use super::{growth, notice, status};
use crate::app::App;
use crate::webhooks::notice::Notice;
use crate::world::World;
use crate::world::mx::member::{Asked, Given, Job, JobKind, Member, Step};
use crate::world::mx::row::guid;
use crate::world::mx::{Mx, MxOp};

/// How a job begins.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) kind: JobKind,
    pub(crate) is_background: bool,
    pub(crate) callback: Option<String>,
}

impl Start {
    pub(crate) fn of(kind: JobKind) -> Self {
        Self {
            kind,
            is_background: false,
            callback: None,
        }
    }
}

const REFUSALS_BEFORE_PREVENTED: u32 = 3;

/// Gives a member a job. It is not written down here: who calls has more to change.
pub(crate) fn start(
    app: &App,
    world: &mut World,
    member: &mut Member,
    start: Start,
    now: DateTime<Utc>,
) {
    let mut job = Job::new(start.kind, guid("JOB", world.draw("mx job")));
    job.is_background = start.is_background;
    job.callback = start.callback;
    job.wait(now, app.settings().mx.pace());
    member.most_recent_job_guid = Some(job.guid.clone());
    member.job = Some(job);
    member.asked = None;
    member.aggregated_at = Some(now);
    member.is_authenticated = false;
    member.has_processed_accounts = false;
    member.has_processed_transactions = false;
    app.moments.notify_one();
}

/// Gives the bank answers to what it asked.
pub(crate) fn resume(app: &App, member: &mut Member, answers: Vec<Given>) {
    let now = app.clock.now();
    if let Some(job) = &mut member.job {
        job.answers = answers;
        job.wait(now, app.settings().mx.pace());
        member.connection_status = Some("RESUMED".to_owned());
        if let Some(asked) = &mut member.asked {
            // Answered: it can no longer run out.
            asked.expires_at = DateTime::<Utc>::MAX_UTC;
        }
        app.moments.notify_one();
    }
}

/// Waits for the next moment at which something happens to a member by itself, over and over.
pub(crate) async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    loop {
        let next = crate::lock(&app.world).mx.next_moment().map(|next| next.0);
        let due = async {
            match next {
                Some(moment) => app.clock.reaches(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => catch_up(&app),
            () = app.moments.notified() => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// Takes every step that is due, and sends what that sets off. Not to be called with the world locked.
pub(crate) fn catch_up(app: &Arc<App>) {
    let now = app.clock.now();
    let mut notices = Vec::new();
    {
        let mut world = crate::lock(&app.world);
        while let Some((moment, guid)) = world.mx.next_moment().filter(|next| next.0 <= now) {
            notices.extend(happen(app, &mut world, &guid, moment));
        }
    }
    app.send(notices);
}

impl Mx {
    /// The next moment at which something happens by itself, and to whom.
    fn next_moment(&self) -> Option<(DateTime<Utc>, String)> {
        let moments = self.members.values().filter_map(|held| {
            let moment = held.member.next_moment()?;
            Some((moment, &held.member.guid))
        });
        moments.min().map(|(moment, guid)| (moment, guid.clone()))
    }
}

fn happen(app: &Arc<App>, world: &mut World, guid: &str, at: DateTime<Utc>) -> Vec<Notice> {
    let expired = world.mx.members.get(guid).is_some_and(|held| {
        let asked = held.member.asked.as_ref();
        asked.is_some_and(|asked| asked.expires_at <= at)
    });
    if !expired {
        return take_step(app, world, guid, at);
    }
    let Some(mut member) = world.mx.members.get(guid).map(|held| held.member.clone()) else {
        return Vec::new();
    };
    let notices = end(app, &mut member, "EXPIRED");
    world.commit_mx(at, MxOp::MemberPut(Box::new(member)));
    notices
}

/// Takes the next step of a member's job, if it has one that does not wait for answers.
pub(crate) fn take_step(
    app: &Arc<App>,
    world: &mut World,
    guid: &str,
    at: DateTime<Utc>,
) -> Vec<Notice> {
    let Some(mut member) = world.mx.members.get(guid).map(|held| held.member.clone()) else {
        return Vec::new();
    };
    let waiting = member.asked.is_some() && !member.is("RESUMED");
    let Some(step) = member
        .job
        .as_mut()
        .filter(|_| !waiting)
        .and_then(|job| job.left.pop_front())
    else {
        return Vec::new();
    };
    let mut notices = Vec::new();
    match step {
        Step::SignIn => notices = sign_in(app, world, &mut member, at),
        Step::Accounts => growth::tell_accounts(&mut member, at),
        Step::Transactions => growth::tell_transactions(app, world, &mut member, at),
        Step::Finish => notices = finish(app, world, &mut member, at),
    }
    if let Some(job) = member.job.as_mut().filter(|_| member.asked.is_none()) {
        job.wait(at, app.settings().mx.pace());
    }
    world.commit_mx(at, MxOp::MemberPut(Box::new(member)));
    notices
}

fn sign_in(
    app: &Arc<App>,
    world: &mut World,
    member: &mut Member,
    at: DateTime<Utc>,
) -> Vec<Notice> {
    let answers = member
        .job
        .as_mut()
        .map(|job| std::mem::take(&mut job.answers));
    let asked = member.asked.take();
    let verdict = match (&asked, answers) {
        (Some(asked), Some(answers)) => challenge::judge(asked, &answers),
        // The token that OAuth left is as good as a password.
        _ if member.is_oauth => Verdict::Outcome(login::sign_in("mxuser", &member.password)),
        _ => Verdict::Outcome(login::sign_in(&member.username, &member.password)),
    };
    match (verdict, asked) {
        (Verdict::Next, Some(asked)) => ask(app, member, asked.challenge, asked.round + 1, at),
        (Verdict::Wrong, Some(asked)) if asked.challenge.again => {
            ask(app, member, asked.challenge, asked.round, at);
            enter(app, member, "REJECTED")
        }
        (Verdict::Outcome(Outcome::Challenged(challenge)), _) => {
            let challenge = challenge.seeded(world.draw("mx challenge"));
            ask(app, member, challenge, 0, at)
        }
        (Verdict::Outcome(Outcome::Ended(status)), _) => end(app, member, status),
        (Verdict::Outcome(Outcome::Connected), _) => {
            member.is_authenticated = true;
            member.denials = 0;
            enter(app, member, "CONNECTED")
        }
        (Verdict::Next | Verdict::Wrong, _) => end(app, member, "REJECTED"),
    }
}

fn ask(
    app: &App,
    member: &mut Member,
    challenge: challenge::Challenge,
    round: u32,
    at: DateTime<Utc>,
) -> Vec<Notice> {
    let patience = TimeDelta::try_seconds(app.settings().mx.challenge_seconds).unwrap_or_default();
    member.asked = Some(Asked {
        challenge,
        round,
        expires_at: at + patience,
    });
    if let Some(job) = &mut member.job {
        job.left.push_front(Step::SignIn);
        job.due = None;
    }
    enter(app, member, "CHALLENGED")
}

/// Ends a member's job in a status that is no success. Three refused sign-ins in a row, and MX tries no more.
pub(crate) fn end(app: &App, member: &mut Member, status: &str) -> Vec<Notice> {
    member.job = None;
    member.asked = None;
    let mut status = status;
    if status == "DENIED" {
        member.denials += 1;
        if member.denials >= REFUSALS_BEFORE_PREVENTED {
            status = "PREVENTED";
        }
    }
    enter(app, member, status)
}

/// Enters a status, and says so where MX does.
pub(crate) fn enter(app: &App, member: &mut Member, status: &str) -> Vec<Notice> {
    member.connection_status = Some(status.to_owned());
    if status::is_told(status) {
        notice::connection_status(app, member).into_iter().collect()
    } else {
        Vec::new()
    }
}

fn finish(app: &App, world: &World, member: &mut Member, at: DateTime<Utc>) -> Vec<Notice> {
    let Some(job) = member.job.take() else {
        return Vec::new();
    };
    if job.kind == JobKind::Aggregation {
        member.successfully_aggregated_at = Some(at);
    }
    let user = world.mx.users.get(&member.user_guid);
    user.and_then(|user| notice::finished(app, user, member, &job, at))
        .into_iter()
        .collect()
}
