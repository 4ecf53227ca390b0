//! What administrators see, and who sees nothing.

use std::collections::{BTreeSet, HashMap};

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, Type, TypeKind, TypeSystemDefinition},
};
use passbook::schema::sdl;
use serde_json::{Value, json};

use super::{id_of, seen};
use crate::{
    isolation::Types,
    support::{Person, TestApp},
};

/// What only administrators may ask for: all that the schema says so of, and what is odd.
fn questions(user: &str) -> Vec<(String, Value)> {
    let closed = Types::read(&sdl()).closed().into_iter();
    let closed = closed.map(|field| (field.document, field.variables));
    let odd = [
        "__typename".to_owned(),
        format!("user(id: \"{user}\") {{ email }}"),
        "user(id: \"nonsense\") { email }".to_owned(),
        "jobs(first: 0) { nodes { jobId } }".to_owned(),
        "jobs(filter: {kind: \"; --\"}) { nodes { jobId } }".to_owned(),
        "webhookDeliveries(after: \"x\") { nodes { code } }".to_owned(),
    ];
    let odd = odd.map(|field| (format!("{{ admin {{ {field} }} }}"), json!({})));
    closed.chain(odd).collect()
}

/// An answer without what is different each time.
async fn answer(person: &Person, document: &str, variables: &Value) -> Value {
    let mut answer = person.answer(document, variables.clone()).await;
    answer.as_object_mut().unwrap().remove("extensions");
    let error = answer["errors"][0].as_object_mut().unwrap();
    error["extensions"]
        .as_object_mut()
        .unwrap()
        .remove("requestId");
    error.remove("locations");
    answer
}

#[tokio::test]
async fn who_is_no_administrator_gets_the_same_answer_whatever_is_asked_for() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.administrator("ana").await, app.person("bob").await);
    let hers = id_of(&ana).await;
    let mut queries = BTreeSet::new();
    let mut mutations = 0;
    for (question, variables) in questions(&hers) {
        let told = answer(&bob, &question, &variables).await;
        let code = &told["errors"][0]["extensions"]["code"];
        assert_eq!(code, "FORBIDDEN", "{question}: {told}");
        if question.starts_with("mutation") {
            assert_eq!(told["data"], Value::Null);
            mutations += 1;
        } else {
            assert_eq!(told["data"], json!({"admin": null}));
            queries.insert(told.to_string());
        }
        let stranger = bob.stranger().error(&question, variables).await;
        assert_eq!(stranger, "UNAUTHENTICATED", "{question}");
    }
    assert!(mutations >= 9, "{mutations}");
    assert_eq!(queries.len(), 1, "{queries:?}");
    assert_eq!(app.count("SELECT count(*) FROM admin_accesses").await, 0);
    let beside = bob
        .answer("{ viewer { role } admin { __typename } }", json!({}))
        .await;
    assert_eq!(
        beside["data"],
        json!({"viewer": {"role": "USER"}, "admin": null})
    );
    ana.ask("{ viewer { role } }", json!({})).await;
    assert_eq!(
        seen(&ana, "user(id: \"nonsense\") { email }").await,
        Value::Null
    );
}

#[tokio::test]
async fn an_administrator_finds_people_by_their_addresses() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.administrator("ana").await, app.person("bob").await);
    bob.link(&app.bank, "user_good").await;
    app.idle().await;

    let people = seen(
        &ana,
        "users { nodes { email role lockedAt itemCount lastSignedInAt } }",
    )
    .await;
    let nodes = people["nodes"].as_array().unwrap();
    let emails: Vec<_> = nodes
        .iter()
        .map(|one| one["email"].as_str().unwrap())
        .collect();
    assert_eq!(emails, ["ana@example.com", "bob@example.com"]);
    assert!(nodes.iter().all(|one| one["lastSignedInAt"].is_string()));
    assert_eq!(
        (&nodes[0]["role"], &nodes[1]["itemCount"]),
        (&json!("ADMIN"), &json!(1))
    );
    for (filter, found) in [
        ("search: \" BOB@\"", vec!["bob@example.com"]),
        ("search: \"ob\"", vec![]),
        ("role: ADMIN", vec!["ana@example.com"]),
        ("role: USER, locked: false", vec!["bob@example.com"]),
        ("locked: true", vec![]),
    ] {
        let told = seen(
            &ana,
            &format!("users(filter: {{{filter}}}) {{ nodes {{ email }} }}"),
        )
        .await;
        let wanted: Vec<_> = found.iter().map(|email| json!({"email": email})).collect();
        assert_eq!(told["nodes"], json!(wanted), "{filter}");
    }
    let first = seen(
        &ana,
        "users(first: 1) { totalCount pageInfo { hasNextPage endCursor } }",
    )
    .await;
    assert_eq!(
        (&first["totalCount"], &first["pageInfo"]["hasNextPage"]),
        (&Value::Null, &json!(true))
    );
    let next = format!(
        "users(first: 1, after: {}) {{ nodes {{ email }} }}",
        first["pageInfo"]["endCursor"]
    );
    assert_eq!(
        seen(&ana, &next).await["nodes"],
        json!([{"email": "bob@example.com"}])
    );
}

#[tokio::test]
async fn an_administrator_sees_how_things_stand() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.administrator("ana").await, app.person("bob").await);
    let item = bob.link(&app.bank, "user_good").await;
    let there = app.bank.item_id().await;
    let news = json!({"webhook_type": "ITEM", "webhook_code": "NEW_ACCOUNTS_AVAILABLE", "item_id": there, "environment": "sandbox", "error": null});
    assert_eq!(app.deliver(&app.bank.signed(news).await).await, 200);
    app.bank.webhooks_settled().await;
    app.idle().await;
    let his = id_of(&bob).await;

    let of_bob = format!(
        "items(filter: {{userId: \"{his}\", linkStatus: SUCCESS}}) {{ nodes {{ itemId provider user {{ userId }} }} }}"
    );
    let wanted = json!([{"itemId": item, "provider": "PLAID", "user": {"userId": his}}]);
    assert_eq!(seen(&ana, &of_bob).await["nodes"], wanted);
    let none = "items(filter: {linkStatus: LOGIN_REQUIRED}) { nodes { itemId } }";
    assert_eq!(seen(&ana, none).await["nodes"], json!([]));
    let jobs = "jobs(filter: {kind: \"sync.item\", status: SUCCEEDED}) { nodes { status error user { email } progress { added } } }";
    let jobs = seen(&ana, jobs).await;
    let added = |job: &Value| job["progress"]["added"].as_i64().unwrap() > 0;
    assert!(
        jobs["nodes"].as_array().unwrap().iter().any(added),
        "{jobs}"
    );
    let hooks = "webhookDeliveries(filter: {provider: PLAID}) { nodes { status code } }";
    let hooks = seen(&ana, hooks).await;
    let code = hooks["nodes"][0]["code"].as_str();
    assert!(code.unwrap().contains("NEW_ACCOUNTS_AVAILABLE"), "{hooks}");
    let linked = "activity(filter: {kind: ITEM_LINKED}) { nodes { itemId user { email } } }";
    let wanted = json!([{"itemId": item, "user": {"email": "bob@example.com"}}]);
    assert_eq!(seen(&ana, linked).await["nodes"], wanted);
    let overview = "overview { overdueSeconds deadJobs backlog { kind status count } troubledItems { count } }";
    let overview = seen(&ana, overview).await;
    assert_eq!(
        (&overview["deadJobs"], &overview["troubledItems"]),
        (&json!(0), &json!([]))
    );
    let recurring = json!({"kind": "auth.prune", "status": "QUEUED", "count": 1});
    assert!(
        overview["backlog"].as_array().unwrap().contains(&recurring),
        "{overview}"
    );
}

/// The object types and the fields that can be reached from a type.
fn reached(from: &str) -> BTreeSet<String> {
    let definitions = parse_schema(sdl()).unwrap().definitions;
    let mut types = HashMap::new();
    for one in definitions {
        if let TypeSystemDefinition::Type(one) = one
            && let TypeKind::Object(object) = one.node.kind
        {
            types.insert(one.node.name.node.to_string(), object.fields);
        }
    }
    let (mut found, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(name) = open.pop() {
        let Some(fields) = types.get(&name) else {
            found.insert(name);
            continue;
        };
        if found.insert(name) {
            open.extend(fields.iter().map(|field| base(&field.node.ty.node)));
        }
    }
    found
}

fn base(ty: &Type) -> String {
    match &ty.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(of) => base(of),
    }
}

#[test]
fn nothing_of_what_people_have_can_be_reached_from_what_administrators_see() {
    let reached = reached("Admin");
    assert!(
        reached.contains("AdminUser") && reached.contains("SyncProgress"),
        "{reached:?}"
    );
    for never in [
        "User",
        "Item",
        "Account",
        "Balances",
        "Transaction",
        "Money",
        "Decimal",
        "Session",
        "Activity",
        "Node",
        "Date",
        "SyncJob",
    ] {
        assert!(!reached.contains(never), "{never}");
    }
}

#[tokio::test]
async fn what_an_operation_may_cost_holds_for_administrators() {
    let app = TestApp::start().await;
    let ana = app.administrator("ana").await;
    let dear = "{ admin { users(first: 100) { nodes { email } } a: users(first: 100) { edges { node { email role lockedAt \
                createdAt itemCount lastSignedInAt userId } } } b: auditLog(first: 100) { nodes { action admin { email role \
                userId itemCount lockedAt createdAt } user { email role userId itemCount lockedAt createdAt } arguments at \
                address userAgent } } c: jobs(first: 100) { nodes { jobId kind key user { email role userId itemCount } \
                status attempt error progress { added modified removed pages } syncError { code message retryable } } } \
                d: items(first: 100) { nodes { itemId user { email role userId } linkStatus provider } } } }";
    assert_eq!(ana.error(dear, json!({})).await, "QUERY_TOO_COMPLEX");
    let nothing = app.count("SELECT count(*) FROM admin_accesses").await;
    assert_eq!(nothing, 0, "it was refused before anything was read");
}
