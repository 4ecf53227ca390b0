//! What the schema promises as a whole, whatever its parts are.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{
            ConstDirective, FieldDefinition, ObjectType, TypeDefinition, TypeKind,
            TypeSystemDefinition,
        },
    },
};

use super::*;

fn types() -> HashMap<String, TypeDefinition> {
    let document = parse_schema(sdl()).unwrap();
    let types = document
        .definitions
        .into_iter()
        .filter_map(|one| match one {
            TypeSystemDefinition::Type(one) => Some((one.node.name.node.to_string(), one.node)),
            _ => None,
        });
    types.collect()
}

fn objects(types: &HashMap<String, TypeDefinition>) -> Vec<(&str, &ObjectType)> {
    let mut objects = Vec::new();
    for (name, one) in types {
        if let TypeKind::Object(object) = &one.kind {
            objects.push((name.as_str(), object));
        }
    }
    objects
}

/// The type of a field as it is written; nothing if there is no such field.
fn kind(fields: &[Positioned<FieldDefinition>], name: &str) -> String {
    let field = fields.iter().find(|field| field.node.name.node == name);
    field.map_or_else(String::new, |field| field.node.ty.node.to_string())
}

fn argument(directives: &[Positioned<ConstDirective>], name: &str) -> Option<String> {
    let directive = directives.iter().find(|one| one.node.name.node == name)?;
    let (_, value) = directive.node.arguments.first()?;
    Some(value.node.to_string())
}

#[test]
fn every_scalar_says_where_it_is_specified() {
    for (name, one) in types() {
        if matches!(one.kind, TypeKind::Scalar) {
            let url = argument(&one.directives, "specifiedBy").unwrap_or_default();
            assert!(url.starts_with("\"https://"), "{name}: {url}");
        }
    }
}

#[test]
fn lists_are_connections_as_relay_wants_them() {
    let types = types();
    let mut pages = 0;
    for (name, object) in objects(&types) {
        if let Some(row) = name.strip_suffix("Connection") {
            assert_eq!(kind(&object.fields, "pageInfo"), "PageInfo!", "{name}");
            assert_eq!(
                kind(&object.fields, "edges"),
                format!("[{row}Edge!]!"),
                "{name}"
            );
            pages += 1;
        }
        if let Some(row) = name.strip_suffix("Edge") {
            assert_eq!(kind(&object.fields, "cursor"), "String!", "{name}");
            assert_eq!(kind(&object.fields, "node"), format!("{row}!"), "{name}");
        }
        for field in &object.fields {
            let field = &field.node;
            if field.ty.node.to_string().ends_with("Connection!") {
                let given = |wanted: &str| {
                    let mut arguments = field.arguments.iter();
                    let found = arguments.find(|one| one.node.name.node == wanted);
                    found.map(|one| one.node.ty.node.to_string())
                };
                let place = (given("first"), given("after"));
                let wanted = (Some("Int".into()), Some("String".into()));
                assert_eq!(place, wanted, "{name}.{}", field.name.node);
            }
        }
    }
    assert!(pages > 5, "only {pages} connections");
}

#[test]
fn what_has_an_id_can_be_asked_for_by_it() {
    let types = types();
    for (name, object) in objects(&types) {
        let has_id = kind(&object.fields, "id") == "ID!";
        let is_node = object.implements.iter().any(|one| one.node == "Node");
        // A tombstone names what is gone; the others are named by whoever they belong to.
        let parts = ["TransactionRemoved", "Challenge", "CredentialField"];
        assert!(has_id == is_node || parts.contains(&name), "{name}");
    }
    let root = &objects(&types)
        .into_iter()
        .find(|(name, _)| *name == "Query")
        .unwrap()
        .1
        .fields;
    assert_eq!(
        (kind(root, "node"), kind(root, "nodes")),
        ("Node".into(), "[Node]!".into())
    );
}

#[test]
fn every_mutation_has_one_input_and_tells_its_errors() {
    let types = types();
    let objects: HashMap<_, _> = objects(&types).into_iter().collect();
    for field in &objects["Mutation"].fields {
        let (name, field) = (&field.node.name.node, &field.node);
        let inputs: Vec<&str> = field
            .arguments
            .iter()
            .map(|one| one.node.name.node.as_str())
            .collect();
        assert!(
            inputs.is_empty() || inputs == ["input"],
            "{name}: {inputs:?}"
        );
        let payload = field.ty.node.to_string();
        let payload = payload.strip_suffix('!').unwrap_or(&payload);
        assert!(payload.ends_with("Payload"), "{name}: {payload}");
        assert_eq!(
            kind(&objects[payload].fields, "userErrors"),
            "[UserError!]!",
            "{name}"
        );
    }
}

/// What is deprecated says what to use instead and since when: "Use `x`. Since 2026-11-21."
fn is_dated(reason: &str) -> bool {
    let Some((remedy, since)) = reason.trim_matches('"').split_once(" Since ") else {
        return false;
    };
    let date = since.strip_suffix('.').unwrap_or_default();
    remedy.starts_with("Use ") && chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok()
}

#[test]
fn what_is_deprecated_says_what_to_use_and_since_when() {
    assert!(is_dated("\"Use `nodes`. Since 2026-11-21.\""));
    for reason in [
        "",
        "\"No longer supported\"",
        "\"Use `nodes`.\"",
        "\"Use `x`. Since May.\"",
    ] {
        assert!(!is_dated(reason), "{reason}");
    }
    for line in sdl().lines().filter(|line| line.contains("@deprecated")) {
        let (_, reason) = line.split_once("reason: ").unwrap_or_default();
        let reason = reason.trim_end().trim_end_matches(')');
        assert!(is_dated(reason), "{line}");
    }
}

#[tokio::test]
async fn the_name_that_was_meant_is_told_only_where_it_may_be() {
    let mut handles = crate::app::testing::app().await;
    for suggestions in [true, false] {
        let mut config = (*handles.config).clone();
        config.wire.suggestions = suggestions;
        handles.app.config = Arc::new(config);
        let auth = Auth::new(handles.app.clone()).unwrap();
        let schema = build(&handles, auth);
        for query in ["{ viewr { id } }", "{ items(fist: 1) { nodes { id } } }"] {
            let message = schema.execute(query).await.errors[0].message.clone();
            assert_eq!(message.contains("Did you mean"), suggestions, "{message}");
        }
    }
}
