//! What is asked of those who become members: credentials that their bank asked for, and nobody there who is them already.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::banks::Bank;
use super::error::MxError;
use super::request::{flag, text};
use crate::world::World;
use crate::world::mx::member::Member;
use crate::world::mx::{Held, User};

/// The user name and password out of what the bank's fields were answered with.
pub(crate) fn login(bank: &Bank, given: Option<&Value>) -> Result<(String, String), MxError> {
    let given = given
        .and_then(Value::as_array)
        .ok_or_else(|| MxError::invalid("credentials are missing"))?;
    let known = bank.fields();
    let mut found = HashMap::new();
    for one in given {
        let guid = one.get("guid").and_then(Value::as_str).unwrap_or_default();
        let field = known
            .iter()
            .find(|field| field.guid == guid)
            .ok_or_else(|| MxError::invalid("a credential is not one of this institution"))?;
        let value = one.get("value").and_then(Value::as_str);
        let value =
            value.ok_or_else(|| MxError::invalid(format!("{} has no value", field.label)))?;
        found.insert(field.name, value.to_owned());
    }
    if let Some(field) = known.iter().find(|field| !found.contains_key(field.name)) {
        return Err(MxError::invalid(format!("{} is missing", field.label)));
    }
    let mut take = |name| found.remove(name).unwrap_or_default();
    Ok((take("LOGIN"), take("PASSWORD")))
}

/// Refuses an id that another member of this user has.
pub(crate) fn free(
    world: &World,
    user: &User,
    but: Option<&str>,
    id: Option<&str>,
) -> Result<(), MxError> {
    let Some(id) = id else { return Ok(()) };
    let members = world.mx.members_of(&user.guid);
    let taken =
        |held: &&Held| held.member.id.as_deref() == Some(id) && Some(&*held.member.guid) != but;
    if members.iter().any(taken) {
        Err(MxError::conflict("a member with this id already exists"))
    } else {
        Ok(())
    }
}

/// Refuses a second member of one user at one bank under one login.
pub(crate) fn single(
    world: &World,
    user: &User,
    bank: &Bank,
    username: &str,
) -> Result<(), MxError> {
    let members = world.mx.members_of(&user.guid);
    let same = |held: &&Held| {
        held.member.institution_code == bank.code && held.member.username == username
    };
    if !bank.oauth && members.iter().any(same) {
        Err(MxError::conflict(
            "a member with these credentials already exists",
        ))
    } else {
        Ok(())
    }
}

/// Takes what is given of a member's own details.
pub(crate) fn change(member: &mut Member, fields: &Map<String, Value>) -> Result<(), MxError> {
    for (name, held) in [("id", &mut member.id), ("metadata", &mut member.metadata)] {
        if let Some(given) = text(fields, name)? {
            *held = Some(given);
        }
    }
    if let Some(disabled) = flag(fields, "background_aggregation_is_disabled")? {
        member.background_aggregation_is_disabled = disabled;
    }
    if let Some(cases) = fields.get("use_cases").and_then(Value::as_array) {
        let words = cases.iter().filter_map(Value::as_str);
        member.use_cases = words.map(str::to_owned).collect();
    }
    Ok(())
}
