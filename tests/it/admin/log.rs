//! The log of what administrators look at and do.

use std::time::Duration;

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use passbook::schema::sdl;
use serde_json::{Value, json};

use super::{about, has, id_of, log_of, seen};
use crate::support::{DEVICE, Person, TestApp};

const LOG: &str = "auditLog(first: 100) { nodes { action arguments address userAgent admin { email } user { email } } }";

async fn entries(admin: &Person) -> Vec<Value> {
    let told = seen(admin, LOG).await;
    told["nodes"].as_array().unwrap().clone()
}

/// The fields of `admin`, each with what it takes to ask for it.
fn fields(user: &str) -> Vec<(String, String)> {
    let definitions = parse_schema(sdl()).unwrap().definitions;
    let admin = definitions.into_iter().find_map(|one| match one {
        TypeSystemDefinition::Type(one) if one.node.name.node == "Admin" => Some(one.node.kind),
        _ => None,
    });
    let Some(TypeKind::Object(admin)) = admin else {
        panic!("no Admin");
    };
    let fields = admin
        .fields
        .iter()
        .map(|field| field.node.name.node.to_string());
    fields
        .map(|name| {
            let arguments = if name == "user" {
                format!("(id: \"{user}\")")
            } else {
                String::new()
            };
            (name.clone(), format!("{name}{arguments} {{ __typename }}"))
        })
        .collect()
}

#[tokio::test]
async fn whatever_an_administrator_looks_at_is_in_the_log_once() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.administrator("ana").await, app.person("bob").await);
    let his = id_of(&bob).await;
    let fields = fields(&his);
    assert!(fields.len() >= 8, "{fields:?}");
    for (name, field) in &fields {
        let before = app.count("SELECT count(*) FROM admin_accesses").await;
        ana.ask(&format!("{{ admin {{ {field} }} }}"), json!({}))
            .await;
        let sql = "SELECT count(*) FROM admin_accesses";
        assert_eq!(app.count(sql).await, before + 1, "{name}");
        let newest = &entries(&ana).await[1];
        assert_eq!(
            (&newest["action"], &newest["admin"]["email"]),
            (&json!(name), &json!("ana@example.com"))
        );
        let from = (&newest["address"], &newest["userAgent"]);
        assert_eq!(from, (&json!("127.0.0.1"), &json!(DEVICE)));
    }
    let many = "users(filter: {search: \"b\"}, first: 50) { nodes { email itemCount } }";
    seen(&ana, many).await;
    let newest = entries(&ana).await[1].clone();
    let given: Value = serde_json::from_str(newest["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(given, json!({"filter": {"search": "b"}, "first": 50}));
    assert_eq!(newest["user"], Value::Null);
}

#[tokio::test]
async fn a_person_learns_what_was_looked_at_of_her_alone() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.administrator("ana").await, app.person("bob").await);
    let his = id_of(&bob).await;
    seen(&ana, "users { nodes { email } }").await;
    seen(&ana, "items { nodes { itemId } }").await;
    assert_eq!(
        log_of(&bob).await.len(),
        1,
        "lists of all are about nobody alone"
    );
    seen(&ana, &format!("user(id: \"{his}\") {{ email }}")).await;
    seen(
        &ana,
        &format!("items(filter: {{userId: \"{his}\"}}) {{ nodes {{ itemId }} }}"),
    )
    .await;
    assert!(has(&bob, "ACCOUNT_VIEWED", Some("user")).await);
    assert!(has(&bob, "ACCOUNT_VIEWED", Some("items")).await);
    let where_from = bob
        .ask(
            "{ activity(first: 1) { nodes { address userAgent } } }",
            json!({}),
        )
        .await;
    let nowhere = json!([{"address": null, "userAgent": null}]);
    assert_eq!(
        where_from["activity"]["nodes"], nowhere,
        "where the administrator was is hers"
    );
    about(&ana, "lockUser", &his).await;
    let of_bob = format!("auditLog(filter: {{userId: \"{his}\"}}) {{ nodes {{ action }} }}");
    let told = seen(&ana, &of_bob).await;
    let actions: Vec<_> = told["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["auditLog", "lockUser", "items", "user"]);
    // What was refused is not done, and not in the log.
    about(&ana, "lockUser", &id_of(&ana).await).await;
    assert_eq!(
        seen(&ana, &of_bob).await["nodes"].as_array().unwrap().len(),
        5
    );
    let refused = "SELECT count(*) FROM admin_accesses WHERE action = 'lockUser'";
    assert_eq!(app.count(refused).await, 1);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_shown_and_not_done() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.administrator("ana").await, app.person("bob").await);
    let his = id_of(&bob).await;
    app.meddle("ALTER TABLE admin_accesses RENAME TO elsewhere")
        .await;
    let told = ana
        .answer("{ admin { users { nodes { email } } } }", json!({}))
        .await;
    assert_eq!(
        told["errors"][0]["extensions"]["code"],
        "INTERNAL_SERVER_ERROR"
    );
    assert!(!told.to_string().contains("example.com"), "{told}");
    let document = "mutation($id: ID!) { lockUser(input: {userId: $id}) { user { email } } }";
    let told = ana.error(document, json!({"id": his})).await;
    assert_eq!(told, "INTERNAL_SERVER_ERROR");
    bob.ask("{ viewer { id } }", json!({})).await;
}

#[tokio::test]
async fn entries_are_kept_for_a_year() {
    let app = TestApp::start().await;
    let ana = app.administrator("ana").await;
    seen(&ana, "overview { deadJobs }").await;
    let kept = "SELECT count(*) FROM admin_accesses";
    let day = Duration::from_hours(24);
    app.passes(day * 364, "auth.prune").await;
    assert_eq!(app.count(kept).await, 1);
    app.passes(day * 2, "auth.prune").await;
    assert_eq!(app.count(kept).await, 0);
}
