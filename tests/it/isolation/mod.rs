//! Another person's id, a deleted one, a random one, one of another type and one that is none answer
//! the same, byte for byte, wherever the schema takes an id, and change nothing. The places are read from the
//! schema, so that a new one is tried without anybody's thinking of it, or fails until somebody does.

use std::collections::BTreeSet;

use passbook::schema::sdl;
use serde_json::{Value, json};

use crate::support::{
    Person, TestApp,
    social::{self, Spa},
};

mod schema;

pub(crate) use schema::Types;

use schema::Place;

/// Ids of everything a person has.
const OWN: &str = "{ viewer { id identities { id } } items { nodes { id } } accounts { nodes { id } } \
    transactions { nodes { id } } syncJobs { nodes { id } } activity { nodes { id } } sessions { nodes { id } } \
    dataExports { nodes { id } } }";

/// Ids of what the server does for people.
const WORK: &str = "{ admin { jobs(first: 100) { nodes { jobId user { userId } } } \
    webhookDeliveries(first: 100) { nodes { deliveryId user { userId } } } } }";

/// What no row has: behind the prefix of a type, a random id of it.
const RANDOM: &str = "_01jd0000000000000000000000";

/// Where another's id is refused by something else than `NOT_FOUND` on it, and by what.
const REFUSED_OTHERWISE: [(&str, &str); 3] = [
    // What a bank asks and the fields of its form are no rows: they count beside the bank or the item they are for.
    (
        "Mutation.linkInstitution(input.credentials.fieldId)",
        "INVALID_INPUT input.institutionCode",
    ),
    (
        "Mutation.answerChallenge(input.answers.challengeId)",
        "NOT_FOUND input.itemId",
    ),
    (
        "Mutation.updateCredentials(input.credentials.fieldId)",
        "NOT_FOUND input.itemId",
    ),
];

/// Tables that change by themselves: the server's own work, who lives, how often something was tried, and rates.
const RESTLESS: [&str; 6] = [
    "jobs",
    "throttles",
    "workers",
    "exchange_rates",
    "rate_checks",
    "rate_quotas",
];

/// Has somebody ask for a copy of everything.
async fn export(person: &Person) {
    let ask = "mutation { exportData { dataExport { id } } }";
    person.ask(ask, json!({})).await;
}

/// One id of each thing that somebody has, and what names her in lists.
async fn own(person: &Person) -> Vec<String> {
    let data = person.ask(OWN, json!({})).await;
    let mut ids = vec![data["viewer"]["id"].clone()];
    ids.extend(
        data["viewer"]["identities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["id"].clone()),
    );
    let lists = data
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "viewer");
    ids.extend(lists.map(|(_, list)| list["nodes"][0]["id"].clone()));
    ids.iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect()
}

/// The ids of a job and a webhook of somebody's, as an administrator finds them.
async fn work(admin: &Person, user: &str) -> Vec<String> {
    let data = admin.ask(WORK, json!({})).await;
    let of = |list: &str, id: &str| {
        let nodes = data["admin"][list]["nodes"].as_array().unwrap().iter();
        let mut hers = nodes.filter(|node| node["user"]["userId"] == user);
        let hers = hers
            .next()
            .unwrap_or_else(|| panic!("no {list} of hers: {data}"));
        hers[id].as_str().unwrap().to_owned()
    };
    vec![of("jobs", "jobId"), of("webhookDeliveries", "deliveryId")]
}

/// Ids that are nobody's: a random one of each type there is, and what is none.
fn nothing(own: &[String]) -> Vec<String> {
    let prefixes = own.iter().map(|id| id.split_once('_').unwrap().0);
    // These two are everybody's.
    let prefixes = prefixes.chain(["inst", "rate"]).collect::<BTreeSet<_>>();
    let random = prefixes
        .into_iter()
        .map(|prefix| format!("{prefix}{RANDOM}"));
    random
        .chain(["nonsense".to_owned(), String::new()])
        .collect()
}

/// What somebody is answered at a place, as it travels: the status and the bytes, without what names the request.
async fn answer(person: &Person, place: &Place, id: &str) -> (u16, String) {
    let variables = place.with(id);
    let (status, text) = if place.root == "subscription" {
        let mut watch = person.watch(&place.document, variables).await;
        (101, watch.text().await)
    } else {
        person.raw(&place.document, variables).await
    };
    (status, without_request(&text))
}

/// A text with nothing in the place of the request's id.
fn without_request(text: &str) -> String {
    let mut parts = text.split("\"requestId\":\"");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('"').unwrap();
        all += "\"requestId\":\"\"";
        all += rest;
    }
    all
}

/// What refuses an id: the code, and where.
fn refusal(place: &Place, answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap();
    if let Some(code) = answer["errors"][0]["extensions"]["code"].as_str() {
        return code.to_owned();
    }
    let field = place.name.split(['.', '(']).nth(1).unwrap();
    let error = &answer["data"][field]["userErrors"][0];
    let way: Vec<&str> = error["field"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    format!(
        "{} input.{}",
        error["code"].as_str().unwrap_or("nothing"),
        way.join(".")
    )
}

/// What a mutation says of an id that is nobody's.
fn wanted(place: &Place) -> String {
    let otherwise = REFUSED_OTHERWISE
        .iter()
        .find(|(name, _)| *name == place.name);
    let way = place.name.split(['(', ')']).nth(1).unwrap();
    otherwise.map_or(format!("NOT_FOUND {way}"), |(_, refusal)| {
        (*refusal).to_owned()
    })
}

#[test]
fn no_place_that_takes_an_id_is_left_out() {
    let types = Types::read(&sdl());
    let tried: BTreeSet<String> = types.places().into_iter().map(|place| place.name).collect();
    assert!(!tried.is_empty());
    assert_eq!(types.all(), tried);
    assert_eq!(types.unused(), BTreeSet::new());
}

#[tokio::test]
async fn wherever_an_id_is_taken_somebody_elses_is_nobodys() {
    let app = social::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let zoe = app.administrator("zoe").await;
    Spa::open().link(&ana, "carla").await;
    ana.link(&app.bank, "user_good").await;
    let news = json!({"webhook_type": "ITEM", "webhook_code": "NEW_ACCOUNTS_AVAILABLE", 
        "item_id": app.bank.item_id().await, "environment": "sandbox", "error": null});
    assert_eq!(app.deliver(&app.bank.signed(news).await).await, 200);
    bob.link(&app.bank, "user_good").await;
    app.bank.webhooks_settled().await;
    export(&ana).await;
    export(&bob).await;
    app.idle().await;
    let mut hers = own(&ana).await;
    hers.extend(work(&zoe, &hers[0]).await);
    let none = nothing(&hers);
    let gone = own(&bob).await;
    let of_bank = |id: &&String| {
        ["item_", "acct_", "txn_"]
            .iter()
            .any(|bank| id.starts_with(bank))
    };
    let gone: Vec<String> = gone.iter().filter(of_bank).cloned().collect();
    assert_eq!(gone.len(), 3, "{gone:?}");
    bob.remove(gone.iter().find(|id| id.starts_with("item_")).unwrap())
        .await;
    app.idle().await;
    let before = app.rows(&RESTLESS).await;
    for place in &Types::read(&sdl()).places() {
        let told = answer(&bob, place, &none[0]).await;
        if place.for_administrators {
            assert_eq!(refusal(place, &told.1), "FORBIDDEN", "{}", place.name);
        } else if place.root == "mutation" {
            assert_eq!(refusal(place, &told.1), wanted(place), "{}", place.name);
        }
        for id in hers.iter().chain(&none).chain(&gone) {
            assert_eq!(answer(&bob, place, id).await, told, "{} {id}", place.name);
        }
    }
    app.assert_rows(&RESTLESS, before).await;
}

#[tokio::test]
async fn every_place_that_reads_finds_what_is_ones_own() {
    let app = TestApp::start().await;
    let ana = app.administrator("ana").await;
    ana.link(&app.bank, "user_good").await;
    export(&ana).await;
    app.idle().await;
    let hers = own(&ana).await;
    let none = nothing(&hers);
    let look = json!({"id": hers[0]});
    let looked = "query($id: ID!) { admin { user(id: $id) { email } } }";
    ana.ask(looked, look).await;
    for place in Types::read(&sdl()).places() {
        if place.root == "mutation" {
            continue;
        }
        let nothing = answer(&ana, &place, &none[0]).await;
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
    let others = own(&bob).await;
    let none = nothing(&others);
    // These two are what administrators name.
    let named = |id: &&String| id.starts_with("user_") || id.starts_with("item_");
    let others = others.iter().filter(|id| !named(id));
    let ids: Vec<&String> = others.chain(&none).collect();
    // What they look at is written down.
    let restless = [&RESTLESS[..], &["admin_accesses"]].concat();
    let before = app.rows(&restless).await;
    for place in Types::read(&sdl()).places() {
        if !place.for_administrators {
            continue;
        }
        let told = answer(&ana, &place, &none[0]).await;
        if place.root == "mutation" {
            assert_eq!(refusal(&place, &told.1), wanted(&place), "{}", place.name);
        }
        for id in &ids {
            assert_eq!(answer(&ana, &place, id).await, told, "{} {id}", place.name);
        }
    }
    app.assert_rows(&restless, before).await;
}

#[tokio::test]
async fn a_cursor_of_somebody_elses_list_goes_on_nowhere() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    ana.link(&app.bank, "user_good").await;
    bob.link(&app.bank, "user_good").await;
    export(&ana).await;
    export(&bob).await;
    let mut tried = 0;
    for (name, document) in Types::read(&sdl()).lists() {
        let page = ana.ask(&document, json!({})).await;
        let cursor = &page[&name]["edges"][0]["cursor"];
        ana.ask(&document, json!({"after": cursor})).await;
        if name == "institutions" {
            continue;
        }
        assert!(cursor.is_string(), "{name}: {page}");
        let nonsense = bob.raw(&document, json!({"after": "nonsense"})).await;
        let hers = bob.raw(&document, json!({"after": cursor})).await;
        assert_eq!(
            without_request(&hers.1),
            without_request(&nonsense.1),
            "{name}"
        );
        tried += 1;
    }
    assert!(tried >= 7, "{tried}");
}
