//! What nobody should send, and everybody will.

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

/// Ids that name nothing of a person's: foreign, random, of another type, malformed.
async fn wrong_ids(owner: &Person, kind: &str) -> Vec<String> {
    let document = "{ items { nodes { id } } accounts { nodes { id } } transactions { nodes { id } } \
                    syncJobs { nodes { id } } viewer { id } }";
    let data = owner.ask(document, json!({})).await;
    let of = |list: &str| data[list]["nodes"][0]["id"].as_str().unwrap().to_owned();
    let (theirs, prefix) = match kind {
        "item" => (of("items"), "item"),
        "account" => (of("accounts"), "acct"),
        "transaction" => (of("transactions"), "txn"),
        _ => (of("syncJobs"), "job"),
    };
    vec![
        theirs.clone(),
        format!("{prefix}_01arz3ndektsv4rrffq69g5fav"),
        data["viewer"]["id"].as_str().unwrap().to_owned(),
        theirs.to_uppercase(),
        format!("{theirs}0"),
        format!("{prefix}_"),
        "nonsense".to_owned(),
        "x".repeat(5_000),
        String::new(),
    ]
}

/// The answer without what differs from request to request.
async fn plain(person: &Person, document: &str, id: &str) -> Value {
    let mut answer = person.answer(document, json!({"id": id})).await;
    for error in answer["errors"].as_array_mut().into_iter().flatten() {
        error["extensions"]["requestId"].take();
    }
    answer
}

#[tokio::test]
async fn an_id_of_nothing_of_yours_answers_alike_wherever_one_is_taken() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    bob.link(&app.bank, "user_good").await;
    ana.link(&app.bank, "user_transactions_dynamic").await;
    for (kind, document) in [
        (
            "item",
            "query($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } item(id: $id) { id } }",
        ),
        (
            "account",
            "query($id: ID!) { node(id: $id) { id } account(id: $id) { id } }",
        ),
        (
            "transaction",
            "query($id: ID!) { node(id: $id) { id } transaction(id: $id) { id } }",
        ),
        (
            "sync job",
            "query($id: ID!) { node(id: $id) { id } syncJob(id: $id) { id } }",
        ),
        (
            "item",
            "query($id: ID!) { accounts(filter: {itemIds: [$id]}) { nodes { id } totalCount } \
                  transactions(filter: {itemIds: [$id]}) { nodes { id } } syncJobs(filter: {itemIds: [$id]}) { nodes { id } } }",
        ),
        (
            "account",
            "query($id: ID!) { transactions(filter: {accountIds: [$id]}) { nodes { id } totalCount } }",
        ),
        (
            "item",
            "mutation($id: ID!) { syncItem(input: {itemId: $id}) { syncJob { id } userErrors { code message field } } }",
        ),
        (
            "item",
            "mutation($id: ID!) { removeItem(input: {itemId: $id}) { removedItemId userErrors { code message field } } }",
        ),
        (
            "item",
            "mutation($id: ID!) { createLinkToken(input: {itemId: $id}) { linkToken userErrors { code message field } } }",
        ),
    ] {
        let mut answers = Vec::new();
        for id in wrong_ids(&bob, kind).await {
            answers.push(plain(&ana, document, &id).await);
        }
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{document}: {answers:?}"
        );
        assert!(!answers[0].to_string().contains("INTERNAL"), "{document}");
    }
    assert_eq!(
        bob.item(&wrong_ids(&bob, "item").await[0]).await["linkStatus"],
        "SUCCESS"
    );
}

#[tokio::test]
async fn an_id_of_yours_under_another_types_name_is_none() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    let (_, row) = item.split_once('_').unwrap();
    let document = "query($id: ID!) { node(id: $id) { id } item(id: $id) { id } account(id: $id) { id } \
                    transaction(id: $id) { id } syncJob(id: $id) { id } }";
    for prefix in ["acct", "txn", "job", "user", "inst", "thing", ""] {
        let id = format!("{prefix}_{row}");
        let found = ana.ask(document, json!({"id": id})).await;
        let mut fields = found.as_object().unwrap().values();
        assert!(fields.all(Value::is_null), "{id}: {found}");
    }
    let found = ana.ask(document, json!({"id": item})).await;
    assert_eq!(
        (&found["node"]["id"], &found["item"]["id"]),
        (&json!(item), &json!(item))
    );
}

#[tokio::test]
async fn an_object_of_which_nothing_is_asked_is_there_all_the_same() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    let document = "query($id: ID!, $no: Boolean!) { \
        items { nodes { id @include(if: $no) } edges { node { ...of_account } } } \
        viewer { id @skip(if: true) ... on User @include(if: $no) { email } } \
        item(id: $id) { accounts { ... @skip(if: true) { id } } latestSyncJob { ... { id @skip(if: true) } } } \
        node(id: $id) { ... on Account { id } } \
        nodes(ids: [$id, \"nothing\"]) { ... on Account { id } ... on Item { id @include(if: $no) } } \
        account(id: $id) { id @skip(if: true) } } fragment of_account on Item { id @skip(if: true) }";
    let answer = ana.answer(document, json!({"id": item, "no": false})).await;
    let accounts = ana.item(&item).await["accounts"].as_array().unwrap().len();
    let told = json!({
        "items": {"nodes": [{}], "edges": [{"node": {}}]},
        "viewer": {},
        "item": {"accounts": vec![json!({}); accounts], "latestSyncJob": {}},
        "node": {},
        "nodes": [{}, null],
        "account": null,
    });
    assert_eq!(answer["data"], told);
    assert_eq!(answer["errors"], Value::Null);
    let all = ana
        .answer("{ viewer @skip(if: true) { id } }", json!({}))
        .await;
    assert_eq!(all["data"], json!({}));
    let done = ana.answer("mutation { ... on Mutation { logout { ...none } } } fragment none on LogoutPayload { userErrors @skip(if: true) { code } }", json!({})).await;
    assert_eq!(done["data"], json!({"logout": {}}));
}

#[tokio::test]
async fn a_subscription_to_nothing_of_yours_answers_alike() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    bob.link(&app.bank, "user_good").await;
    for (kind, document) in [
        (
            "item",
            "subscription($id: ID!) { itemUpdated(itemId: $id) { cursor } }",
        ),
        (
            "item",
            "subscription($id: ID!) { syncJobUpdated(itemId: $id) { cursor } }",
        ),
        (
            "sync job",
            "subscription($id: ID!) { syncJobUpdated(syncJobId: $id) { cursor } }",
        ),
    ] {
        let mut answers = Vec::new();
        for id in wrong_ids(&bob, kind).await {
            let mut watch = ana.watch(document, json!({"id": id})).await;
            let mut refused = watch.message().await;
            refused["payload"][0]["extensions"]["requestId"].take();
            answers.push(refused);
        }
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{answers:?}"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_told_at_once() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await.stranger();
    let document = "mutation($input: RegisterInput!) { register(input: $input) { user { id } userErrors { code field } } }";
    let input = json!({"email": "a b@c", "password": "short", "birthDate": "1800-01-01"});
    let told = ana.ask(document, json!({"input": input})).await;
    let fields: Vec<&str> = told["register"]["userErrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"][0].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["email", "password", "birthDate"]);
    let input = json!({"email": "ANA@example.com ", "password": "correct horse battery"});
    let told = ana.ask(document, json!({"input": input})).await;
    assert_eq!(told["register"]["userErrors"][0]["code"], "EMAIL_TAKEN");
    let input = json!({"email": "eve@example.com", "password": "correct horse battery", "birthDate": "2026-02-30"});
    assert_eq!(
        ana.error(document, json!({"input": input})).await,
        "BAD_USER_INPUT"
    );
}
