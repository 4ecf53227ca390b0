//! What administrators do about the server's work.

use std::time::Duration;

use serde_json::{Value, json};

use super::{code, done, has, seen};
use crate::support::{Person, TestApp, patiently};

const SYNC: &str = "/transactions/sync";

/// The only job in a state, as an administrator sees it.
async fn the_job(admin: &Person, status: &str) -> Value {
    let field = format!(
        "jobs(filter: {{status: {status}, kind: \"sync.item\"}}, first: 1) {{ nodes {{ jobId status attempt error user {{ email }} syncError {{ code }} }} }}"
    );
    let mut told = seen(admin, &field).await;
    told["nodes"][0].take()
}

async fn fail(app: &TestApp, fault: &str) {
    let fault = json!([{"kind": "error", "code": fault, "endpoint": SYNC}]);
    app.bank.faults(fault).await;
}

/// An administrator, and somebody with a bank for whom nothing is to be done.
struct Scene {
    ana: Person,
    bob: Person,
    item: String,
}

impl Scene {
    async fn set(app: &TestApp) -> Self {
        let (ana, bob) = (app.administrator("ana").await, app.person("bob").await);
        let item = bob.link(&app.bank, "user_good").await;
        app.bank.webhooks_settled().await;
        bob.quiet().await;
        app.idle().await;
        Self { ana, bob, item }
    }

    /// A sync that fails for good: it, and its job as the administrator sees it.
    async fn dead_job(&self, app: &TestApp) -> (Value, Value) {
        fail(app, "PRODUCTS_NOT_SUPPORTED").await;
        let failed = self.bob.sync(&self.item).await;
        assert_eq!(failed["status"], "FAILED", "{failed}");
        (failed, the_job(&self.ana, "DEAD").await)
    }
}

#[tokio::test]
async fn a_dead_job_is_tried_again_by_hand_and_succeeds() {
    let app = TestApp::start().await;
    let scene = Scene::set(&app).await;
    let (failed, dead) = scene.dead_job(&app).await;
    let Scene { ana, bob, .. } = scene;
    let job = dead["jobId"].as_str().unwrap();
    assert!(
        dead["error"].is_string() && dead["syncError"]["code"].is_string(),
        "{dead}"
    );
    assert_eq!(dead["user"]["email"], "bob@example.com");
    assert_eq!(seen(&ana, "overview { deadJobs }").await["deadJobs"], 1);

    app.bank.faults(json!([])).await;
    let told = done(&ana, "retryJob", "jobId", job, "job { status attempt }").await;
    assert_eq!(
        told,
        json!({"job": {"status": "QUEUED", "attempt": 0}, "userErrors": []})
    );
    let ended = bob.sync_job_ends(failed["id"].as_str().unwrap()).await;
    assert_eq!(
        (&ended["status"], &ended["error"]),
        (&json!("SUCCEEDED"), &Value::Null)
    );
    app.idle().await;
    let again = done(&ana, "retryJob", "jobId", job, "job { status }").await;
    assert_eq!(code(&again), "INVALID_STATE", "it has succeeded: {again}");
    assert!(has(&bob, "ADMIN_ACTED", Some("retryJob")).await);
}

#[tokio::test]
async fn a_sync_that_is_tried_again_follows_the_login_from_its_beginning() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
    app.bank.mx(json!({"by_control": true})).await;
    let (ana, bob) = (app.administrator("ana").await, app.person("bob").await);
    let member = "GET /mx/users/{user_guid}/members/{member_guid}";
    let refused = json!([{"kind": "status", "status": 403, "endpoint": member}]);
    app.bank.faults(refused).await;
    let item = bob.order_mx("mxuser", "any").await;
    app.until("jobs", "kind = 'sync.item' AND state = 'dead'")
        .await;
    let dead = the_job(&ana, "DEAD").await;
    app.bank.faults(json!([])).await;
    app.clock.advance(std::time::Duration::from_hours(7));
    let job = dead["jobId"].as_str().unwrap();
    let told = done(&ana, "retryJob", "jobId", job, "job { status }").await;
    assert_eq!(told["userErrors"], json!([]), "{told}");
    app.until("jobs", "kind = 'sync.item' AND state = 'waiting'")
        .await;
    let told = bob.mx_item(&item).await;
    assert_eq!(told["linkStatus"], "PROCESSING", "{told}");
    app.bank.step(&app.bank.member().await, 4).await;
    app.stands(&bob, &item, "SUCCESS").await;
}

#[tokio::test]
async fn a_dead_job_is_not_tried_beside_another_that_does_the_same() {
    let app = TestApp::start().await;
    let scene = Scene::set(&app).await;
    let (_, dead) = scene.dead_job(&app).await;
    let Scene { ana, bob, item } = scene;
    let job = dead["jobId"].as_str().unwrap();
    put_off(&app, &bob, &item).await;
    let told = done(&ana, "retryJob", "jobId", job, "job { status }").await;
    assert_eq!(code(&told), "INVALID_STATE");
    // Nor once there is nothing to sync any more.
    bob.remove(&item).await;
    let told = done(&ana, "retryJob", "jobId", job, "job { status }").await;
    assert_eq!(code(&told), "INVALID_STATE");
}

/// A sync that fails for now, and is tried again in an hour.
async fn put_off(app: &TestApp, person: &Person, item: &str) -> String {
    fail(app, "INTERNAL_SERVER_ERROR").await;
    let document = "mutation($id: ID!) { syncItem(input: {itemId: $id}) { syncJob { id } } }";
    let asked = person.ask(document, json!({"id": item})).await;
    let later =
        "UPDATE jobs SET run_at = run_at + 3600000 WHERE kind = 'sync.item' AND state = 'waiting'";
    patiently(async { while app.meddle(later).await == 0 {} }).await;
    let sync = asked["syncItem"]["syncJob"]["id"].as_str();
    sync.unwrap().to_owned()
}

#[tokio::test]
async fn a_job_that_waits_is_called_off_and_its_sync_with_it() {
    let app = TestApp::start().await;
    let Scene { ana, bob, item } = Scene::set(&app).await;
    let sync = put_off(&app, &bob, &item).await;
    let waiting = the_job(&ana, "WAITING").await;
    let job = waiting["jobId"].as_str().unwrap();
    let told = done(&ana, "cancelJob", "jobId", job, "job { status }").await;
    assert_eq!(
        told,
        json!({"job": {"status": "CANCELLED"}, "userErrors": []})
    );
    assert_eq!(bob.sync_job_ends(&sync).await["status"], "CANCELLED");
    let again = done(&ana, "cancelJob", "jobId", job, "job { status }").await;
    assert_eq!(code(&again), "INVALID_STATE");
    assert!(has(&bob, "ADMIN_ACTED", Some("cancelJob")).await);
    // The next one runs as ever.
    app.bank.faults(json!([])).await;
    assert_eq!(bob.sync(&item).await["status"], "SUCCEEDED");
    // One that comes by itself has another time.
    let field = "jobs(filter: {kind: \"auth.prune\", status: QUEUED}) { nodes { jobId } }";
    let mut recurring = seen(&ana, field).await;
    let recurring = recurring["nodes"][0]["jobId"].take();
    let told = done(
        &ana,
        "cancelJob",
        "jobId",
        recurring.as_str().unwrap(),
        "job { status }",
    )
    .await;
    assert_eq!(told["job"]["status"], "CANCELLED");
}

/// What a replay could have done twice.
async fn traces(app: &TestApp) -> Vec<i64> {
    let mut counts = Vec::new();
    for sql in [
        "SELECT count(*) FROM transactions",
        "SELECT count(*) FROM items WHERE removed_at IS NULL",
        "SELECT count(*) FROM accounts",
        "SELECT count(*) FROM webhooks",
        "SELECT count(*) FROM activities WHERE kind = 'item_repaired'",
        "SELECT count(*) FROM items WHERE new_accounts",
    ] {
        counts.push(app.count(sql).await);
    }
    counts
}

#[tokio::test]
async fn a_webhook_that_is_replayed_does_nothing_twice() {
    let app = TestApp::start().await;
    let Scene { ana, bob, .. } = Scene::set(&app).await;
    let there = app.bank.item_id().await;
    let about = |kind: &str, code: &str| json!({"webhook_type": kind, "webhook_code": code, "item_id": there, "environment": "sandbox", "error": null});
    for code in ["NEW_ACCOUNTS_AVAILABLE", "LOGIN_REPAIRED"] {
        let webhook = app.bank.signed(about("ITEM", code)).await;
        assert_eq!(app.deliver(&webhook).await, 200);
    }
    bob.quiet().await;
    let before = traces(&app).await;
    let field = "webhookDeliveries(filter: {status: APPLIED}) { nodes { deliveryId code } }";
    let kept = seen(&ana, field).await;
    let kept = kept["nodes"].as_array().unwrap();
    assert!(kept.len() >= 2, "{kept:?}");
    for _ in 0..2 {
        for delivery in kept {
            let id = delivery["deliveryId"].as_str().unwrap();
            let told = done(
                &ana,
                "replayWebhook",
                "deliveryId",
                id,
                "delivery { status user { email } }",
            )
            .await;
            let wanted = json!({"status": "APPLIED", "user": {"email": "bob@example.com"}});
            assert_eq!(told["delivery"], wanted, "{told}");
        }
    }
    let jobs = bob.quiet().await;
    assert!(
        jobs.iter().all(|job| job["status"] == "SUCCEEDED"),
        "{jobs:?}"
    );
    assert_eq!(traces(&app).await, before);
    assert!(has(&bob, "ADMIN_ACTED", Some("replayWebhook")).await);
}

#[tokio::test]
async fn a_webhook_that_never_took_effect_does_when_it_is_replayed() {
    let app = TestApp::start().await;
    let Scene { ana, bob, item } = Scene::set(&app).await;
    let there = app.bank.item_id().await;
    let news = |item: &str| json!({"webhook_type": "ITEM", "webhook_code": "NEW_ACCOUNTS_AVAILABLE", "item_id": item, "environment": "sandbox", "error": null});
    let unknown = app.bank.signed(news("nobody-has-this-item")).await;
    assert_eq!(app.deliver(&unknown).await, 200);
    let parked = "webhookDeliveries(filter: {status: PARKED}) { nodes { deliveryId } }";
    let id_of = async || {
        seen(&ana, parked).await["nodes"][0]["deliveryId"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let nothing = done(
        &ana,
        "replayWebhook",
        "deliveryId",
        &id_of().await,
        "delivery { status }",
    )
    .await;
    assert_eq!(code(&nothing), "INVALID_STATE", "{nothing}");

    // As if it had come while the item was not known here.
    app.meddle("DELETE FROM webhooks").await;
    let early = app.bank.signed(news(&there)).await;
    assert_eq!(app.deliver(&early).await, 200);
    app.meddle("UPDATE items SET new_accounts = FALSE").await;
    app.meddle("UPDATE webhooks SET state = 'expired', user_id = NULL, applied_at = NULL")
        .await;
    let expired = "webhookDeliveries(filter: {status: EXPIRED}) { nodes { deliveryId } }";
    let kept = seen(&ana, expired).await;
    let id = kept["nodes"][0]["deliveryId"].as_str().unwrap();
    let told = done(
        &ana,
        "replayWebhook",
        "deliveryId",
        id,
        "delivery { status appliedAt }",
    )
    .await;
    assert_eq!(told["delivery"]["status"], "APPLIED", "{told}");
    let stands = bob.item(&item).await;
    assert_eq!(stands["requiredAction"]["__typename"], "NewAccountsAction");
}

#[tokio::test]
async fn a_sync_is_asked_for_on_somebodys_behalf() {
    let app = TestApp::start().await;
    let Scene { ana, bob, item } = Scene::set(&app).await;
    let before = bob.quiet().await.len();
    let told = done(&ana, "syncUserItem", "itemId", &item, "item { itemId }").await;
    assert_eq!(told, json!({"item": {"itemId": item}, "userErrors": []}));
    let jobs = bob.quiet().await;
    assert_eq!(
        (jobs.len(), &jobs[0]["trigger"]),
        (before + 1, &json!("MANUAL"))
    );
    assert!(has(&bob, "ADMIN_ACTED", Some("syncUserItem")).await);
    bob.remove(&item).await;
    let told = done(&ana, "syncUserItem", "itemId", &item, "item { itemId }").await;
    assert_eq!(code(&told), "NOT_FOUND");
}

const EXPORT: &str = "mutation { exportData { dataExport { id } userErrors { code message } } }";
const EXPORTED: &str =
    "subscription($id: ID!) { dataExportUpdated(dataExportId: $id) { dataExport { status } } }";

/// Has somebody ask for a copy of everything; its id.
async fn export(person: &Person) -> String {
    let told = person.ask(EXPORT, json!({})).await;
    let id = told["exportData"]["dataExport"]["id"].as_str();
    id.unwrap_or_else(|| panic!("{told}")).to_owned()
}

/// Waits until an export stands so.
async fn exported(person: &Person, id: &str, status: &str) {
    let mut events = person.watch(EXPORTED, json!({"id": id})).await;
    while events.next().await["dataExportUpdated"]["dataExport"]["status"] != status {}
}

/// An export that nobody could write: its id, and its job's.
async fn dead_export(app: &TestApp, scene: &Scene) -> (String, String) {
    let table = "ALTER TABLE removed_transactions RENAME TO elsewhere";
    app.meddle(table).await;
    let id = export(&scene.bob).await;
    let given_up = "SELECT count(*) FROM data_exports WHERE status = 'failed'";
    patiently(async {
        while app.count(given_up).await == 0 {
            app.settles().await;
            app.clock.advance(Duration::from_hours(1));
        }
    })
    .await;
    let table = "ALTER TABLE elsewhere RENAME TO removed_transactions";
    app.meddle(table).await;
    let field = "jobs(filter: {kind: \"exports.write\", status: DEAD}) { nodes { jobId } }";
    let mut told = seen(&scene.ana, field).await;
    let job = told["nodes"][0]["jobId"].take();
    (id, job.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_export_that_was_given_up_is_written_when_its_job_is_tried_again() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "9d"), ("REFRESH_TOKEN_TTL", "30d")]).await;
    let scene = Scene::set(&app).await;
    let (id, job) = dead_export(&app, &scene).await;
    let Scene { ana, bob, .. } = scene;
    exported(&bob, &id, "FAILED").await;
    let pieces = "SELECT count(*) FROM data_export_chunks";
    assert_eq!(
        app.count(pieces).await,
        0,
        "nothing is left of the attempts"
    );
    let told = done(&ana, "retryJob", "jobId", &job, "job { status }").await;
    assert_eq!(told["job"]["status"], "QUEUED", "{told}");
    exported(&bob, &id, "READY").await;
    assert!(has(&bob, "ADMIN_ACTED", Some("retryJob")).await);
    assert!(app.count(pieces).await > 0);
}

#[tokio::test]
async fn an_export_that_was_given_up_stays_so_beside_another_and_counts_for_none() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "9d"), ("REFRESH_TOKEN_TTL", "30d")]).await;
    let scene = Scene::set(&app).await;
    let (_, job) = dead_export(&app, &scene).await;
    let app = app.restart_with(&[("WORKERS", "0")]).await;
    let Scene { ana, bob, .. } = scene;
    let (ana, bob) = (ana.at(&app.url), bob.at(&app.url));
    export(&bob).await;
    let told = done(&ana, "retryJob", "jobId", &job, "job { status }").await;
    assert_eq!(code(&told), "INVALID_STATE", "{told}");
    // The one that waits is not called off either: its person looks at it.
    let field = "jobs(filter: {kind: \"exports.write\", status: QUEUED}) { nodes { jobId } }";
    let mut waits = seen(&ana, field).await;
    let waits = waits["nodes"][0]["jobId"].take();
    let cancel =
        "mutation($id: ID!) { cancelJob(input: {jobId: $id}) { userErrors { code message } } }";
    let told = ana.ask(cancel, json!({"id": waits})).await["cancelJob"]["userErrors"][0].take();
    assert_eq!(told["code"], "INVALID_STATE");
    assert!(
        told["message"].as_str().unwrap().contains("export"),
        "{told}"
    );
    assert_eq!(
        app.count("SELECT count(*) FROM jobs WHERE state = 'cancelled'")
            .await,
        0
    );
    // Two more within the day: what came to nothing is none of the three.
    for _ in 0..2 {
        app.meddle("UPDATE data_exports SET status = 'ready', finished_at = created_at WHERE status = 'queued'").await;
        export(&bob).await;
    }
    app.meddle("UPDATE data_exports SET status = 'ready', finished_at = created_at WHERE status = 'queued'").await;
    let told = bob.ask(EXPORT, json!({})).await["exportData"]["userErrors"][0].take();
    assert_eq!(told["code"], "RATE_LIMITED", "{told}");
}
