//! Another person's id, a deleted one, a random one, one of another type and one that is none answer
//! the same, byte for byte, wherever the schema takes an id. The places are read from the schema, so
//! that a new one is tried without anybody's thinking of it.

use passbook::schema::sdl;
use serde_json::{Value, json};

use crate::support::{
    Person, TestApp,
    social::{self, Spa},
};

mod schema;

use schema::{Place, Types};

/// Ids of everything a person has.
const OWN: &str = "{ viewer { id } items { nodes { id } } accounts { nodes { id } } \
    transactions { nodes { id } } syncJobs { nodes { id } } activity { nodes { id } } sessions { nodes { id } } \
    dataExports { nodes { id } } }";

/// Ids of nothing.
const NOTHING: [&str; 6] = [
    "idn_01jd0000000000000000000000",
    "item_01jd0000000000000000000000",
    "acct_01jd0000000000000000000000",
    "sess_01jd0000000000000000000000",
    "nonsense",
    "",
];

/// Has somebody ask for a copy of everything.
async fn export(person: &Person) {
    let ask = "mutation { exportData { dataExport { id } } }";
    person.ask(ask, json!({})).await;
}

/// One id of each thing that somebody has.
async fn own(person: &Person) -> Vec<String> {
    let data = person.ask(OWN, json!({})).await;
    let lists = data.as_object().unwrap().values();
    let first = lists.map(|one| one.get("id").unwrap_or(&one["nodes"][0]["id"]));
    let ids = first.map(|id| id.as_str().unwrap().to_owned());
    let mut ids: Vec<String> = ids.collect();
    let mine = person
        .ask("{ viewer { identities { id } } }", json!({}))
        .await;
    let identity = mine["viewer"]["identities"][0]["id"].as_str();
    ids.extend(identity.map(str::to_owned));
    ids
}

/// What somebody is answered at a place, without what names the request.
async fn answer(person: &Person, place: &Place, id: &str) -> String {
    let variables = place.with(id);
    let mut answer = if place.root == "subscription" {
        let mut watch = person.watch(&place.document, variables).await;
        watch.message().await
    } else {
        person.answer(&place.document, variables).await
    };
    forget_request(&mut answer);
    answer.to_string()
}

fn forget_request(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.remove("requestId");
            object.values_mut().for_each(forget_request);
        }
        Value::Array(list) => list.iter_mut().for_each(forget_request),
        _ => {}
    }
}

/// What would be different if anything had happened.
async fn traces(app: &TestApp) -> Vec<i64> {
    let mut counts = Vec::new();
    for sql in [
        "SELECT CAST(SUM(seq) AS bigint) FROM feeds",
        "SELECT COUNT(*) FROM feed_events",
        "SELECT COUNT(*) FROM jobs WHERE key <> 'all'",
        "SELECT COUNT(*) FROM activities",
        "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL",
        "SELECT COUNT(*) FROM items WHERE removed_at IS NULL",
        "SELECT COUNT(*) FROM link_tokens",
        "SELECT COUNT(*) FROM identities",
    ] {
        counts.push(app.count(sql).await);
    }
    counts
}

#[tokio::test]
async fn wherever_an_id_is_taken_somebody_elses_is_nobodys() {
    let app = social::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    Spa::open().link(&ana, "carla").await;
    ana.link(&app.bank, "user_good").await;
    bob.link(&app.bank, "user_good").await;
    export(&ana).await;
    export(&bob).await;
    let deleted = own(&bob).await;
    let item = deleted.iter().find(|id| id.starts_with("item_")).unwrap();
    bob.remove(item).await;
    app.idle().await;
    let hers = own(&ana).await;
    let places = Types::read(&sdl()).places();
    assert!(places.len() >= 17, "{} places", places.len());
    let before = traces(&app).await;
    for place in &places {
        let nothing = answer(&bob, place, NOTHING[0]).await;
        for id in hers
            .iter()
            .map(String::as_str)
            .chain(NOTHING)
            .chain([item.as_str()])
        {
            let told = answer(&bob, place, id).await;
            assert_eq!(told, nothing, "{} {id}", place.name);
        }
    }
    assert_eq!(traces(&app).await, before, "nothing happened");
}

#[tokio::test]
async fn every_place_that_reads_finds_what_is_ones_own() {
    let app = TestApp::start().await;
    let ana = app.administrator("ana").await;
    ana.link(&app.bank, "user_good").await;
    export(&ana).await;
    app.idle().await;
    let hers = own(&ana).await;
    let look = json!({"id": hers.iter().find(|id| id.starts_with("user_"))});
    let looked = "query($id: ID!) { admin { user(id: $id) { email } } }";
    ana.ask(looked, look).await;
    for place in Types::read(&sdl()).places() {
        if place.root == "mutation" {
            continue;
        }
        let nothing = answer(&ana, &place, NOTHING[0]).await;
        let mut found = false;
        for id in &hers {
            found |= answer(&ana, &place, id).await != nothing;
        }
        assert!(found, "{} asks for nothing: {}", place.name, place.document);
    }
}

#[tokio::test]
async fn for_administrators_too_an_id_of_another_type_is_nobodys() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.administrator("ana").await, app.person("bob").await);
    bob.link(&app.bank, "user_good").await;
    export(&bob).await;
    app.idle().await;
    let mut others = own(&bob).await;
    // These two are what administrators name.
    others.retain(|id| !id.starts_with("user_") && !id.starts_with("item_"));
    let before = traces(&app).await;
    let mut tried = 0;
    for place in Types::read(&sdl()).places() {
        let nothing = answer(&ana, &place, NOTHING[0]).await;
        let theirs = place.for_administrators || nothing.contains("this id.\"");
        if !theirs {
            continue;
        }
        assert!(!nothing.contains("FORBIDDEN"), "{}", place.name);
        for id in others.iter().map(String::as_str).chain(NOTHING) {
            let told = answer(&ana, &place, id).await;
            assert_eq!(told, nothing, "{} {id}", place.name);
        }
        tried += 1;
    }
    assert!(tried >= 12, "only {tried}");
    assert_eq!(traces(&app).await, before, "nothing happened");
}
