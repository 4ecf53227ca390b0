//! One preparation for every way in: whatever a client sends, over HTTP or a socket, is parsed once,
//! weighed, and fitted with its variables before anything executes it.

use async_graphql::{
    Name, Positioned, Request, Value, Variables,
    parser::{
        parse_query,
        types::{
            BaseType, DocumentOperations, ExecutableDocument, OperationDefinition, OperationType,
            Type,
        },
    },
};

use uuid::Uuid;

use super::{
    Share, empty, fault::Fault, limits::Limits, order::Order, params::Params, scan::scan, values,
    weight::weigh,
};
use crate::graphql::errors::one_line;

/// An operation that may run.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) request: Request,
    pub(super) kind: OperationType,
    /// The order its answers are written in.
    pub(super) order: Order,
    /// Whether it works without a token, so that a bad one does not matter.
    pub(super) open: bool,
    /// What it counts as, once it is somebody's.
    pub(super) share: Option<Share<Uuid>>,
}

/// Makes a request of what a client asks, or says why not.
pub(super) fn prepare(params: Params, limits: &Limits) -> Result<Prepared, Fault> {
    scan(&params.query, limits)?;
    let mut document = parse_query(&params.query).map_err(|error| {
        let at = error.positions().next();
        Fault::syntax(one_line(&error.to_string())).at(at)
    })?;
    let (name, operation) = choose(&document, params.operation_name.as_deref())?;
    let open = weigh(&document, operation, limits)?;
    values::of_variables(&params.variables, limits)?;
    let order = Order::of(&document, operation);
    fit(&operation.node, &params.variables)?;
    let (name, kind) = (name.map(Name::to_string), operation.node.ty);
    empty::fill(&mut document);
    let mut request = Request::new(params.query).variables(params.variables);
    request.operation_name = name;
    request.set_parsed_query(document);
    Ok(Prepared {
        request,
        kind,
        order,
        open,
        share: None,
    })
}

type Chosen<'a> = (Option<&'a Name>, &'a Positioned<OperationDefinition>);

/// The operation that is meant.
fn choose<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Result<Chosen<'a>, Fault> {
    let unknown = |name| Fault::input(format!("There is no operation \"{name}\" in the document."));
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok((None, operation)),
        (DocumentOperations::Single(_), Some(name)) => Err(unknown(name)),
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get_key_value(name)
            .map(|(name, operation)| (Some(name), operation))
            .ok_or_else(|| unknown(name)),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => operations
            .iter()
            .next()
            .map(|(name, operation)| (Some(name), operation))
            .ok_or_else(|| Fault::input("The document holds no operation.")),
        (DocumentOperations::Multiple(_), None) => Err(Fault::input(
            "The document holds several operations: say which in `operationName`.",
        )),
    }
}

/// Compares the variables with their definitions.
fn fit(operation: &OperationDefinition, variables: &Variables) -> Result<(), Fault> {
    for definition in &operation.variable_definitions {
        let (name, wanted) = (&definition.node.name.node, &definition.node.var_type.node);
        let wrong = |why: &str| {
            let why = format!("Variable \"${name}\" of type \"{wanted}\" {why}.");
            Err(Fault::input(why).at(Some(definition.pos)))
        };
        match variables.get(name) {
            None if definition.node.default_value.is_some() || wanted.nullable => {}
            None => return wrong("is required and was not given"),
            Some(value) if !fits(wanted, value) => return wrong("was given another value"),
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whether a value can be of a type, as far as the type's name tells.
fn fits(wanted: &Type, value: &Value) -> bool {
    if *value == Value::Null {
        return wanted.nullable;
    }
    match (&wanted.base, value) {
        (BaseType::List(item), Value::List(items)) => items.iter().all(|value| fits(item, value)),
        // A single value stands for a list of one.
        (BaseType::List(item), value) => fits(item, value),
        (BaseType::Named(name), value) => match (name.as_str(), value) {
            ("Int", Value::Number(number)) => number
                .as_i64()
                .is_some_and(|number| i32::try_from(number).is_ok()),
            ("Float", Value::Number(_))
            | ("String" | "ID", Value::String(_))
            | ("Boolean", Value::Boolean(_)) => true,
            ("ID", Value::Number(number)) => number.is_i64() || number.is_u64(),
            ("Int" | "Float" | "String" | "ID" | "Boolean", _) => false,
            _ => true,
        },
    }
}
