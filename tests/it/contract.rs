//! The outside contract: the schema file, its descriptions, and what strangers get.

use std::fs;

use passbook::schema;
use serde_json::{Value, json};

use crate::support::TestApp;

/// Root fields that somebody without a session may use.
const OPEN: &[&str] = &[
    "register",
    "login",
    "completeLogin",
    "refreshSession",
    "logout",
    "requestPasswordReset",
    "resetPassword",
    "verifyEmail",
    "identityProviders",
    "startSocialLogin",
    "completeSocialLogin",
];

fn read(name: &str) -> String {
    fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn the_schema_file_is_what_is_served() {
    let current = read("schema.graphql") == format!("{}\n", schema::sdl());
    assert!(current, "run `cargo run -- schema > schema.graphql`");
}

#[tokio::test]
async fn every_root_field_refuses_a_stranger() {
    let app = TestApp::start().await;
    let stranger = app.person("ana").await.stranger();
    let schema = introspect(&stranger).await;
    let mut asked = 0;
    for (kind, root) in [("query", "queryType"), ("mutation", "mutationType")] {
        for field in fields(&schema, root) {
            let name = field["name"].as_str().unwrap();
            if OPEN.contains(&name) {
                continue;
            }
            let document = format!("{kind} {{ {} }}", call(&schema, &field));
            assert_eq!(
                stranger.error(&document, json!({})).await,
                "UNAUTHENTICATED",
                "{document}"
            );
            asked += 1;
        }
    }
    for field in fields(&schema, "subscriptionType") {
        let document = format!("subscription {{ {} }}", call(&schema, &field));
        let refused = stranger.watch(&document, json!({})).await.message().await;
        assert_eq!(refused["type"], "error", "{document}: {refused}");
        assert_eq!(
            refused["payload"][0]["extensions"]["code"], "UNAUTHENTICATED",
            "{document}"
        );
        asked += 1;
    }
    assert!(asked > 15, "only {asked} root fields");
}

#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let app = TestApp::start().await;
    let schema = introspect(&app.person("ana").await.stranger()).await;
    let mut silent = Vec::new();
    for kind in schema["types"].as_array().unwrap() {
        let name = kind["name"].as_str().unwrap();
        if name.starts_with("__") {
            continue;
        }
        let mut check = |what: &Value, path: String| {
            if what["description"].as_str().is_none_or(str::is_empty) {
                silent.push(path);
            }
        };
        check(kind, name.to_owned());
        for list in ["fields", "inputFields", "enumValues"] {
            for member in kind[list].as_array().into_iter().flatten() {
                let path = format!("{name}.{}", member["name"].as_str().unwrap());
                check(member, path.clone());
                for argument in member["args"].as_array().into_iter().flatten() {
                    check(
                        argument,
                        format!("{path}({})", argument["name"].as_str().unwrap()),
                    );
                }
            }
        }
    }
    let built_in = ["Boolean", "Float", "ID", "Int", "String"];
    silent.retain(|path| !built_in.contains(&path.as_str()));
    assert!(silent.is_empty(), "without a description: {silent:#?}");
}

async fn introspect(person: &crate::support::Person) -> Value {
    let shape = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
    let document = format!(
        "{{ __schema {{ queryType {{ name }} mutationType {{ name }} subscriptionType {{ name }} types {{ \
         kind name description enumValues {{ name description }} \
         fields {{ name description type {{ {shape} }} args {{ name description type {{ {shape} }} }} }} \
         inputFields {{ name description type {{ {shape} }} }} }} }} }}"
    );
    person.ask(&document, json!({})).await["__schema"].take()
}

fn find<'a>(schema: &'a Value, name: &str) -> &'a Value {
    schema["types"]
        .as_array()
        .unwrap()
        .iter()
        .find(|kind| kind["name"] == name)
        .unwrap()
}

fn fields(schema: &Value, root: &str) -> Vec<Value> {
    let name = schema[root]["name"].as_str().unwrap();
    find(schema, name)["fields"].as_array().unwrap().clone()
}

/// A field with made-up values for the arguments it cannot do without.
fn call(schema: &Value, field: &Value) -> String {
    let arguments: Vec<String> = field["args"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|argument| argument["type"]["kind"] == "NON_NULL")
        .map(|argument| {
            format!(
                "{}: {}",
                argument["name"].as_str().unwrap(),
                value(schema, &argument["type"])
            )
        })
        .collect();
    let arguments = if arguments.is_empty() {
        String::new()
    } else {
        format!("({})", arguments.join(", "))
    };
    let mut kind = &field["type"];
    while kind["ofType"].is_object() {
        kind = &kind["ofType"];
    }
    let selection = if matches!(kind["kind"].as_str(), Some("SCALAR" | "ENUM")) {
        ""
    } else {
        " { __typename }"
    };
    format!("{}{arguments}{selection}", field["name"].as_str().unwrap())
}

fn value(schema: &Value, kind: &Value) -> String {
    match kind["kind"].as_str().unwrap() {
        "NON_NULL" => value(schema, &kind["ofType"]),
        "LIST" => "[]".to_owned(),
        "ENUM" => find(schema, kind["name"].as_str().unwrap())["enumValues"][0]["name"]
            .as_str()
            .unwrap()
            .to_owned(),
        "INPUT_OBJECT" => {
            let members: Vec<String> = find(schema, kind["name"].as_str().unwrap())["inputFields"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|member| member["type"]["kind"] == "NON_NULL")
                .map(|member| {
                    format!(
                        "{}: {}",
                        member["name"].as_str().unwrap(),
                        value(schema, &member["type"])
                    )
                })
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        _ => match kind["name"].as_str().unwrap() {
            "Int" => "1".to_owned(),
            "Boolean" => "true".to_owned(),
            "Date" => "\"2026-01-31\"".to_owned(),
            "Decimal" => "\"1\"".to_owned(),
            "CurrencyCode" => "\"USD\"".to_owned(),
            _ => "\"x\"".to_owned(),
        },
    }
}
