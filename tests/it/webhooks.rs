//! What the provider sends.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::TestApp;

/// The body of a webhook about an item.
fn body(kind: &str, code: &str, item: &str) -> Value {
    json!({"webhook_type": kind, "webhook_code": code, "item_id": item, "environment": "sandbox", "error": null})
}

#[tokio::test]
async fn a_signed_webhook_brings_new_transactions_to_a_subscriber() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item().await["item_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut watch = ana
        .watch(
            "subscription { transactionsChanged { cursor added item { id } } }",
            json!({}),
        )
        .await;
    let mut stranger = app
        .person("bob")
        .await
        .watch("subscription { transactionsChanged { added } }", json!({}))
        .await;

    app.bank
        .change(&there, json!({"add": [{"name": "Coffee", "amount": 4.10}]}))
        .await;

    assert_eq!(watch.next().await["transactionsChanged"]["added"], 1);
    assert!(
        ana.transactions()
            .await
            .iter()
            .any(|row| row["name"] == "Coffee")
    );
    stranger.silent().await;
}

#[tokio::test]
async fn a_webhook_that_comes_before_its_item_is_kept_for_it() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let before = json!({"webhooks": {"before_exchange": true}});
    app.bank.settings(before).await;
    let webhook = format!("{}/webhooks/plaid", app.url);
    let token = app.bank.public_token("user_good", &webhook).await;
    let there = app.bank.item_id().await;
    let early = app
        .bank
        .signed(body("ITEM", "NEW_ACCOUNTS_AVAILABLE", &there))
        .await;
    assert_eq!(app.deliver(&early).await, 200);

    let linked = ana.exchange(&token).await;
    ana.quiet().await;
    let item = ana.item(linked["item"]["id"].as_str().unwrap()).await;
    assert_eq!(item["requiredAction"]["__typename"], "NewAccountsAction");
    let sent = app.bank.webhooks_settled().await;
    let delivered = |webhook: &Value| webhook["state"] == "delivered";
    assert!(!sent.is_empty() && sent.iter().all(delivered), "{sent:?}");
    let parked = "SELECT count(*) FROM webhooks WHERE state = 'parked'";
    assert_eq!(app.count(parked).await, 0);
}

#[tokio::test]
async fn an_account_that_was_taken_back_is_closed_at_once() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    let document = "subscription($id: ID!) { itemUpdated(itemId: $id) { item { \
                    open: accounts { id } all: accounts(includeClosed: true) { id } } } }";
    let mut items = ana.watch(document, json!({"id": item})).await;
    let count =
        |event: &Value, list: &str| event["itemUpdated"]["item"][list].as_array().unwrap().len();
    let before = items.next().await;
    let (open, all) = (count(&before, "open"), count(&before, "all"));
    let rows = ana.transactions().await.len();
    // The sync that will look at the bank has to wait for it.
    let down = json!([{"kind": "error", "code": "INSTITUTION_DOWN", "endpoint": "/accounts/get"}]);
    app.bank.faults(down).await;
    let token = app.bank.item().await["access_token"].clone();
    let fire = json!({"access_token": token, "webhook_type": "ITEM", "webhook_code": "USER_ACCOUNT_REVOKED"});
    app.bank.ask("/sandbox/item/fire_webhook", fire).await;

    let told = items.next().await;
    assert_eq!((count(&told, "open"), count(&told, "all")), (open - 1, all));
    assert_eq!(ana.transactions().await.len(), rows, "its history stays");
}

#[tokio::test]
async fn webhooks_are_sent_to_where_the_server_is_now() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let elsewhere = "http://127.0.0.1:9/webhooks/plaid";
    let token = app.bank.public_token("user_good", elsewhere).await;
    let linked = ana.exchange(&token).await;
    let job = linked["syncJob"]["id"].as_str().unwrap();
    assert_eq!(ana.sync_job_ends(job).await["status"], "SUCCEEDED");
    assert_eq!(
        app.bank.item().await["webhook"],
        format!("{}/webhooks/plaid", app.url)
    );
}

/// Type and code, what else is in the body, the sync it asks for, and what the person should do then.
const CODES: &str = r#"
    TRANSACTIONS SYNC_UPDATES_AVAILABLE | {"initial_update_complete": true} | WEBHOOK |
    TRANSACTIONS INITIAL_UPDATE | {"new_transactions": 1, "error": "text"} | WEBHOOK |
    TRANSACTIONS HISTORICAL_UPDATE | {"new_transactions": 1} | WEBHOOK |
    TRANSACTIONS DEFAULT_UPDATE | {"new_transactions": 1} | WEBHOOK |
    TRANSACTIONS TRANSACTIONS_REMOVED | {"removed_transactions": ["x"]} | WEBHOOK |
    TRANSACTIONS RECURRING_TRANSACTIONS_UPDATE | {"account_ids": []} | |
    ITEM ERROR | {"error": {"error_type": "ITEM_ERROR", "error_code": "ITEM_LOGIN_REQUIRED"}} | WEBHOOK |
    ITEM USER_PERMISSION_REVOKED | {} | WEBHOOK |
    ITEM USER_ACCOUNT_REVOKED | {"account_id": "unknown"} | WEBHOOK |
    ITEM NEW_ACCOUNTS_AVAILABLE | {} | | NewAccountsAction
    ITEM PENDING_EXPIRATION | {"consent_expiration_time": null} | | ConsentExpiringAction
    ITEM LOGIN_REPAIRED | {} | REPAIR |
    ITEM PENDING_DISCONNECT | {"reason": "INSTITUTION_MIGRATION"} | | ConsentExpiringAction
    ITEM LOGIN_REPAIRED | {} | REPAIR |
    ITEM WEBHOOK_UPDATE_ACKNOWLEDGED | {"new_webhook_url": "https://x"} | |
    HOLDINGS DEFAULT_UPDATE | {"new_holdings": 1} | |
    INVESTMENTS_TRANSACTIONS DEFAULT_UPDATE | {} | |
    INVESTMENTS_TRANSACTIONS HISTORICAL_UPDATE | {} | |
    LIABILITIES DEFAULT_UPDATE | {} | |
    DASHBOARD_CONFIGURED_ALERT INSTITUTION_STATUS_ALERT_TRIGGERED | {} | |
    OF_TOMORROW NEVER_HEARD_OF | {"x": [1]} | |
"#;

#[tokio::test]
async fn every_code_has_its_effect() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let item = ana.link(&app.bank, "user_good").await;
    let there = app.bank.item_id().await;
    for line in CODES.trim().lines() {
        let [words, more, trigger, action] = line.split('|').map(str::trim).collect::<Vec<_>>()[..]
        else {
            panic!("{line}");
        };
        let (kind, code) = words.split_once(' ').unwrap();
        let more: Value = serde_json::from_str(more).unwrap();
        let before = ana.quiet().await.len();
        let mut webhook = body(kind, code, &there);
        let fields = webhook.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        let signed = app.bank.signed(webhook).await;
        assert_eq!(app.deliver(&signed).await, 200, "{line}");
        let jobs = ana.quiet().await;
        assert_eq!(
            jobs.len() - before,
            usize::from(!trigger.is_empty()),
            "{line}"
        );
        assert!(
            trigger.is_empty() || jobs[0]["trigger"] == trigger,
            "{line}"
        );
        let told = ana.item(&item).await;
        let wanted = told["requiredAction"]["__typename"].as_str();
        assert_eq!(wanted.unwrap_or_default(), action, "{line}");
        // Whatever a webhook says of the login: the bank says that all is well.
        assert_eq!(told["linkStatus"], "SUCCESS", "{line}");
    }
}

#[tokio::test]
async fn the_same_delivery_has_one_effect_and_one_for_nobody_is_kept_for_a_day() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_good").await;
    let there = app.bank.item_id().await;
    let before = ana.quiet().await.len();
    let webhook = app
        .bank
        .signed(body("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE", &there))
        .await;
    for _ in 0..3 {
        assert_eq!(app.deliver(&webhook).await, 200);
        assert_eq!(ana.quiet().await.len(), before + 1);
    }
    let orphan = app
        .bank
        .signed(body("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE", "nobody"))
        .await;
    assert_eq!(app.deliver(&orphan).await, 200);
    let parked = "SELECT count(*) FROM webhooks WHERE state = 'parked'";
    assert_eq!(app.count(parked).await, 1);
    app.clock.advance(Duration::from_hours(26));
    app.becomes(parked, 0).await;
    let expired = "SELECT count(*) FROM webhooks WHERE state = 'expired'";
    assert_eq!(app.count(expired).await, 1);
}

#[tokio::test]
async fn many_at_once_ask_for_few_syncs_and_the_last_word_is_heard() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_transactions_dynamic").await;
    let there = app.bank.item_id().await;
    let before = ana.quiet().await.len();
    let mut copies = Vec::new();
    for n in 0..100 {
        let mut webhook = body("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE", &there);
        webhook["n"] = n.into();
        copies.push(app.bank.signed(webhook).await);
    }
    let news = json!({"add": [{"name": "News", "amount": 1}], "notify": false});
    app.bank.change(&there, news).await;
    let answers = join_all(copies.iter().map(|copy| app.deliver(copy))).await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    let syncs = ana.quiet().await.len() - before;
    assert!(
        (1..=10).contains(&syncs),
        "{syncs} syncs for 100 webhooks at once"
    );
    assert!(
        ana.transactions()
            .await
            .iter()
            .any(|row| row["name"] == "News")
    );
}

#[tokio::test]
async fn a_long_transaction_of_one_person_holds_up_nobody_else() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    ana.link(&app.bank, "user_good").await;
    let anas = app.bank.item_id().await;
    let bob = app.person("bob").await;
    bob.link(&app.bank, "user_good").await;
    let mut items = app.bank.items().await;
    items.retain(|item| item["item_id"] != anas);
    let bobs = items[0]["item_id"].as_str().unwrap().to_owned();
    app.idle().await;
    let feed = "UPDATE feeds SET seq = seq WHERE user_id = (SELECT id FROM users WHERE email = 'ana@example.com')";
    let Some(held) = app.hold(feed).await else {
        return;
    };
    let about = async |code, item| app.bank.signed(body("ITEM", code, item)).await;
    let first = about("NEW_ACCOUNTS_AVAILABLE", &anas).await;
    let second = about("PENDING_EXPIRATION", &anas).await;
    let others = about("NEW_ACCOUNTS_AVAILABLE", &bobs).await;
    let mut hers = std::pin::pin!(join_all([app.deliver(&first), app.deliver(&second)]));
    let blocked = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    tokio::select! {
        answers = &mut hers => panic!("{answers:?} while her transaction went on"),
        () = app.becomes(blocked, 1) => {}
    }
    let his = tokio::time::timeout(Duration::from_secs(30), app.deliver(&others));
    tokio::select! {
        answers = &mut hers => panic!("{answers:?} while her transaction went on"),
        answer = his => assert_eq!(answer.expect("he waits for her"), 200),
    }
    drop(held);
    assert_eq!(hers.await, [200, 200]);
    let flagged = "SELECT count(*) FROM items WHERE new_accounts";
    assert_eq!(app.count(flagged).await, 2);
    let expiring = "SELECT count(*) FROM items WHERE consent_expires_at IS NOT NULL";
    assert_eq!(app.count(expiring).await, 1);
}
