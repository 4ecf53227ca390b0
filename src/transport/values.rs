//! How much the values of a request hold: the schema checks every entry, and the database gets a
//! parameter for each.

use async_graphql::{
    Positioned, Value, Variables,
    parser::types::{Directive, Field, OperationDefinition},
};

use super::{fault::Fault, limits::Limits};

/// Refuses variables that hold too much.
pub(super) fn of_variables(variables: &Variables, limits: &Limits) -> Result<(), Fault> {
    let mut values = variables.iter();
    values.try_for_each(|(name, value)| demand(value, limits, || format!("Variable \"${name}\"")))
}

/// Refuses an operation that defines too many variables, or ones with too much in them.
pub(super) fn of_definitions(
    operation: &OperationDefinition,
    limits: &Limits,
) -> Result<(), Fault> {
    count(operation.variable_definitions.len(), limits)?;
    for Positioned { node, .. } in &operation.variable_definitions {
        if let Some(value) = &node.default_value {
            demand(&value.node, limits, || "A default value".to_owned())?;
        }
    }
    Ok(())
}

/// Refuses a field that is given too much.
pub(super) fn of_field(field: &Field, limits: &Limits) -> Result<(), Fault> {
    count(field.arguments.len(), limits)?;
    for (name, value) in &field.arguments {
        // What a variable stands for is looked at with the variables.
        let value = value
            .node
            .clone()
            .into_const_with(|_| Ok::<_, Fault>(Value::Null))?;
        demand(&value, limits, || format!("Argument \"{}\"", name.node))?;
    }
    Ok(())
}

/// Refuses a directive that is given too much.
pub(super) fn of_directive(directive: &Directive, limits: &Limits) -> Result<(), Fault> {
    count(directive.arguments.len(), limits)
}

fn count(arguments: usize, limits: &Limits) -> Result<(), Fault> {
    if arguments > limits.arguments {
        let most = limits.arguments;
        return Err(Fault::too_complex(format!(
            "A field takes at most {most} arguments, and an operation {most} variables."
        )));
    }
    Ok(())
}

fn demand(value: &Value, limits: &Limits, place: impl FnOnce() -> String) -> Result<(), Fault> {
    let (entries, most) = (longest(value), limits.entries);
    if entries > most {
        let place = place();
        return Err(Fault::input(format!(
            "{place} holds {entries} entries in one list or object: pass at most {most}."
        )));
    }
    Ok(())
}

/// The entries of the longest list or object in a value.
fn longest(value: &Value) -> usize {
    match value {
        Value::List(items) => {
            let below = items.iter().map(longest).max();
            items.len().max(below.unwrap_or_default())
        }
        Value::Object(fields) => {
            let below = fields.values().map(longest).max();
            fields.len().max(below.unwrap_or_default())
        }
        _ => 0,
    }
}
