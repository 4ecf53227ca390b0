//! What a listing of MX's is believed: answers that lack something, rows that cannot be read or come
//! twice, and readings that bring nothing new.

use serde_json::{Value, json};

use crate::support::{Person, TestApp, patiently};

const PAGES: &str = "GET /mx/users/{user_guid}/members/{member_guid}/transactions";
const ACCOUNTS: &str = "GET /mx/users/{user_guid}/members/{member_guid}/accounts";

/// Everything is read again by the next sync, as after a week.
async fn a_week_goes_by(app: &TestApp) {
    let old = "UPDATE items SET sync_cursor = '2020-01-01/2020-01-01'";
    assert_eq!(app.meddle(old).await, 1);
}

/// How a sync stands once it has ended or an attempt of it has failed.
async fn comes_to_something(app: &TestApp, person: &Person, job: &str) -> Value {
    let document = "query($id: ID!) { syncJob(id: $id) { status finishedAt error { code } \
                    progress { added modified removed } } }";
    let told = async {
        loop {
            let mut data = person.ask(document, json!({"id": job})).await;
            let job = data["syncJob"].take();
            if job["finishedAt"].is_string() || job["error"].is_object() {
                return job;
            }
            app.while_it_waits().await;
        }
    };
    patiently(told).await
}

/// Names of accounts, and whether they are open.
async fn accounts(person: &Person) -> Vec<(String, bool)> {
    let data = person
        .ask(
            "{ accounts(filter: {includeClosed: true}) { nodes { name closedAt } } }",
            json!({}),
        )
        .await;
    let nodes = data["accounts"]["nodes"].as_array().unwrap().iter();
    let shown = nodes.map(|node| {
        let name = node["name"].as_str().unwrap().to_owned();
        (name, node["closedAt"].is_null())
    });
    let mut shown: Vec<_> = shown.collect();
    shown.sort();
    shown
}

/// What the delta feed has after a cursor, and where it ends.
async fn changes(person: &Person, after: Value) -> (usize, Value) {
    let document = "query($after: String) { transactionChanges(after: $after, first: 100) { \
                    pageInfo { hasNextPage endCursor } nodes { __typename } } }";
    let (mut count, mut after) = (0, after);
    loop {
        let mut data = person.ask(document, json!({"after": after})).await;
        let page = &mut data["transactionChanges"];
        count += page["nodes"].as_array().unwrap().len();
        after = page["pageInfo"]["endCursor"].take();
        if page["pageInfo"]["hasNextPage"] == false {
            return (count, after);
        }
    }
}

#[tokio::test]
async fn an_answer_without_what_it_should_have_takes_nothing_away() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    let (rows, shown) = (ana.transactions().await, accounts(&ana).await);
    for (endpoint, body) in [
        (PAGES, json!({})),
        (PAGES, json!({"error": {"message": "no"}})),
        (PAGES, json!({"transactions": []})),
        (PAGES, json!({"transactions": [], "pagination": {}})),
        (ACCOUNTS, json!({})),
        (ACCOUNTS, json!({"accounts": []})),
        (
            ACCOUNTS,
            json!({"accounts": [], "pagination": {"total_entries": 3, "total_pages": 1}}),
        ),
    ] {
        let said = json!({"kind": "says", "body": body, "endpoint": endpoint});
        app.bank.faults(json!([said])).await;
        a_week_goes_by(&app).await;
        let job = ana.ask_sync(&item).await;
        let told = comes_to_something(&app, &ana, &job).await;
        assert_eq!(told["error"]["code"], "PROVIDER_UNAVAILABLE", "{body}");
        assert_eq!(ana.transactions().await, rows, "{body}");
        assert_eq!(accounts(&ana).await, shown, "{body}");
        app.bank.faults(json!([])).await;
        let ended = app.sync_ends(&ana, &job).await;
        assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
        assert_eq!(ana.transactions().await, rows, "{body}");
    }
}

#[tokio::test]
async fn a_listing_with_fewer_rows_than_entries_is_read_again() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    let rows = ana.transactions().await;
    for (entries, pages) in [(180, 1), (180, 0), (1, 1)] {
        let pagination = json!({"total_entries": entries, "total_pages": pages});
        let said = json!({"transactions": [], "pagination": pagination});
        let fault = json!({"kind": "says", "body": said, "endpoint": PAGES, "count": 1});
        app.bank.faults(json!([fault])).await;
        a_week_goes_by(&app).await;
        let job = ana.ask_sync(&item).await;
        let ended = app.sync_ends(&ana, &job).await;
        assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
        assert_eq!(ana.transactions().await, rows, "{entries}");
    }
}

#[tokio::test]
async fn a_listing_of_nothing_is_believed_when_it_is_seen_again() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let item = ana.link_mx(&app, "mxuser").await;
    let rows = ana.transactions().await;
    let nothing = json!({"total_entries": 0, "total_pages": 1});
    let said = json!({"transactions": [], "pagination": nothing});
    let said = json!([{"kind": "says", "body": said, "endpoint": PAGES}]);
    let sync = async |faults: Value| {
        app.bank.faults(faults).await;
        let job = ana.ask_sync(&item).await;
        let ended = app.sync_ends(&ana, &job).await;
        assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
        ended["progress"]["removed"].clone()
    };
    // Once may be a fault of MX's: nothing goes, and the next reading is of everything again.
    a_week_goes_by(&app).await;
    assert_eq!(sync(said.clone()).await, 0);
    assert_eq!(ana.transactions().await, rows);
    assert_eq!(sync(json!([])).await, 0);
    assert_eq!(ana.transactions().await, rows);
    // Twice running is how it is.
    a_week_goes_by(&app).await;
    assert_eq!(sync(said.clone()).await, 0);
    assert_eq!(sync(said).await, rows.len());
    assert!(ana.transactions().await.is_empty());
    assert!(bob.transactions().await.is_empty());
}

#[tokio::test]
async fn a_sync_that_finds_nothing_new_changes_and_tells_nothing() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let item = ana.link_mx(&app, "mxuser").await;
    let member = app.bank.member().await;
    app.idle().await;
    let (_, cursor) = changes(&ana, Value::Null).await;
    let document = "subscription { transactionsChanged { added modified removed } }";
    let mut told = ana.watch(document, json!({})).await;
    let mut stranger = bob.watch(document, json!({})).await;
    let log = "SELECT count(*) FROM activities WHERE kind = 'sync_succeeded'";
    let entries = app.count(log).await;
    let rows = ana.transactions().await;
    for weekly in [false, false, true] {
        if weekly {
            a_week_goes_by(&app).await;
        }
        let before = ana.mx_item(&item).await["lastSyncedAt"].clone();
        let job = ana.ask_sync(&item).await;
        let ended = app.sync_ends(&ana, &job).await;
        let nothing = json!({"added": 0, "modified": 0, "removed": 0});
        assert_eq!(ended["progress"], nothing, "{weekly}");
        assert_ne!(ana.mx_item(&item).await["lastSyncedAt"], before);
    }
    assert_eq!(changes(&ana, cursor.clone()).await.0, 0);
    assert_eq!(ana.transactions().await, rows);
    assert_eq!(app.count(log).await, entries);
    told.silent().await;
    // And what is new is told alone.
    let lines = app
        .bank
        .look(&format!("/control/members/{member}/oracle"))
        .await;
    let first = lines.as_str().unwrap().lines().next().unwrap().to_owned();
    let first: Value = serde_json::from_str(&first).unwrap();
    let changed = json!({"modify": [{"guid": first["guid"], "amount": 77.5}], "notify": false});
    app.bank.change_member(&member, changed).await;
    let job = ana.ask_sync(&item).await;
    app.sync_ends(&ana, &job).await;
    let one = json!({"added": 0, "modified": 1, "removed": 0});
    assert_eq!(told.next().await["transactionsChanged"], one);
    assert_eq!(changes(&ana, cursor).await.0, 1);
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
    stranger.silent().await;
}

#[tokio::test]
async fn a_row_that_moves_to_another_account_is_a_change() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    let member = app.bank.member().await;
    let add = json!({"add": [{"original_description": "MOVES"}], "notify": false});
    let added = app.bank.change_member(&member, add).await;
    let job = ana.ask_sync(&item).await;
    app.sync_ends(&ana, &job).await;
    let account = async || {
        let rows = ana.transactions().await;
        let row = rows.iter().find(|row| row["name"] == "MOVES").unwrap();
        row["account"]["id"].clone()
    };
    let before = account().await;
    let other = app.bank.members().await[0]["accounts"][1].clone();
    let moved = json!({"guid": added["added"][0], "account_guid": other});
    let changed = json!({"modify": [moved], "notify": false});
    app.bank.change_member(&member, changed).await;
    let job = ana.ask_sync(&item).await;
    let ended = app.sync_ends(&ana, &job).await;
    assert_eq!(ended["progress"]["modified"], 1, "{ended}");
    assert_ne!(account().await, before);
}

#[tokio::test]
async fn a_row_that_comes_twice_on_a_page_is_one() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let twice = json!([{"kind": "anomaly", "name": "same_id_twice"}]);
    app.bank.faults(twice).await;
    let item = ana.order_mx("mxuser", "any").await;
    let member = app.bank.member().await;
    for _ in 0..2 {
        app.stands(&ana, &item, "SUCCESS").await;
        let rows = ana.transactions().await;
        assert_eq!(rows.len(), app.bank.member_truth(&member).await.len());
        let last = rows
            .iter()
            .filter(|row| row["merchantName"] == "THE SAME ID AGAIN");
        assert_eq!(last.count(), 1);
        let job = ana.ask_sync(&item).await;
        assert_eq!(app.sync_ends(&ana, &job).await["status"], "SUCCEEDED");
    }
}

#[tokio::test]
async fn a_row_that_is_never_to_be_read_keeps_none_from_going() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    let member = app.bank.member().await;
    let sync = async || {
        let job = ana.ask_sync(&item).await;
        let ended = app.sync_ends(&ana, &job).await;
        assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
        let mut truth = app.bank.member_truth(&member).await;
        truth.retain(|(name, ..)| name != "ODD");
        assert_eq!(ana.holds().await, truth);
    };
    let row = |name: &str, status: &str, direction: &str| json!({"original_description": name, "amount": 9, "type": direction, "status": status});
    let rows = [
        row("ODD", "POSTED", "SIDEWAYS"),
        row("HOTEL", "PENDING", "DEBIT"),
        row("SHOP", "POSTED", "DEBIT"),
    ];
    let add = json!({"add": rows, "notify": false});
    let added = app.bank.change_member(&member, add).await;
    sync().await;
    // Pending becomes posted under another guid.
    let post = json!({"post": [added["added"][1]], "notify": false});
    app.bank.change_member(&member, post).await;
    sync().await;
    // A posted one is taken back, which a reading of everything misses.
    let take = json!({"remove": [added["added"][2]], "notify": false});
    app.bank.change_member(&member, take).await;
    a_week_goes_by(&app).await;
    sync().await;
}

#[tokio::test]
async fn a_closed_account_with_a_history_is_closed_and_has_its_name() {
    let app = TestApp::start().await;
    app.bank.mx(json!({"by_control": true})).await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser", "any").await;
    let member = app.bank.member().await;
    app.bank.step(&member, 3).await;
    let guid = app.bank.members().await[0]["accounts"][0].clone();
    let change = json!({"modify": [{"guid": guid, "is_closed": true, "name": "Old Savings"}]});
    let path = format!("/control/members/{member}/accounts");
    app.bank.ask(&path, change).await;
    app.bank.step(&member, 1).await;
    app.stands(&ana, &item, "SUCCESS").await;
    let shown = accounts(&ana).await;
    assert!(
        shown.contains(&("Old Savings".to_owned(), false)),
        "{shown:?}"
    );
    assert!(shown.iter().all(|(name, _)| name != "Account"), "{shown:?}");
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
    let rows = ana.transactions().await;
    let mut named = rows
        .iter()
        .filter(|row| row["account"]["name"] == "Old Savings")
        .peekable();
    assert!(named.peek().is_some());
    assert!(named.all(|row| row["amount"]["currency"] != "XXX"));
}

#[tokio::test]
async fn a_row_that_goes_between_two_pages_costs_no_other() {
    let app = TestApp::start().await;
    app.bank.mx(json!({"by_control": true})).await;
    let ana = app.person("ana").await;
    let item = ana.order_mx("mxuser_2500", "any").await;
    let member = app.bank.member().await;
    app.bank.step(&member, 3).await;
    // A row of the first page goes, so that the second begins one later: only the number tells.
    let lines = app
        .bank
        .look(&format!("/control/members/{member}/oracle"))
        .await;
    let first = lines.as_str().unwrap().lines().next().unwrap().to_owned();
    let first: Value = serde_json::from_str(&first).unwrap();
    let shift = json!({"remove": [first["guid"]], "notify": false, "after_page": 1});
    app.bank.change_member(&member, shift).await;
    app.bank.step(&member, 1).await;
    app.stands(&ana, &item, "SUCCESS").await;
    let truth = app.bank.member_truth(&member).await;
    assert_eq!(truth.len(), 2499);
    assert_eq!(ana.holds().await, truth);
}
