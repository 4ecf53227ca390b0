//! What an endpoint sees of a request, and how it looks up whom the path names.

use std::cell::RefCell;
use std::sync::{Arc, MutexGuard};

use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

use super::Vars;
use super::error::MxError;
use crate::app::App;
use crate::world::World;
use crate::world::mx::{Held, MxOp, User};
use crate::world::op::Op;

/// A body with its status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
}

pub(crate) type Answer = Result<Reply, MxError>;

/// What a page of transactions was read from, for changes that wait for it.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) member_guids: Vec<String>,
    pub(crate) page: usize,
}

/// A request that has been read.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) app: Arc<App>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) vars: Vars,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Value,
    /// `X-CALLBACK-PAYLOAD`, which webhooks give back.
    pub(crate) callback: Option<String>,
    /// Whether paths may name users and members by the caller's own ids, as they may since `v20250224`.
    pub(crate) by_own_id: bool,
    pub(crate) listed: RefCell<Option<Listed>>,
}

impl Request {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        crate::lock(&self.app.world)
    }

    pub(crate) fn var(&self, name: &str) -> &str {
        self.vars
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.queries(name).next()
    }

    /// Every value under a name that may be given several times.
    pub(crate) fn queries(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query
            .iter()
            .filter(move |(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A day in the query.
    pub(crate) fn day(&self, name: &str) -> Result<Option<NaiveDate>, MxError> {
        let wrong = |_| MxError::invalid(format!("{name} is not a date of the form YYYY-MM-DD"));
        self.query(name)
            .map(|text| text.parse().map_err(wrong))
            .transpose()
    }

    /// The object in the body that goes by this name.
    pub(crate) fn object(&self, name: &str) -> Result<&Map<String, Value>, MxError> {
        self.body
            .get(name)
            .and_then(Value::as_object)
            .ok_or_else(|| MxError::invalid(format!("{name} is missing")))
    }

    pub(crate) fn user<'w>(&self, world: &'w World) -> Result<&'w User, MxError> {
        let named = self.var("user_guid");
        let own = |user: &&User| self.by_own_id && user.id.as_deref() == Some(named);
        let mut users = world.mx.users.values();
        let user = world.mx.users.get(named).or_else(|| users.find(own));
        user.ok_or_else(|| MxError::missing("user"))
    }

    /// The member, provided that it is this user's.
    pub(crate) fn member<'w>(&self, world: &'w World) -> Result<&'w Held, MxError> {
        let user = self.user(world)?;
        let named = self.var("member_guid");
        let members = world.mx.members_of(&user.guid).into_iter();
        let mut found = members.filter(|held| {
            held.member.guid == named
                || (self.by_own_id && held.member.id.as_deref() == Some(named))
        });
        found.next().ok_or_else(|| MxError::missing("member"))
    }
}

/// 200.
pub(crate) fn ok(body: &impl Serialize) -> Answer {
    reply(StatusCode::OK, body)
}

/// 202.
pub(crate) fn accepted(body: &impl Serialize) -> Answer {
    reply(StatusCode::ACCEPTED, body)
}

/// 204.
pub(crate) fn nothing() -> Reply {
    Reply {
        status: StatusCode::NO_CONTENT,
        body: Vec::new(),
    }
}

fn reply(status: StatusCode, body: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(body).map_err(|error| {
        tracing::error!(%error, "an answer could not be written");
        MxError::new(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong")
    })?;
    Ok(Reply { status, body })
}

impl World {
    pub(crate) fn commit_mx(&mut self, at: DateTime<Utc>, op: MxOp) {
        self.commit(at, Op::Mx(op));
    }
}

/// Text under a name; absent and null are the same.
pub(crate) fn text(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, MxError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(MxError::invalid(format!("{name} must be text"))),
    }
}

/// A switch under a name.
pub(crate) fn flag(fields: &Map<String, Value>, name: &str) -> Result<Option<bool>, MxError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(MxError::invalid(format!("{name} must be true or false"))),
    }
}
