//! The person's own log: everything that happens to her account is in it, with where it came from, and
//! nothing of anybody else's.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use serde_json::{Value, json};

use crate::support::{Download, Person, TestApp};

const LOG: &str = "query($filter: ActivityFilter, $after: String) { activity(first: 100, filter: $filter, \
    after: $after) { pageInfo { hasNextPage endCursor } nodes { kind at address detail item { id } } } }";
/// What the server does by itself, at nobody's request.
const ITS_OWN: [&str; 4] = [
    "ITEM_NEEDS_ATTENTION",
    "ITEM_REPAIRED",
    "SYNC_SUCCEEDED",
    "SYNC_FAILED",
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

/// The other stories, which tell of mails, second factors, identities and administrators.
fn stories() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let folders = [root.clone(), root.join("admin")];
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap());
    let files = entries.map(|entry| entry.unwrap().path());
    let stories = files.filter(|file| file.is_file() && !file.ends_with("tests/it/log.rs"));
    stories
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
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

/// Signs in and out in every way there is.
async fn at_the_door(app: &TestApp, ana: &Person) {
    let login = "mutation { login(input: {email: \"ana@example.com\", password: \"wrong\"}) { userErrors { code } } }";
    ana.stranger().ask(login, json!({})).await;
    let update = "mutation { updateProfile(input: {firstName: \"Ana\"}) { userErrors { code } } }";
    ana.ask(update, json!({})).await;
    let change = "mutation($old: String!) { changePassword(input: {currentPassword: $old, newPassword: \
        \"correct horse battery\"}) { userErrors { code } } }";
    for old in ["not this one", "correct horse battery"] {
        ana.ask(change, json!({"old": old})).await;
    }
    let delete =
        "mutation { deleteAccount(input: {password: \"not this one\"}) { userErrors { code } } }";
    ana.ask(delete, json!({})).await;
    app.clock.advance(Duration::from_mins(2));
    let phone = app.device("ana").await;
    let sessions = ana
        .ask("{ sessions { nodes { id current } } }", json!({}))
        .await;
    let sessions = sessions["sessions"]["nodes"].as_array().unwrap().clone();
    let other = sessions.iter().find(|one| one["current"] == false).unwrap();
    let end = "mutation($id: ID!) { endSession(input: {sessionId: $id}) { userErrors { code } } }";
    ana.ask(end, json!({"id": other["id"]})).await;
    drop(phone);
    for out in ["logout", "logoutEverywhere"] {
        let out = format!("mutation {{ {out} {{ userErrors {{ code }} }} }}");
        app.device("ana").await.ask(&out, json!({})).await;
    }
    let copied = app.device("ana").await;
    let refresh = "mutation($token: String!) { refreshSession(input: {refreshToken: $token}) { userErrors { code } } }";
    let token = json!({"token": copied.refresh_token});
    copied.stranger().ask(refresh, token.clone()).await;
    app.clock.advance(Duration::from_secs(11));
    copied.stranger().ask(refresh, token).await;
    for kind in [
        "SIGN_IN_FAILED",
        "PASSWORD_CHANGE_FAILED",
        "ACCOUNT_DELETION_FAILED",
    ] {
        says(app, kind).await;
    }
}

/// Links banks, and has them break and mend.
async fn at_the_bank(app: &TestApp, ana: &Person) {
    ana.exchange("public-sandbox-00000000-0000-0000-0000-000000000000")
        .await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    for event in [
        json!({"event": "error", "code": "ITEM_LOGIN_REQUIRED"}),
        json!({"event": "repair"}),
    ] {
        app.bank.event(&there, event).await;
        app.bank.webhooks_settled().await;
        ana.quiet().await;
    }
    says(app, "ITEM_REPAIRED").await;
    ana.sync(&item).await;
    app.meddle("UPDATE items SET access_token = substr(access_token, 2)")
        .await;
    assert_eq!(ana.sync(&item).await["status"], "FAILED");
    let asks = ana.order_mx("mxuser", "challenge").await;
    let asked = app.stands(ana, &asks, "CHALLENGED").await;
    ana.answer_all(&asked, "correct").await;
    app.stands(ana, &asks, "SUCCESS").await;
    let typed = ana.credentials("mxuser", "any").await;
    ana.update(&asks, typed).await;
    app.stands(ana, &asks, "SUCCESS").await;
    ana.remove(&asks).await;
}

#[tokio::test]
async fn every_kind_there_is_is_written_and_says_where_it_came_from() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    at_the_door(&app, &ana).await;
    let ana = app.device("ana").await;
    at_the_bank(&app, &ana).await;
    let export = "mutation { exportData { dataExport { id } } }";
    ana.ask(export, json!({})).await;
    app.until("data_exports", "status = 'ready'").await;
    let url = "{ dataExports { nodes { downloadUrl } } }";
    let url = ana.ask(url, json!({})).await["dataExports"]["nodes"][0]["downloadUrl"].take();
    assert_eq!(Download::of(url.as_str().unwrap()).await.status, 200);

    let hers = log(&ana, Value::Null).await;
    let schema = "{ __type(name: \"ActivityKind\") { enumValues { name } } }";
    let schema = ana.ask(schema, json!({})).await;
    let values = schema["__type"]["enumValues"].as_array().unwrap();
    let mut left: BTreeSet<&str> = values
        .iter()
        .map(|value| value["name"].as_str().unwrap())
        .collect();
    for kind in kinds(&hers) {
        assert!(left.remove(kind.as_str()), "{kind}");
    }
    let stories = stories();
    left.retain(|kind| {
        let (shown, kept) = (format!("\"{kind}"), format!("'{}'", kind.to_lowercase()));
        !stories.contains(&shown) && !stories.contains(&kept)
    });
    assert!(left.is_empty(), "in no story: {left:?}");
    for entry in &hers {
        let kind = entry["kind"].as_str().unwrap();
        if !ITS_OWN.contains(&kind) {
            assert_eq!(entry["address"], "127.0.0.1", "{entry}");
        }
    }
    let failed = hers
        .iter()
        .find(|entry| entry["kind"] == "ITEM_LINK_FAILED");
    assert!(
        failed.unwrap()["detail"]
            .as_str()
            .unwrap()
            .contains("Open Link again")
    );
    assert_eq!(
        kinds(&log(&bob, Value::Null).await),
        ["REGISTERED".to_owned()].into()
    );
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
