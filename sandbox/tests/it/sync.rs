//! `/transactions/sync`: a client that follows the cursors holds what the bank holds.

use std::collections::BTreeSet;

use passbook_sandbox::Options;
use serde_json::{Value, json};

use crate::support::{Bank, Copy, at_once};

#[tokio::test]
async fn paging_to_the_end_gives_what_the_bank_holds() {
    let bank = Bank::open().await;
    let ana = bank.link("user_transactions_1234").await;
    let mut copy = Copy::new();
    bank.sync(&ana, "", 500, &mut copy).await;
    assert_eq!(copy.len(), 1234);
    assert_eq!(copy, bank.oracle(&ana).await);
    let stranger = bank.link("user_good").await;
    let mut others = Copy::new();
    bank.sync(&stranger, "", 77, &mut others).await;
    assert!(others.keys().all(|id| !copy.contains_key(id)));
}

#[tokio::test]
async fn the_same_seed_and_requests_give_the_same_rows() {
    let mut copies = Vec::new();
    for _ in 0..2 {
        let bank = Bank::open_with(Options {
            seed: 42,
            settings: at_once(),
            ..Options::default()
        })
        .await;
        bank.control(
            "/clock",
            json!({ "set": "2026-03-31T12:00:00Z", "hold": true }),
        )
        .await;
        let ana = bank.link("user_good").await;
        let mut copy = Copy::new();
        bank.sync(&ana, "", 100, &mut copy).await;
        copies.push((ana.token, copy));
    }
    assert_eq!(copies[0], copies[1]);
}

#[tokio::test]
async fn data_is_varied_and_exact() {
    let bank = Bank::open().await;
    let token = bank
        .public_token(
            "user_good",
            json!({ "transactions": { "days_requested": 730 } }),
        )
        .await;
    let ana = bank.exchange(&token).await;
    let mut copy = Copy::new();
    bank.sync(&ana, "", 500, &mut copy).await;
    let count = |wanted: &dyn Fn(&Value) -> bool| copy.values().filter(|row| wanted(row)).count();
    assert_eq!(copy.len(), 1460);
    assert!(count(&|row| row["unofficial_currency_code"] == "BTC") >= 20);
    assert!(
        count(&|row| row["iso_currency_code"] == "EUR") >= 1
            && count(&|row| row["iso_currency_code"] == "JPY") >= 1
    );
    let decimals = |row: &Value| {
        row["amount"]
            .to_string()
            .split_once('.')
            .map_or(0, |(_, digits)| digits.len())
    };
    assert!(count(&|row| decimals(row) > 2) >= 20);
    assert!(count(&|row| row["amount"].to_string().starts_with('-')) > 50);
    assert!(
        copy.values()
            .all(|row| row["iso_currency_code"].is_null()
                != row["unofficial_currency_code"].is_null())
    );
    let names: BTreeSet<&str> = copy
        .values()
        .filter_map(|row| row["merchant_name"].as_str())
        .collect();
    assert!(names.len() > 25 && names.iter().any(|name| !name.is_ascii()));
}

#[tokio::test]
async fn a_refresh_posts_what_was_pending_and_names_its_predecessor() {
    let bank = Bank::open().await;
    let ana = bank.link("user_transactions_dynamic").await;
    let mut copy = Copy::new();
    let cursor = bank.sync(&ana, "", 500, &mut copy).await;
    let pending: BTreeSet<String> = copy
        .values()
        .filter(|row| row["pending"] == true)
        .map(id)
        .collect();
    assert_eq!((copy.len(), pending.len()), (50, 8));
    bank.ok(
        "/transactions/refresh",
        json!({ "access_token": ana.token }),
    )
    .await;
    let (_, page) = bank.page(&ana, &cursor, 500).await;
    let removed: BTreeSet<String> = page["removed"].as_array().unwrap().iter().map(id).collect();
    let posted = page["added"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["pending_transaction_id"].as_str());
    assert_eq!(removed, pending);
    assert_eq!(posted.map(str::to_owned).collect::<BTreeSet<_>>(), pending);
    assert_eq!(page["modified"].as_array().unwrap().len(), 1);
    bank.sync(&ana, &cursor, 3, &mut copy).await;
    assert_eq!(copy, bank.oracle(&ana).await);
}

#[tokio::test]
async fn created_transactions_arrive_as_they_were_written() {
    let bank = Bank::open().await;
    let ana = bank.link("user_transactions_dynamic").await;
    let mut copy = Copy::new();
    let cursor = bank.sync(&ana, "", 500, &mut copy).await;
    let today = bank.control("/clock", json!({})).await["now"]
        .as_str()
        .unwrap()[..10]
        .to_owned();
    let row = format!(
        r#"{{"date_transacted":"{today}","date_posted":"{today}","amount":1234567.8901,"description":"Ünïcode"}}"#
    );
    let body = format!(
        r#"{{"access_token":"{}","transactions":[{row}]}}"#,
        ana.token
    );
    assert_eq!(
        bank.ask_text("/sandbox/transactions/create", body).await.0,
        200
    );
    let (_, page) = bank.page(&ana, &cursor, 500).await;
    assert_eq!(page["added"][0]["amount"].to_string(), "1234567.8901");
    assert_eq!(page["added"][0]["name"], "Ünïcode");
    let other = bank.link("user_good").await;
    let body = json!({ "access_token": other.token, "transactions": [{ "date_transacted": today, "date_posted": today, "amount": 1, "description": "x" }] });
    assert_eq!(
        bank.refused("/sandbox/transactions/create", body).await,
        "SANDBOX_PRODUCT_NOT_ENABLED"
    );
}

#[tokio::test]
async fn a_change_between_pages_makes_the_loop_start_again() {
    let bank = Bank::open().await;
    let ana = bank.link("user_transactions_300").await;
    let (_, first) = bank.page(&ana, "", 100).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    bank.control(
        &format!("/items/{}/transactions", ana.item_id),
        json!({ "add": [{ "name": "NEW", "amount": 5 }] }),
    )
    .await;
    let (status, error) = bank.page(&ana, cursor, 100).await;
    assert_eq!(
        (status, &error["error_code"]),
        (400, &json!("TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"))
    );
    let mut copy = Copy::new();
    bank.sync(&ana, "", 100, &mut copy).await;
    assert_eq!(copy.len(), 301);
    assert_eq!(copy, bank.oracle(&ana).await);
}

#[tokio::test]
async fn a_replay_from_nothing_lists_no_removals() {
    let bank = Bank::open().await;
    let ana = bank.link("user_transactions_40").await;
    let mut copy = Copy::new();
    let cursor = bank.sync(&ana, "", 500, &mut copy).await;
    let victims: Vec<String> = copy.keys().take(3).cloned().collect();
    let orders = json!({ "remove": [victims[0]], "modify": [{ "transaction_id": victims[1], "amount": 9.5 }], "post": [victims[2]] });
    bank.control(&format!("/items/{}/transactions", ana.item_id), orders)
        .await;
    let (_, replay) = bank.page(&ana, "", 500).await;
    assert_eq!(replay["removed"], json!([]));
    assert_eq!(replay["modified"], json!([]));
    bank.sync(&ana, &cursor, 2, &mut copy).await;
    assert_eq!(copy, bank.oracle(&ana).await);
    assert_eq!(copy.len(), 39);
}

#[tokio::test]
async fn cursors_belong_to_their_item() {
    let bank = Bank::open().await;
    let (ana, ben) = (bank.link("user_good").await, bank.link("user_good").await);
    let mut copy = Copy::new();
    let cursor = bank.sync(&ana, "", 500, &mut copy).await;
    let body = json!({ "access_token": ben.token, "cursor": cursor });
    let (_, error) = bank.ask("/transactions/sync", body).await;
    assert_eq!(
        (&error["error_code"], &error["error_message"]),
        (
            &json!("INVALID_FIELD"),
            &json!("cursor not associated with access_token")
        )
    );
    bank.control(
        &format!("/items/{}/events", ana.item_id),
        json!({ "event": "expire_cursors" }),
    )
    .await;
    assert_eq!(bank.page(&ana, &cursor, 500).await.0, 400);
}

#[tokio::test]
async fn history_arrives_in_two_parts_as_the_clock_moves() {
    let bank = Bank::open_with(Options::default()).await;
    bank.control(
        "/clock",
        json!({ "set": "2026-03-31T12:00:00Z", "hold": true }),
    )
    .await;
    let ana = bank.link("user_good").await;
    let (_, page) = bank.page(&ana, "", 500).await;
    assert_eq!(
        (&page["transactions_update_status"], &page["next_cursor"]),
        (&json!("NOT_READY"), &json!(""))
    );
    bank.control("/clock", json!({ "advance_seconds": 1 }))
        .await;
    let (_, page) = bank.page(&ana, "", 500).await;
    assert_eq!(
        page["transactions_update_status"],
        "INITIAL_UPDATE_COMPLETE"
    );
    assert_eq!(page["added"].as_array().unwrap().len(), 60);
    bank.control("/clock", json!({ "advance_seconds": 2 }))
        .await;
    let (_, rest) = bank
        .page(&ana, page["next_cursor"].as_str().unwrap(), 500)
        .await;
    assert_eq!(
        rest["transactions_update_status"],
        "HISTORICAL_UPDATE_COMPLETE"
    );
    assert_eq!(rest["added"].as_array().unwrap().len(), 120);
}

#[tokio::test]
async fn only_accounts_with_rows_on_the_page_are_listed() {
    let bank = Bank::open().await;
    let ana = bank.link("user_good").await;
    let (_, page) = bank.page(&ana, "", 1).await;
    let accounts: Vec<&Value> = page["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| &account["account_id"])
        .collect();
    assert_eq!(accounts, [&page["added"][0]["account_id"]]);
}

fn id(row: &Value) -> String {
    row["transaction_id"].as_str().unwrap().to_owned()
}
