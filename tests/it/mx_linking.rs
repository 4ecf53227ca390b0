//! Banks that MX connects: found, linked by credentials, by the bank's own page, or on MX's.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::TestApp;

const CREATE: &str = "POST /mx/users/{user_guid}/members";
const LIST: &str = "GET /mx/users/{user_guid}/members";

fn code(answer: &Value) -> &Value {
    &answer["userErrors"][0]["code"]
}

#[tokio::test]
async fn banks_are_found_with_what_they_ask_for() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let document = "query($provider: Provider!, $search: String!, $first: Int, $after: String) { institutions(provider: \
                    $provider, search: $search, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } \
                    nodes { id code name oauth provider } } }";
    let search = |first: Value, after: Value| {
        let variables =
            json!({"provider": "MX", "search": " bank ", "first": first, "after": after});
        ana.ask(document, variables)
    };
    let mut codes = Vec::new();
    let mut after = Value::Null;
    loop {
        let mut page = search(json!(7), after).await["institutions"].take();
        let rows = page["nodes"].as_array().unwrap().clone();
        assert!(rows.len() <= 7 && rows.iter().all(|row| row["provider"] == "MX"));
        codes.extend(rows.iter().map(|row| row["code"].clone()));
        if page["pageInfo"]["hasNextPage"] != true {
            assert_eq!(page["totalCount"], codes.len());
            break;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
    assert!(
        codes.len() > 7 && codes.contains(&json!("mx_bank_oauth")),
        "{codes:?}"
    );
    let first = search(json!(1), Value::Null).await;
    assert_eq!(
        first,
        search(json!(1), Value::Null).await,
        "the same id twice"
    );

    let fields = ana.fields("Houndstooth").await;
    let told: Vec<_> = fields
        .iter()
        .map(|field| (&field["name"], &field["kind"]))
        .collect();
    let (login, password) = (json!("LOGIN"), json!("PASSWORD"));
    assert_eq!(told[0], (&login, &json!("TEXT")), "{fields:?}");
    assert_eq!(told[1], (&password, &json!("PASSWORD")), "{fields:?}");
    assert_eq!(fields.len(), 3);
    for (provider, search) in [("PLAID", "bank"), ("MX", " "), ("MX", &"x".repeat(101))] {
        let variables = json!({"provider": provider, "search": search});
        assert_eq!(
            ana.error(document, variables).await,
            "BAD_USER_INPUT",
            "{search}"
        );
    }
}

#[tokio::test]
async fn banks_that_are_switched_off_hide_no_other() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let document = "query($search: String!, $first: Int, $after: String) { institutions(provider: MX, search: $search, \
                    first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { code } } }";
    for first in [7, 40, 100] {
        let (mut codes, mut after) = (Vec::new(), Value::Null);
        loop {
            let variables = json!({"search": "parish", "first": first, "after": after});
            let mut page = ana.ask(document, variables).await["institutions"].take();
            let rows = page["nodes"].as_array().unwrap().iter();
            codes.extend(rows.map(|row| row["code"].as_str().unwrap().to_owned()));
            // Nobody knows how many there are until all pages of MX's are read.
            assert_eq!(page["totalCount"], Value::Null);
            if page["pageInfo"]["hasNextPage"] != true {
                break;
            }
            after = page["pageInfo"]["endCursor"].take();
        }
        let open = (1..=130).filter(|number| number % 30 != 1);
        let open: Vec<String> = open.map(|number| format!("parish_{number}")).collect();
        assert_eq!(codes, open, "{first}");
    }
    let few = json!({"search": "Parish No. 3", "first": 2});
    let few = &ana.ask(document, few).await["institutions"];
    // 3 and 30 to 39 without 31.
    assert_eq!(few["totalCount"], 10, "{few}");
}

#[tokio::test]
async fn a_bank_is_linked_by_its_credentials_and_told_live() {
    let app = TestApp::start().await;
    app.bank.mx(json!({"by_control": true})).await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let document = "subscription { itemUpdated { item { linkStatus transactionsStatus lastSyncedAt institution { code } } } }";
    let mut items = ana.watch(document, json!({})).await;
    let mut stranger = bob.watch(document, json!({})).await;
    let item = ana.order_mx("mxuser", "any").await;
    let mut event = items.next().await;
    let processing = json!({"linkStatus": "PROCESSING", "transactionsStatus": "DOWNLOADING", "lastSyncedAt": null,
                            "institution": {"code": "mxbank"}});
    assert_eq!(event["itemUpdated"]["item"].take(), processing);

    // MX is in, and collects; then it is done.
    let member = app.bank.member().await;
    app.bank.step(&member, 1).await;
    app.until("jobs", "kind = 'sync.item' AND state = 'waiting'")
        .await;
    app.clock.advance(Duration::from_secs(3));
    app.bank.step(&member, 3).await;
    let done = app.stands(&ana, &item, "SUCCESS").await;
    assert_eq!(done["transactionsStatus"], "COMPLETE", "{done}");
    assert!(done["lastSyncedAt"].is_string() && done["requiredAction"].is_null());
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
    assert!(ana.holds().await.iter().any(|row| row.1.starts_with('-')));
    let event = items.next().await;
    assert_eq!(
        event["itemUpdated"]["item"]["linkStatus"], "SUCCESS",
        "{event}"
    );
    assert_eq!(ana.quiet().await[0]["trigger"], "LINK");

    stranger.silent().await;
    assert!(bob.transactions().await.is_empty());
    assert_eq!(bob.mx_item(&item).await, Value::Null);
}

#[tokio::test]
async fn the_same_key_gives_the_same_bank() {
    let app = TestApp::start().await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let credentials = ana.credentials("mxuser", "any").await;
    let input =
        json!({"institutionCode": "mxbank", "credentials": credentials, "idempotencyKey": "key"});
    let answers = join_all((0..10).map(|_| ana.order(input.clone()))).await;
    for answer in &answers {
        let busy =
            *code(answer) == "EXCHANGE_IN_PROGRESS" && answer["userErrors"][0]["retryable"] == true;
        assert!(answer["item"]["id"].is_string() || busy, "{answer}");
    }
    let again = ana.order(input.clone()).await;
    assert!(
        answers
            .iter()
            .all(|one| one["item"].is_null() || one["item"]["id"] == again["item"]["id"])
    );
    assert_eq!(app.bank.members().await.len(), 1);

    let mut other = input.clone();
    other["institutionCode"] = json!("hazel_bank");
    assert_eq!(*code(&ana.order(other).await), "IDEMPOTENCY_KEY_REUSED");
    let mut unkeyed = input.clone();
    unkeyed["idempotencyKey"] = Value::Null;
    let existing = ana.order(unkeyed).await;
    assert_eq!(
        existing["existingItem"]["id"], again["item"]["id"],
        "{existing}"
    );
    // Another person has keys, users and logins of her own.
    let theirs = bob.order(input.clone()).await;
    assert!(theirs["item"]["id"].is_string() && theirs["item"]["id"] != again["item"]["id"]);

    let id = again["item"]["id"].as_str().unwrap();
    app.stands(&ana, id, "SUCCESS").await;
    ana.remove(id).await;
    assert_eq!(*code(&ana.order(input).await), "ITEM_DISCONNECTED");
}

#[tokio::test]
async fn what_cannot_be_linked_is_refused_with_the_field_to_blame() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let credentials = ana.credentials("mxuser", "any").await;
    let twice = json!([credentials[0], credentials[0]]);
    let strange = json!([{"fieldId": "CRD-none", "value": "x"}]);
    for (bank, credentials, field) in [
        ("no_such_bank", credentials.clone(), "institutionCode"),
        ("../users", credentials.clone(), "institutionCode"),
        ("mxbank", json!([]), "credentials"),
        ("mxbank", strange, "credentials"),
        ("mxbank", twice, "credentials"),
        ("mxbank", json!([credentials[0]]), "credentials"),
    ] {
        let input =
            json!({"institutionCode": bank, "credentials": credentials, "idempotencyKey": "k"});
        let refused = ana.order(input).await;
        assert_eq!(*code(&refused), "INVALID_INPUT", "{refused}");
        assert_eq!(refused["userErrors"][0]["field"][0], field, "{refused}");
    }
    let plaid =
        json!({"provider": "PLAID", "institutionCode": "ins_109508", "credentials": credentials});
    assert_eq!(*code(&ana.order(plaid).await), "NOT_SUPPORTED");
    assert!(app.bank.members().await.is_empty());
    assert_eq!(app.count("SELECT count(*) FROM link_intents").await, 0);
}

#[tokio::test]
async fn a_lost_answer_is_found_again_by_the_name_of_the_login() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let lost = json!([{"kind": "lost", "endpoint": CREATE, "count": 1}]);
    app.bank.faults(lost).await;
    let item = ana.order_mx("mxuser", "any").await;
    app.stands(&ana, &item, "SUCCESS").await;
    assert_eq!(app.bank.members().await.len(), 1);
    assert_eq!(app.bank.calls(CREATE).await.len(), 1);
}

#[tokio::test]
async fn a_link_that_broke_off_is_finished_by_the_next_call_or_by_nobody_at_all() {
    for asks_again in [true, false] {
        let app = TestApp::start().await;
        let ana = app.person("ana").await;
        let credentials = ana.credentials("mxuser", "any").await;
        let input = json!({"institutionCode": "mxbank", "credentials": credentials, "idempotencyKey": "key"});
        let away = json!([{"kind": "lost", "endpoint": CREATE, "count": 1},
                          {"kind": "status", "status": 503, "endpoint": LIST}]);
        app.bank.faults(away).await;
        let failed = ana.order(input.clone()).await;
        assert_eq!(*code(&failed), "PROVIDER_UNAVAILABLE", "{failed}");
        assert_eq!(app.bank.members().await.len(), 1);
        app.bank.faults(json!([])).await;
        if asks_again {
            let answer = ana.order(input).await;
            assert!(answer["item"]["id"].is_string(), "{answer}");
        } else {
            app.passes(Duration::from_mins(11), "linking.sweep").await;
        }
        let items = ana.ask("{ items { nodes { id } } }", json!({})).await;
        let item = items["items"]["nodes"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        app.stands(&ana, &item, "SUCCESS").await;
        assert_eq!(app.bank.members().await.len(), 1);
    }
}

#[tokio::test]
async fn a_bank_with_a_page_of_its_own_is_signed_in_to_there() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let input =
        json!({"institutionCode": "mx_bank_oauth", "credentials": [], "idempotencyKey": "key"});
    let ordered = ana.order(input.clone()).await;
    let item = ordered["item"]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{ordered}"));
    assert!(ordered["oauthWindowUrl"].is_string(), "{ordered}");
    // Whoever lost the answer asks again and gets a page that works.
    let again = ana.order(input).await;
    let window = again["oauthWindowUrl"]
        .as_str()
        .unwrap_or_else(|| panic!("{again}"));
    assert_eq!(again["item"]["id"], item);
    app.bank
        .fill(window, &[("action", "allow"), ("password", "")])
        .await;
    app.stands(&ana, item, "SUCCESS").await;
    let member = app.bank.member().await;
    assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
}

#[tokio::test]
async fn the_banks_page_returns_to_the_app_however_often_it_is_asked_for() {
    const APP: &str = "https://app.example.com/back";
    let app = TestApp::with(&[("REDIRECT_URIS", APP)]).await;
    let ana = app.person("ana").await;
    let order = |to: &str| {
        json!({"institutionCode": "mx_bank_oauth", "credentials": [], "idempotencyKey": "key",
               "redirectUri": to})
    };
    for strange in [
        "https://else.example.com/back",
        "https://app.example.com/back/",
    ] {
        let refused = ana.order(order(strange)).await;
        assert_eq!(*code(&refused), "INVALID_INPUT", "{refused}");
        assert_eq!(refused["userErrors"][0]["field"], json!(["redirectUri"]));
    }
    assert!(app.bank.members().await.is_empty());
    ana.order(order(APP)).await;
    let again = ana.order(order(APP)).await;
    let window = again["oauthWindowUrl"].as_str();
    let window = window.unwrap_or_else(|| panic!("{again}"));
    let back = app.bank.leads(window, &[("action", "allow")]).await;
    assert!(back.starts_with(&format!("{APP}?status=success")), "{back}");
    let item = again["item"]["id"].as_str().unwrap();
    app.stands(&ana, item, "SUCCESS").await;
}

#[tokio::test]
async fn who_leaves_the_banks_page_is_asked_to_sign_in_after_half_an_hour() {
    let app = TestApp::with(&[("ACCESS_TOKEN_TTL", "7d")]).await;
    let ana = app.person("ana").await;
    let input = json!({"institutionCode": "mx_bank_oauth", "credentials": []});
    let ordered = ana.order(input).await;
    let item = ordered["item"]["id"].as_str().unwrap();
    for _ in 0..2 {
        app.until("jobs", "kind = 'sync.item' AND state = 'waiting'")
            .await;
        assert_eq!(ana.mx_item(item).await["linkStatus"], "PROCESSING");
        app.clock.advance(Duration::from_mins(16));
    }
    let told = app.stands(&ana, item, "LOGIN_REQUIRED").await;
    assert_eq!(told["requiredAction"]["__typename"], "ReauthenticateAction");
    assert_eq!(told["linkErrorCode"], "OAUTH_TIMEOUT");
    let page = ana.hosted_link(Some(item)).await;
    assert!(page.contains("/mx/"), "{page}");
}

#[tokio::test]
async fn a_bank_is_linked_on_mxs_own_page_whether_or_not_we_are_told() {
    for told in [true, false] {
        let app = TestApp::start().await;
        let (ana, bob) = (app.person("ana").await, app.person("bob").await);
        if told {
            app.hears_mx().await;
        }
        let document = "mutation { createLinkToken(input: {provider: MX}) { linkToken hostedLinkUrl userErrors { code } } }";
        let link = ana.ask(document, json!({})).await["createLinkToken"].take();
        assert_eq!(link["linkToken"], Value::Null);
        let page = app
            .bank
            .opened(link["hostedLinkUrl"].as_str().unwrap())
            .await;
        app.bank
            .fill(&page, &[("institution_code", "mxbank")])
            .await;
        let typed = [
            ("action", "sign_in"),
            ("LOGIN", "mxuser"),
            ("PASSWORD", "any"),
        ];
        app.bank.fill(&page, &typed).await;
        if !told {
            app.until(
                "jobs",
                "kind = 'linking.watch_session' AND state = 'queued'",
            )
            .await;
            app.clock.advance(Duration::from_secs(11));
        }
        app.until("items", "provider = 'mx'").await;
        let items = ana
            .ask("{ items { nodes { id provider } } }", json!({}))
            .await;
        let item = items["items"]["nodes"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        app.stands(&ana, &item, "SUCCESS").await;
        let member = app.bank.member().await;
        assert_eq!(ana.holds().await, app.bank.member_truth(&member).await);
        assert!(bob.transactions().await.is_empty());
        assert_eq!(app.count("SELECT count(*) FROM items").await, 1);
    }
}

#[tokio::test]
async fn a_removed_bank_is_given_up_at_mx_and_one_that_is_gone_there_is_disconnected() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link_mx(&app, "mxuser").await;
    ana.remove(&item).await;
    app.idle().await;
    assert!(app.bank.members().await.is_empty());
    assert!(ana.transactions().await.is_empty());

    let item = ana.link_mx(&app, "mxuser").await;
    let rows = ana.transactions().await.len();
    let gone = json!([{"kind": "status", "status": 404, "endpoint": "GET /mx/users/{user_guid}/members/{member_guid}"}]);
    app.bank.faults(gone).await;
    let job = ana.ask_sync(&item).await;
    let ended = app.sync_ends(&ana, &job).await;
    assert_eq!(ended["error"]["code"], "ITEM_DISCONNECTED", "{ended}");
    let told = ana.mx_item(&item).await;
    assert_eq!(
        (&told["linkStatus"], &told["requiredAction"]),
        (&json!("DISCONNECTED"), &Value::Null)
    );
    assert_eq!(ana.transactions().await.len(), rows);
    let refused = ana
        .update(&item, ana.credentials("mxuser", "any").await)
        .await;
    assert_eq!(*code(&refused), "ITEM_DISCONNECTED");
}
