//! `/users`: whom members belong to.

use serde_json::{Map, Value, json};

use super::error::MxError;
use super::paging::Page;
use super::request::{Answer, Request, flag, nothing, ok, text};
use crate::world::World;
use crate::world::mx::row::guid;
use crate::world::mx::{MxOp, User};

fn shown(user: &User) -> Value {
    json!({
        "guid": user.guid, "id": user.id, "email": user.email, "metadata": user.metadata, "is_disabled": user.is_disabled,
    })
}

pub(crate) fn list(request: &Request) -> Answer {
    let world = request.world();
    let named = |name: &str, given: Option<&str>| {
        request
            .query(name)
            .is_none_or(|wanted| given == Some(wanted))
    };
    let mut found: Vec<&User> = world
        .mx
        .users
        .values()
        .filter(|user| named("id", user.id.as_deref()) && named("email", user.email.as_deref()))
        .filter(|user| named("is_disabled", Some(&user.is_disabled.to_string())))
        .collect();
    found.sort_by_key(|user| user.number);
    let (users, pagination) = Page::asked(request, 1_000).of(found);
    let users: Vec<Value> = users.into_iter().map(shown).collect();
    ok(&json!({ "users": users, "pagination": pagination }))
}

/// Makes a user. An `id` that somebody has already is refused, so that two calls for one person make one user.
pub(crate) fn create(request: &Request) -> Answer {
    let fields = request.object("user")?;
    let mut world = request.world();
    let id = text(fields, "id")?;
    vacant(&world, id.as_deref(), None)?;
    let number = world.mx.users.values().map(|user| user.number).max();
    let mut user = User {
        guid: guid("USR", world.draw("mx user")),
        number: number.unwrap_or(0) + 1,
        id,
        email: None,
        metadata: None,
        is_disabled: false,
    };
    change(&mut user, fields)?;
    put(request, &mut world, user)
}

pub(crate) fn read(request: &Request) -> Answer {
    let world = request.world();
    ok(&json!({ "user": shown(request.user(&world)?) }))
}

pub(crate) fn update(request: &Request) -> Answer {
    let fields = request.object("user")?;
    let mut world = request.world();
    let mut user = request.user(&world)?.clone();
    if let Some(id) = text(fields, "id")? {
        vacant(&world, Some(&id), Some(&user.guid))?;
        user.id = Some(id);
    }
    change(&mut user, fields)?;
    put(request, &mut world, user)
}

/// Deletes a user with his members. For good, as with MX.
pub(crate) fn delete(request: &Request) -> Answer {
    let mut world = request.world();
    let user = request.user(&world)?.guid.clone();
    let members: Vec<String> = world
        .mx
        .members_of(&user)
        .iter()
        .map(|held| held.member.guid.clone())
        .collect();
    for guid in members {
        world.commit_mx(request.now, MxOp::MemberGone { guid });
    }
    world.commit_mx(request.now, MxOp::UserGone { guid: user });
    Ok(nothing())
}

fn vacant(world: &World, id: Option<&str>, but: Option<&str>) -> Result<(), MxError> {
    let Some(id) = id else { return Ok(()) };
    let taken = |user: &User| user.id.as_deref() == Some(id) && Some(&*user.guid) != but;
    if world.mx.users.values().any(taken) {
        Err(MxError::conflict("a user with this id already exists"))
    } else {
        Ok(())
    }
}

fn change(user: &mut User, fields: &Map<String, Value>) -> Result<(), MxError> {
    for (name, held) in [("email", &mut user.email), ("metadata", &mut user.metadata)] {
        if let Some(given) = text(fields, name)? {
            *held = Some(given);
        }
    }
    user.is_disabled = flag(fields, "is_disabled")?.unwrap_or(user.is_disabled);
    Ok(())
}

fn put(request: &Request, world: &mut World, user: User) -> Answer {
    let answer = ok(&json!({ "user": shown(&user) }));
    world.commit_mx(request.now, MxOp::UserPut(Box::new(user)));
    answer
}
