//! Syncing: every transaction once, with one id for life.

use serde_json::{Value, json};

use crate::support::{Person, TestApp};

const SYNC: &str = "mutation($input: SyncItemInput!) { syncItem(input: $input) { syncJob { id } userErrors { code } } }";

async fn sync(person: &Person, item: &str) -> Value {
    let data = person.ask(SYNC, json!({"input": {"itemId": item}})).await;
    assert_eq!(data["syncItem"]["userErrors"], json!([]), "{data}");
    person
        .sync_job_ends(data["syncItem"]["syncJob"]["id"].as_str().unwrap())
        .await
}

#[tokio::test]
async fn a_posted_transaction_keeps_the_id_of_its_pending_one() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item().await["item_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let added =
        json!({"add": [{"name": "Lunch", "amount": 12.50, "pending": true}], "notify": false});
    let pending = app.bank.change(&there, added).await["added"][0].clone();
    sync(&ana, &item).await;
    let find = |rows: Vec<Value>| rows.into_iter().find(|row| row["name"] == "Lunch").unwrap();
    let before = find(ana.transactions().await);
    assert_eq!(
        (&before["pending"], &before["amount"]["amount"]),
        (&json!(true), &json!("-12.50"))
    );

    app.bank
        .change(&there, json!({"post": [pending], "notify": false}))
        .await;
    sync(&ana, &item).await;
    let after = find(ana.transactions().await);
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["pending"], false);
    assert_eq!(after["createdAt"], before["createdAt"]);
}

#[tokio::test]
async fn what_the_bank_takes_back_goes_and_what_it_changes_changes() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    let there = app.bank.item().await["item_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let theirs = app.bank.oracle(&there).await;
    let (gone, changed) = (&theirs[0]["transaction_id"], &theirs[1]["transaction_id"]);
    let changes = json!({
        "remove": [gone],
        "modify": [{"transaction_id": changed, "amount": 77.77, "name": "Changed"}],
        "notify": false,
    });
    app.bank.change(&there, changes).await;

    let job = sync(&ana, &item).await;
    assert_eq!(
        job["progress"],
        json!({"pages": 1, "added": 0, "modified": 1, "removed": 1})
    );
    let rows = ana.transactions().await;
    assert_eq!(rows.len(), theirs.len() - 1);
    let same = |row: &Value| row["name"] == "Changed" && row["amount"]["amount"] == "-77.77";
    assert!(rows.iter().any(same));
}

#[tokio::test]
async fn a_bank_that_is_down_is_waited_for_and_then_synced() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    app.bank.faults(json!([{"endpoint": "/transactions/sync", "kind": "error", "code": "INSTITUTION_DOWN", "count": 1}])).await;
    let document = "subscription($id: ID!) { syncJobUpdated(itemId: $id) { syncJob { status attempt nextAttemptAt \
                    error { code action retryable } } } }";
    let mut watch = ana.watch(document, json!({"id": item})).await;
    watch.next().await;
    ana.ask(SYNC, json!({"input": {"itemId": item}})).await;
    let mut told = Vec::new();
    loop {
        let mut event = watch.next().await;
        let job = event["syncJobUpdated"]["syncJob"].take();
        let status = job["status"].as_str().unwrap().to_owned();
        if status == "WAITING" && !told.contains(&status) {
            assert_eq!(
                job["error"],
                json!({"code": "PROVIDER_UNAVAILABLE", "action": "WAIT", "retryable": true})
            );
            assert!(job["nextAttemptAt"].is_string());
            app.clock.advance(std::time::Duration::from_mins(11));
        }
        told.push(status);
        if told.last().is_some_and(|last| last == "SUCCEEDED") {
            break;
        }
    }
    assert!(told.contains(&"WAITING".to_owned()), "{told:?}");
}

#[tokio::test]
async fn a_login_that_no_longer_works_asks_the_person() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    let token = app.bank.item().await["access_token"].clone();
    let document = "subscription($id: ID!) { itemUpdated(itemId: $id) { item { linkStatus requiredAction { __typename } } } }";
    let mut watch = ana.watch(document, json!({"id": item})).await;
    assert_eq!(
        watch.next().await["itemUpdated"]["item"]["linkStatus"],
        "SUCCESS"
    );

    app.bank
        .ask("/sandbox/item/reset_login", json!({"access_token": token}))
        .await;

    let event = watch.next().await;
    let told = json!({"linkStatus": "LOGIN_REQUIRED", "requiredAction": {"__typename": "ReauthenticateAction"}});
    assert_eq!(event["itemUpdated"]["item"], told);
}

#[tokio::test]
async fn a_fault_that_only_the_item_tells_of_is_told() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    app.bank.settings(json!({"webhooks": {"drop": 1.0}})).await;
    let late = json!({"kind": "latency", "ms": 2000, "endpoint": "/item/get"});
    app.bank.faults(json!([late])).await;
    let rows = ana.transactions().await;
    let read = async |path| app.bank.calls(path).await.len();
    let before = read("/transactions/sync").await + read("/accounts/get").await;
    let asked = ana.ask(SYNC, json!({"input": {"itemId": item}})).await;
    // It has everything else, and waits for how the item stands.
    while read("/transactions/sync").await + read("/accounts/get").await < before + 2 {}
    let error = json!({"event": "error", "code": "ITEM_LOGIN_REQUIRED"});
    app.bank.event(&app.bank.item_id().await, error).await;

    let job = asked["syncItem"]["syncJob"]["id"].as_str().unwrap();
    assert_eq!(ana.sync_job_ends(job).await["status"], "SUCCEEDED");
    let told = ana.item(&item).await;
    assert_eq!(
        (&told["linkStatus"], &told["linkErrorCode"]),
        (&json!("LOGIN_REQUIRED"), &json!("ITEM_LOGIN_REQUIRED"))
    );
    assert_eq!(ana.transactions().await, rows, "data stays");
}

#[tokio::test]
async fn a_change_during_pagination_loses_and_doubles_nothing() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let late = json!({"kind": "latency", "ms": 1500, "endpoint": "/transactions/sync", "nth": 3});
    let again = json!({"kind": "mutation", "page": 3, "count": 1});
    app.bank.faults(json!([late, again])).await;
    let webhook = format!("{}/webhooks/plaid", app.url);
    let token = app.bank.public_token("user_transactions_2500", &webhook);
    let linked = ana.exchange(&token.await).await;
    let there = app.bank.item_id().await;
    // Two pages are read, and the third is on its way, when rows of them go.
    while app.bank.calls("/transactions/sync").await.len() < 2 {}
    let theirs = app.bank.oracle(&there).await;
    let gone = theirs.iter().step_by(50).map(|row| &row["transaction_id"]);
    let gone = json!({"remove": gone.collect::<Vec<_>>(), "notify": false});
    app.bank.change(&there, gone).await;

    let job = linked["syncJob"]["id"].as_str().unwrap();
    let ended = ana.sync_job_ends(job).await;
    assert_eq!(
        (&ended["status"], &ended["attempt"]),
        (&json!("SUCCEEDED"), &json!(1))
    );
    let theirs = app.bank.oracle(&there).await.len();
    assert_eq!((ana.transactions().await.len(), theirs), (2450, 2450));
}
