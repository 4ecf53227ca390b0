//! The person's own log: everything that happens to her account is in it, with where it came from, and
//! nothing of anybody else's.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::support::{DEVICE, Download, Mailbox, Person, TestApp, social::APP};

mod rounds;

const LOG: &str = "query($filter: ActivityFilter, $after: String) { activity(first: 100, filter: $filter, \
    after: $after) { pageInfo { hasNextPage endCursor } nodes { kind at address userAgent detail item { id } } } }";
/// What the server does by itself, at nobody's request.
const ITS_OWN: [&str; 4] = [
    "ITEM_NEEDS_ATTENTION",
    "ITEM_REPAIRED",
    "SYNC_SUCCEEDED",
    "SYNC_FAILED",
];
/// What administrators do: where they were is none of the person's business.
const ADMINISTRATORS: [&str; 7] = [
    "ACCOUNT_VIEWED",
    "ADMIN_ACTED",
    "ACCOUNT_LOCKED",
    "ACCOUNT_UNLOCKED",
    "SESSIONS_ENDED_BY_ADMIN",
    "PROMOTED",
    "DEMOTED",
];

async fn log(person: &Person, filter: Value) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let variables = json!({"filter": filter, "after": after});
        let mut page = person.ask(LOG, variables).await["activity"].take();
        all.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] != true {
            return all;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
}

fn kinds(log: &[Value]) -> BTreeSet<String> {
    let kinds = log.iter().map(|entry| entry["kind"].as_str().unwrap());
    kinds.map(str::to_owned).collect()
}

/// Waits until an entry is there, whoever writes it.
async fn says(app: &TestApp, kind: &str) {
    app.until("activities", &format!("kind = '{}'", kind.to_lowercase()))
        .await;
}

/// All kinds that the schema has.
async fn all_kinds(person: &Person) -> BTreeSet<String> {
    let schema = "{ __type(name: \"ActivityKind\") { enumValues { name } } }";
    let schema = person.ask(schema, json!({})).await;
    let values = schema["__type"]["enumValues"].as_array().unwrap().iter();
    values
        .map(|value| value["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn every_kind_there_is_is_written_and_says_where_it_came_from() {
    let mailbox = Mailbox::open().await;
    let app = mailbox.app("open").await;
    let app = app.restart_with(&[("REDIRECT_URIS", APP)]).await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    rounds::at_the_door(&app, &ana).await;
    let ana = app.device("ana").await;
    rounds::at_the_bank(&app, &ana).await;
    rounds::takes_everything_along(&app, &ana).await;
    rounds::with_an_identity(&app, &ana).await;
    let ana = rounds::before_administrators(&app, &ana).await;
    let zoe = rounds::by_mail(&app, &mailbox).await;
    rounds::with_a_second_factor(&app, &zoe).await;

    let (hers, zoes) = (log(&ana, Value::Null).await, log(&zoe, Value::Null).await);
    let all = [hers, zoes].concat();
    assert_eq!(kinds(&all), all_kinds(&ana).await);
    for entry in &all {
        let kind = entry["kind"].as_str().unwrap();
        let from = (&entry["address"], &entry["userAgent"]);
        if ADMINISTRATORS.contains(&kind) {
            assert_eq!(from, (&Value::Null, &Value::Null), "{entry}");
        } else if !ITS_OWN.contains(&kind) {
            assert_eq!(from, (&json!("127.0.0.1"), &json!(DEVICE)), "{entry}");
        }
    }
    let failed = all.iter().find(|entry| entry["kind"] == "ITEM_LINK_FAILED");
    let detail = failed.unwrap()["detail"].as_str().unwrap();
    assert!(detail.contains("Open Link again"), "{detail}");
    let his = BTreeSet::from(["REGISTERED".to_owned()]);
    assert_eq!(kinds(&log(&bob, Value::Null).await), his);
}

/// How many entries of a kind there are.
async fn told(app: &TestApp, kind: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM activities WHERE kind = '{kind}'");
    app.count(&sql).await
}

#[tokio::test]
async fn what_is_asked_for_again_and_again_is_told_once() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "30d"), ("REFRESH_TOKEN_TTL", "60d")]).await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    app.bank.webhooks_settled().await;
    rounds::takes_everything_along(&app, &ana).await;
    app.idle().await;
    let app = app.restart_with(&[("WORKERS", "0")]).await;
    app.clock.advance(Duration::from_mins(1));
    let sync =
        format!("mutation {{ syncItem(input: {{itemId: \"{item}\"}}) {{ syncJob {{ id }} }} }}");
    let first = ana.ask(&sync, json!({})).await;
    assert_eq!(ana.ask(&sync, json!({})).await, first, "it is joined");
    assert_eq!(told(&app, "sync_requested").await, 1);

    let url = "{ dataExports { nodes { downloadUrl } } }";
    let url = ana.ask(url, json!({})).await["dataExports"]["nodes"][0]["downloadUrl"].take();
    for _ in 0..3 {
        assert_eq!(Download::of(url.as_str().unwrap()).await.status, 200);
    }
    assert_eq!(told(&app, "data_export_downloaded").await, 2);
    app.clock.advance(Duration::from_mins(1));
    assert_eq!(Download::of(url.as_str().unwrap()).await.status, 200);
    assert_eq!(told(&app, "data_export_downloaded").await, 3);

    for token in [
        "public-sandbox-one",
        "public-sandbox-two",
        "public-sandbox-three",
    ] {
        ana.exchange(token).await;
    }
    assert_eq!(told(&app, "item_link_failed").await, 1);
    app.clock.advance(Duration::from_mins(1));
    ana.exchange("public-sandbox-one").await;
    assert_eq!(told(&app, "item_link_failed").await, 2);
}

#[tokio::test]
async fn the_log_is_asked_for_by_kind_and_time_and_forgotten_after_a_year() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "30d"), ("REFRESH_TOKEN_TTL", "60d")]).await;
    let ana = app.person("ana").await;
    app.clock.advance(Duration::from_hours(1));
    let since = app.clock.now().to_rfc3339();
    app.device("ana").await;
    let asked = async |filter: Value| kinds(&log(&ana, filter).await);
    let of = |kind: &str| BTreeSet::from([kind.to_owned()]);
    assert_eq!(
        asked(json!({"kinds": ["REGISTERED"]})).await,
        of("REGISTERED")
    );
    assert_eq!(asked(json!({"since": since})).await, of("SIGNED_IN"));
    assert_eq!(
        asked(json!({"kinds": ["REGISTERED"], "since": since})).await,
        BTreeSet::new()
    );
    assert_eq!(asked(json!({"kinds": []})).await, BTreeSet::new());
    assert_eq!(asked(json!({})).await.len(), 2);
    app.passes(Duration::from_hours(24 * 364), "jobs.prune")
        .await;
    assert_eq!(app.count("SELECT count(*) FROM activities").await, 2);
    app.passes(Duration::from_hours(24 * 2), "jobs.prune").await;
    assert_eq!(app.count("SELECT count(*) FROM activities").await, 0);
}
