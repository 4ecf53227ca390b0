//! Taking everything along: an archive of all that the server holds about a person, for her alone and
//! for a day.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::support::{Download, Person, TestApp, unpack};

const ASK: &str = "mutation { exportData { dataExport { id status files { name } downloadUrl } \
    userErrors { code retryable retryAfterSeconds } } }";
const LOOK: &str = "query($id: ID!) { dataExport(id: $id) { status createdAt finishedAt expiresAt size \
    files { name size sha256 rows } downloadUrl } }";
const FOLLOW: &str = "subscription($id: ID!) { dataExportUpdated(dataExportId: $id) { cursor \
    dataExport { id status downloadUrl } } }";

/// Asks for an export; its id.
async fn ask(person: &Person) -> String {
    let told = person.ask(ASK, json!({})).await;
    let id = told["exportData"]["dataExport"]["id"].as_str();
    id.unwrap_or_else(|| panic!("{told}")).to_owned()
}

/// Follows an export until it can be downloaded; its address.
async fn ready(person: &Person, id: &str) -> String {
    let mut events = person.watch(FOLLOW, json!({"id": id})).await;
    loop {
        let told = events.next().await["dataExportUpdated"]["dataExport"].take();
        match told["status"].as_str().unwrap() {
            "READY" => return told["downloadUrl"].as_str().unwrap().to_owned(),
            "QUEUED" | "RUNNING" => {}
            other => panic!("{other}"),
        }
    }
}

async fn look(person: &Person, id: &str) -> Value {
    person.ask(LOOK, json!({"id": id})).await["dataExport"].take()
}

/// The records of a file, as CSV and NDJSON tell them.
fn records(files: &BTreeMap<String, Vec<u8>>, name: &str) -> (Vec<csv::StringRecord>, Vec<Value>) {
    let csv = csv::Reader::from_reader(&files[&format!("{name}.csv")][..]);
    let csv = csv.into_records().map(Result::unwrap).collect();
    let json = String::from_utf8(files[&format!("{name}.ndjson")].clone()).unwrap();
    let json = json.lines().map(|line| serde_json::from_str(line).unwrap());
    (csv, json.collect())
}

#[tokio::test]
async fn a_person_takes_everything_along_and_nobody_else_does() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    bob.link(&app.bank, "user_transactions_100").await;
    let added =
        json!({"add": [{"name": "=HYPERLINK(\"http://evil\")", "amount": 12.5}], "notify": false});
    app.bank.change(&there, added).await;
    ana.sync(&item).await;

    let id = ask(&ana).await;
    let archive = Download::of(&ready(&ana, &id).await).await;
    assert_eq!(archive.status, 200);
    let told = look(&ana, &id).await;
    assert_eq!(told["size"], archive.bytes.len().to_string());
    let files = unpack(&archive.bytes);
    for file in told["files"].as_array().unwrap() {
        let bytes = &files[file["name"].as_str().unwrap()];
        assert_eq!(file["size"], bytes.len().to_string(), "{file}");
        assert_eq!(file["sha256"], passbook::seal::sha256_hex(bytes), "{file}");
    }
    assert_eq!(told["files"].as_array().unwrap().len(), files.len());
    let manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert_eq!(manifest["dataExportId"], json!(id));
    assert_eq!(manifest["files"].as_array().unwrap().len(), files.len() - 2);
    assert!(manifest["files"][0]["size"].is_u64(), "{manifest}");
    // As `sha256sum -c` reads it.
    let sums = String::from_utf8(files["SHA256SUMS"].clone()).unwrap();
    assert_eq!(sums.lines().count(), files.len() - 1);
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        assert_eq!(sum, passbook::seal::sha256_hex(&files[name]), "{name}");
    }

    let hers = ana.transactions().await;
    let (csv, ndjson) = records(&files, "transactions");
    assert_eq!((csv.len(), ndjson.len()), (hers.len(), hers.len()));
    for (row, record) in csv.iter().zip(&ndjson) {
        let told = hers.iter().find(|told| told["id"] == record["id"]).unwrap();
        assert_eq!(record["amount"], told["amount"]["amount"]);
        assert_eq!(&row[4], record["amount"].as_str().unwrap());
        assert_eq!(record["name"], told["name"]);
    }
    let formula = csv.iter().find(|row| row[6].contains("HYPERLINK")).unwrap();
    assert_eq!(
        (&formula[4], &formula[6]),
        ("-12.50", "'=HYPERLINK(\"http://evil\")")
    );
    let (_, users) = records(&files, "users");
    assert_eq!(users[0]["email"], "ana@example.com");
    let (_, log) = records(&files, "activities");
    assert!(
        log.iter()
            .any(|entry| entry["kind"] == "DATA_EXPORT_REQUESTED")
    );
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        for secret in ["argon2", "access-sandbox", "prt_", "bob@example.com"] {
            assert!(!text.contains(secret), "{secret} in {name}");
        }
    }
    assert_eq!(look(&bob, &id).await, Value::Null);
    let his = bob.ask("{ dataExports { totalCount } }", json!({})).await;
    assert_eq!(his["dataExports"]["totalCount"], 0);
    let log = ana
        .ask(
            "{ activity(first: 1) { nodes { kind address } } }",
            json!({}),
        )
        .await;
    let entry = json!({"kind": "DATA_EXPORT_DOWNLOADED", "address": "127.0.0.1"});
    assert_eq!(log["activity"]["nodes"][0], entry);
}

#[tokio::test]
async fn an_address_opens_one_archive_for_minutes_and_until_its_session_ends() {
    let app = TestApp::start().await;
    let (ana, phone) = (app.person("ana").await, app.device("ana").await);
    let bob = app.person("bob").await;
    let (hers, his) = (ask(&ana).await, ask(&bob).await);
    let (url, theirs) = (ready(&ana, &hers).await, ready(&bob, &his).await);
    let opened = Download::of(&url).await;
    assert_eq!(opened.status, 200);
    let header = |name: &str| opened.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert!(header("content-disposition").starts_with("attachment; filename=\"passbook-"));
    let head = Download::head(&url).await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!(
        head.headers["content-length"],
        opened.headers["content-length"]
    );
    let downloads = "SELECT count(*) FROM activities WHERE kind = 'data_export_downloaded'";
    assert_eq!(app.count(downloads).await, 1, "to look is not to take");

    let (path, token) = url.split_once('?').unwrap();
    let (_, other) = theirs.split_once('?').unwrap();
    let mut forged = vec![
        path.to_owned(),
        format!("{path}?{other}"),
        format!("{path}?{token}A"),
        format!("{}?{token}", theirs.split_once('?').unwrap().0),
        format!(
            "{}/exports/export_01jd0000000000000000000000?{token}",
            app.url
        ),
        format!("{}/exports/nonsense?{token}", app.url),
    ];
    for at in ["token=".len(), token.len() - 1, token.len() / 2] {
        let mut changed = token.to_owned().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        forged.push(format!("{path}?{}", String::from_utf8(changed).unwrap()));
    }
    let nothing = Download::of(&forged[0]).await;
    assert_eq!(nothing.status, 404);
    for url in &forged {
        let told = Download::of(url).await;
        assert_eq!((told.status, &told.bytes), (404, &nothing.bytes), "{url}");
    }
    // Another device has an address of its own, which outlives this one's.
    let elsewhere = look(&phone, &hers).await["downloadUrl"].take();
    ana.ask("mutation { logout { userErrors { code } } }", json!({}))
        .await;
    assert!(
        Download::of(&url).await.bytes == nothing.bytes,
        "signed out"
    );
    let elsewhere = elsewhere.as_str().unwrap();
    assert_eq!(Download::of(elsewhere).await.status, 200);
    app.clock.advance(Duration::from_mins(5));
    let late = Download::of(elsewhere).await;
    assert_eq!((late.status, late.bytes), (404, nothing.bytes));
    let fresh = look(&phone, &hers).await["downloadUrl"].take();
    assert_eq!(Download::of(fresh.as_str().unwrap()).await.status, 200);
}

#[tokio::test]
async fn one_at_a_time_and_three_a_day() {
    let app = TestApp::with(&[("WORKERS", "0")]).await;
    let ana = app.person("ana").await;
    let first = ask(&ana).await;
    let (one, other) = tokio::join!(ask(&ana), ask(&ana));
    assert_eq!((&one, &other), (&first, &first), "it is under way");
    let app = app.restart_with(&[("WORKERS", "4")]).await;
    ready(&ana, &first).await;
    for _ in 0..2 {
        app.clock.advance(Duration::from_mins(1));
        let again = ask(&ana).await;
        assert_ne!(again, first);
        ready(&ana, &again).await;
    }
    let refused = ana.ask(ASK, json!({})).await["exportData"].take();
    let told = &refused["userErrors"][0];
    assert_eq!(
        (&told["code"], &told["retryable"]),
        (&json!("RATE_LIMITED"), &json!(true))
    );
    assert_eq!(refused["dataExport"], Value::Null);
    let wait = told["retryAfterSeconds"].as_u64().unwrap();
    assert!((86_000..=86_400).contains(&wait), "{wait}");
    assert_eq!(
        ana.stranger().error(ASK, json!({})).await,
        "UNAUTHENTICATED"
    );
    app.clock.advance(Duration::from_secs(wait));
    let ana = app.device("ana").await;
    ask(&ana).await;
}

#[tokio::test]
async fn one_that_is_under_way_is_found_however_old_it_is() {
    let app = TestApp::with(&[("WORKERS", "0")]).await;
    let first = ask(&app.person("ana").await).await;
    app.clock.advance(Duration::from_hours(25));
    assert_eq!(ask(&app.device("ana").await).await, first);
}

#[tokio::test]
async fn an_archive_is_sealed_and_gone_after_a_day() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "2d")]).await;
    let ana = app.person("ana").await;
    let id = ask(&ana).await;
    ready(&ana, &id).await;
    let pieces = "SELECT count(*) FROM data_export_chunks";
    assert!(app.count(pieces).await > 0);
    // What the directory of a zip begins with.
    let held = app.contents().await;
    let clear = |bytes: &[u8]| held.windows(bytes.len()).any(|window| window == bytes);
    assert!(!clear(b"PK\x01\x02") && !clear(b"504b0102"));
    let mut events = ana.watch(FOLLOW, json!({"id": id})).await;
    let told = events.next().await["dataExportUpdated"]["dataExport"].take();
    assert_eq!(told["status"], "READY");
    app.passes(Duration::from_hours(24), "exports.expire").await;
    let told = events.next().await["dataExportUpdated"]["dataExport"].take();
    for over in [told, look(&ana, &id).await] {
        assert_eq!(
            (&over["status"], &over["downloadUrl"]),
            (&json!("EXPIRED"), &Value::Null)
        );
    }
    assert_eq!(app.count(pieces).await, 0);
}

#[tokio::test]
async fn an_export_whose_worker_died_begins_again_and_leaves_no_rubbish() {
    let app = TestApp::with(&[("WORKERS", "0")]).await;
    let ana = app.person("ana").await;
    let id = ask(&ana).await;
    // As it is left by a process that dies while it writes.
    for sql in [
        "UPDATE data_exports SET status = 'running'",
        "UPDATE jobs SET state = 'running', worker = 1, attempt = 1, fence = 1 WHERE kind = 'exports.write'",
        "INSERT INTO data_export_chunks (id, user_id, data_export_id, number, body) \
         SELECT id, user_id, id, 0, CAST('rubbish' AS bytea) FROM data_exports",
        "INSERT INTO data_export_chunks (id, user_id, data_export_id, number, body) \
         SELECT user_id, user_id, id, 7, CAST('rubbish' AS bytea) FROM data_exports",
    ] {
        let sql = match app.backend() {
            sea_orm::DbBackend::Postgres => sql.to_owned(),
            _ => sql.replace("bytea", "blob"),
        };
        assert!(app.meddle(&sql).await > 0, "{sql}");
    }
    let app = app.restart_with(&[("WORKERS", "4")]).await;
    let archive = Download::of(&ready(&ana, &id).await).await;
    assert!(unpack(&archive.bytes).contains_key("manifest.json"));
    let pieces = archive.bytes.len().div_ceil(64 * 1024);
    let kept = app.count("SELECT count(*) FROM data_export_chunks").await;
    assert_eq!(kept, i64::try_from(pieces).unwrap());
}

#[tokio::test]
async fn an_export_survives_a_crash_at_any_moment() {
    let mut app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_transactions_100").await;
    let id = ask(&ana).await;
    for _ in 0..2 {
        app = app.crash().await;
    }
    let archive = Download::of(&ready(&ana, &id).await).await;
    assert_eq!(
        records(&unpack(&archive.bytes), "transactions").0.len(),
        100
    );
    app.idle().await;
    assert_eq!(app.count("SELECT count(*) FROM data_exports").await, 1);
}

#[tokio::test]
async fn an_archive_may_be_larger_than_a_number_of_graphql() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let id = ask(&ana).await;
    ready(&ana, &id).await;
    app.meddle("UPDATE data_exports SET size = 3000000000")
        .await;
    assert_eq!(look(&ana, &id).await["size"], "3000000000");
}

/// Has the database refuse to change the export of somebody.
async fn jam(app: &TestApp, email: &str) {
    let hers = format!("OLD.user_id = (SELECT id FROM users WHERE email = '{email}')");
    let statements = match app.backend() {
        sea_orm::DbBackend::Postgres => vec![
            format!(
                "CREATE FUNCTION jam() RETURNS trigger AS $$ BEGIN IF {hers} THEN RAISE 'jammed'; END IF; \
                 RETURN NEW; END $$ LANGUAGE plpgsql"
            ),
            "CREATE TRIGGER jam BEFORE UPDATE ON data_exports FOR EACH ROW EXECUTE FUNCTION jam()"
                .to_owned(),
        ],
        _ => vec![format!(
            "CREATE TRIGGER jam BEFORE UPDATE ON data_exports WHEN {hers} BEGIN SELECT RAISE(ABORT, 'jammed'); END"
        )],
    };
    for sql in statements {
        app.meddle(&sql).await;
    }
}

#[tokio::test]
async fn an_archive_that_cannot_be_deleted_keeps_nobody_elses() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "2d")]).await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    for person in [&ana, &bob] {
        let id = ask(person).await;
        ready(person, &id).await;
    }
    app.idle().await;
    jam(&app, "ana@example.com").await;
    app.until("jobs", "kind = 'exports.expire' AND state = 'queued'")
        .await;
    app.clock.advance(Duration::from_hours(24));
    app.becomes(
        "SELECT count(*) FROM data_exports WHERE status = 'expired'",
        1,
    )
    .await;
    let left = "SELECT count(DISTINCT user_id) FROM data_export_chunks";
    assert_eq!(app.count(left).await, 1);
}
