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
async fn filters_that_mean_nothing_are_refused_with_the_argument_named() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let ids = vec!["\"item_01arz3ndektsv4rrffq69g5fav\""; 251].join(",");
    for filter in [
        "date: {from: \"2026-02-30\"}".to_owned(),
        "date: {from: \"2026-13-01\"}".to_owned(),
        "date: {from: \"31.01.2026\"}".to_owned(),
        "date: {from: \"\"}".to_owned(),
        "date: {from: \"99999-01-01\"}".to_owned(),
        "date: {from: \"2026-02-02\", to: \"2026-02-01\"}".to_owned(),
        "amount: {min: \"1\", max: \"0\"}".to_owned(),
        "amount: {min: \"NaN\"}".to_owned(),
        "amount: {min: \"1e400\"}".to_owned(),
        format!("amount: {{min: \"{}\"}}", "9".repeat(200)),
        "amount: {min: \"\"}".to_owned(),
        format!("text: \"{}\"", "x".repeat(201)),
        "text: \"a\\u0000\"".to_owned(),
        format!("itemIds: [{ids}]"),
    ] {
        let document = format!("{{ transactions(filter: {{{filter}}}) {{ nodes {{ id }} }} }}");
        let (code, shown) = (
            ana.error(&document, json!({})).await,
            &filter[..filter.len().min(60)],
        );
        assert_eq!(code, "BAD_USER_INPUT", "{shown}");
    }
    for text in ["%' OR 1=1 --", "_", "\\\\", "ẞ🏦"] {
        let document =
            "query($text: String!) { transactions(filter: {text: $text}) { nodes { id } } }";
        ana.ask(document, json!({"text": text})).await;
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
