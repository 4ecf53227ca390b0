//! Faults on order.

use serde_json::{Value, json};

use crate::support::{Access, Bank, Copy};

/// An anomaly, and how it shows on a page.
type Oddity = (&'static str, fn(&Value) -> bool);

async fn plant(bank: &Bank, fault: Value) {
    bank.control("/faults", json!({ "faults": [fault] })).await;
}

async fn body_of(bank: &Bank, ana: &Access) -> reqwest::Result<Vec<u8>> {
    let answer = bank
        .send(
            "/transactions/sync",
            json!({ "access_token": ana.token }).to_string(),
        )
        .await?;
    answer.bytes().await.map(|bytes| bytes.to_vec())
}

#[tokio::test]
async fn a_fault_hits_what_it_names_and_so_often_as_told() {
    let bank = Bank::open().await;
    let (ana, ben) = (bank.link("user_good").await, bank.link("user_good").await);
    plant(
        &bank,
        json!({ "kind": "error", "code": "INSTITUTION_DOWN", "item_id": ana.item_id, "count": 2 }),
    )
    .await;
    let body = json!({ "access_token": ana.token });
    assert_eq!(
        bank.refused("/transactions/sync", body.clone()).await,
        "INSTITUTION_DOWN"
    );
    bank.ok("/transactions/sync", json!({ "access_token": ben.token }))
        .await;
    assert_eq!(
        bank.refused("/accounts/get", body.clone()).await,
        "INSTITUTION_DOWN"
    );
    bank.ok("/accounts/get", body).await;
    let calls = bank.read("/control/requests").await;
    assert_eq!(
        calls
            .lines()
            .filter(|line| line.contains("\"faults\":[\"error\"]"))
            .count(),
        2
    );
}

#[tokio::test]
async fn answers_are_refused_spoilt_or_cut() {
    let bank = Bank::open().await;
    let ana = bank.link("user_good").await;
    plant(
        &bank,
        json!({ "kind": "rate_limit", "retry_after": "7", "nth": 1 }),
    )
    .await;
    let answer = bank
        .send(
            "/transactions/sync",
            json!({ "access_token": ana.token }).to_string(),
        )
        .await
        .unwrap();
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "7")
    );
    plant(&bank, json!({ "kind": "html", "status": 502 })).await;
    assert!(
        body_of(&bank, &ana)
            .await
            .unwrap()
            .starts_with(b"<!doctype html>")
    );
    plant(&bank, json!({ "kind": "malformed", "form": "truncated" })).await;
    assert!(serde_json::from_slice::<Value>(&body_of(&bank, &ana).await.unwrap()).is_err());
    plant(&bank, json!({ "kind": "drop", "after": 100 })).await;
    assert!(body_of(&bank, &ana).await.is_err());
    plant(&bank, json!({ "kind": "hang", "ms": 1 })).await;
    assert!(body_of(&bank, &ana).await.is_err());
    plant(&bank, json!({ "kind": "huge", "bytes": 1_000_000 })).await;
    assert!(body_of(&bank, &ana).await.unwrap().len() > 1_000_000);
    bank.control("/faults", json!({ "faults": [] })).await;
    assert!(body_of(&bank, &ana).await.is_ok());
}

#[tokio::test]
async fn a_lost_answer_was_worked_for() {
    let bank = Bank::open().await;
    let token = bank.public_token("user_good", json!({})).await;
    plant(
        &bank,
        json!({ "kind": "lost", "endpoint": "/item/public_token/exchange", "count": 1 }),
    )
    .await;
    let body = json!({ "public_token": token });
    let lost = bank
        .send("/item/public_token/exchange", body.to_string())
        .await;
    assert!(match lost {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    });
    assert_eq!(
        bank.refused("/item/public_token/exchange", body).await,
        "INVALID_PUBLIC_TOKEN"
    );
}

#[tokio::test]
async fn a_mutation_strikes_the_page_that_was_named() {
    let bank = Bank::open().await;
    let ana = bank.link("user_transactions_30").await;
    plant(&bank, json!({ "kind": "mutation", "page": 2, "count": 1 })).await;
    let mut cursor = String::new();
    for page in 0..3 {
        let (status, answer) = bank.page(&ana, &cursor, 10).await;
        assert_eq!(status == 400, page == 2, "{answer}");
        answer["next_cursor"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut cursor);
    }
    let mut copy = Copy::new();
    bank.sync(&ana, "", 10, &mut copy).await;
    assert_eq!(copy.len(), 30);
}

#[tokio::test]
async fn data_can_be_odd() {
    let bank = Bank::open().await;
    let ana = bank.link("user_good").await;
    let odd: [Oddity; 7] = [
        ("same_id_twice", |page| {
            page["added"].as_array().unwrap().last().unwrap()["transaction_id"]
                == page["added"][0]["transaction_id"]
        }),
        ("unknown_account", |page| {
            page["added"][0]["account_id"]
                .as_str()
                .unwrap()
                .starts_with("nobody")
        }),
        ("endless_amount", |page| {
            page["added"][0]["amount"].to_string().len() == 200
        }),
        ("null_amount", |page| page["added"][0]["amount"].is_null()),
        ("nul_name", |page| {
            page["added"][0]["name"].as_str().unwrap().contains('\0')
        }),
        ("long_name", |page| {
            page["added"][0]["name"].as_str().unwrap().len() > 65_000
        }),
        ("endless", |page| page["has_more"] == true),
    ];
    for (name, shows) in odd {
        plant(&bank, json!({ "kind": "anomaly", "name": name })).await;
        let (_, page) = bank.page(&ana, "", 500).await;
        assert!(shows(&page), "{name}");
    }
}

#[tokio::test]
async fn a_misspelt_fault_is_refused() {
    let bank = Bank::open().await;
    let order = json!({ "faults": [{ "kind": "latency", "ms": 1, "endpiont": "/item/get" }] });
    let answer = bank
        .send("/control/faults", order.to_string())
        .await
        .unwrap();
    assert_eq!(answer.status(), 400);
}
