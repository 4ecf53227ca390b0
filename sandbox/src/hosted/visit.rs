//! Letting people in at a hosted link: who stands where, and who may not come in any more.

use std::collections::HashMap;
use std::sync::Arc;

use super::finish;
use super::flow::{Fields, Flow};
use crate::app::App;
use crate::world::World;
use crate::world::link::Link;

const MOST_FLOWS: usize = 10_000;

/// Everybody who is on the way, by the id in his address.
pub(crate) type Flows = HashMap<String, Flow>;

/// Why there is nothing to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    Unknown,
    Expired,
    Done,
}

/// Where to go after a form.
#[derive(Debug)]
pub(crate) enum Next {
    Show,
    /// Out of Link, to the app if it told where.
    Leave(Option<String>),
}

/// Shows where somebody stands, letting him in if he is new.
pub(crate) fn look<T>(
    app: &Arc<App>,
    hosted_id: &str,
    show: impl FnOnce(&Link, &Flow) -> T,
) -> Result<T, Closed> {
    let mut flows = crate::lock(&app.flows);
    let mut world = crate::lock(&app.world);
    let link = open_link(app, &world, hosted_id)?;
    if flows.len() >= MOST_FLOWS {
        flows.clear();
    }
    let flow = flows
        .entry(hosted_id.to_owned())
        .or_insert_with(|| Flow::enter(app, &mut world, &link));
    Ok(show(&link, flow))
}

/// Takes a form.
pub(crate) fn step(app: &Arc<App>, hosted_id: &str, fields: &Fields) -> Result<Next, Closed> {
    let mut flows = crate::lock(&app.flows);
    let mut world = crate::lock(&app.world);
    let link = open_link(app, &world, hosted_id)?;
    let mut flow = flows
        .remove(hosted_id)
        .unwrap_or_else(|| Flow::enter(app, &mut world, &link));
    let finished = flow.take(app, &mut world, &link, fields);
    let Some(ending) = finished else {
        flows.insert(hosted_id.to_owned(), flow);
        return Ok(Next::Show);
    };
    drop(flows);
    let notices = finish::record(app, &mut world, &link, flow, ending);
    drop(world);
    app.send(notices);
    Ok(Next::Leave(link.completion_redirect_uri))
}

/// Whether nobody can come in any more.
pub(crate) fn is_closed(app: &App, hosted_id: &str) -> bool {
    open_link(app, &crate::lock(&app.world), hosted_id).is_err()
}

fn open_link(app: &App, world: &World, hosted_id: &str) -> Result<Link, Closed> {
    let link = world.link_behind(hosted_id).ok_or(Closed::Unknown)?;
    if link.is_spent() {
        Err(Closed::Done)
    } else if link.expires_at <= app.clock.now() {
        Err(Closed::Expired)
    } else {
        Ok(link.clone())
    }
}
