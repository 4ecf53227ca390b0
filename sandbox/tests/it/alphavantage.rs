//! Alpha Vantage's face: rates, and every way it says that there is none.

use serde_json::{Value, json};

use crate::support::Bank;

async fn ask(bank: &Bank, pair: (&str, &str), key: &str) -> (u16, String) {
    let url = format!(
        "{}/alphavantage/query?function=CURRENCY_EXCHANGE_RATE&from_currency={}&to_currency={}&apikey={key}",
        bank.sandbox.url(),
        pair.0,
        pair.1
    );
    let answer = reqwest::get(url).await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.text().await.unwrap())
}

async fn told(bank: &Bank, key: &str) -> Value {
    let (status, text) = ask(bank, ("BTC", "USD"), key).await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_rate_is_told_in_texts_under_numbered_keys() {
    let bank = Bank::open().await;
    let pinned =
        json!({"BTC/USD": {"rate": "50000.10000000", "bid": "-", "at": "2026-02-12T19:05:01Z"}});
    bank.ok("/control/alphavantage", json!({"rates": pinned}))
        .await;
    let told = told(&bank, "any").await;
    let rate = json!({
        "1. From_Currency Code": "BTC",
        "2. From_Currency Name": "Bitcoin",
        "3. To_Currency Code": "USD",
        "4. To_Currency Name": "United States Dollar",
        "5. Exchange Rate": "50000.10000000",
        "6. Last Refreshed": "2026-02-12 19:05:01",
        "7. Time Zone": "UTC",
        "8. Bid Price": "-",
    });
    assert_eq!(told, json!({"Realtime Currency Exchange Rate": rate}));
}

#[tokio::test]
async fn failures_call_themselves_a_success_and_say_one_thing() {
    let bank = Bank::open().await;
    for (says, key, words) in [
        ("invalid_call", "Error Message", "Invalid API call"),
        ("invalid_key", "Error Message", "apikey"),
        ("note", "Note", "5 calls per minute"),
        ("daily_limit", "Information", "API key as KEY12345"),
        ("too_fast", "Information", "sparingly"),
        ("demo", "Information", "demo purposes"),
        ("premium", "Information", "premium endpoint"),
    ] {
        bank.ok("/control/alphavantage", json!({"next": [says]}))
            .await;
        let told = told(&bank, "KEY12345").await;
        let text = told[key].as_str().unwrap();
        assert!(
            text.contains(words) && told.as_object().unwrap().len() == 1,
            "{told}"
        );
    }
    bank.ok("/control/alphavantage", json!({"always": "unavailable"}))
        .await;
    assert_eq!(ask(&bank, ("BTC", "USD"), "key").await.0, 503);
    bank.ok("/control/alphavantage", json!({"always": null}))
        .await;
    assert!(told(&bank, "key").await["Realtime Currency Exchange Rate"].is_object());
}

#[tokio::test]
async fn a_key_has_its_day_and_the_demo_key_one_pair() {
    let bank = Bank::open().await;
    bank.ok("/control/alphavantage", json!({"daily_limit": 2}))
        .await;
    let is_rate = |told: &Value| told["Realtime Currency Exchange Rate"].is_object();
    assert!(is_rate(&told(&bank, "one").await) && is_rate(&told(&bank, "one").await));
    assert!(told(&bank, "one").await["Information"].is_string());
    assert!(is_rate(&told(&bank, "two").await));
    bank.ok("/control/clock", json!({"advance_seconds": 86_400}))
        .await;
    assert!(is_rate(&told(&bank, "one").await));

    assert!(told(&bank, "demo").await["Information"].is_string());
    assert!(
        ask(&bank, ("BTC", "CNY"), "demo")
            .await
            .1
            .contains("Chinese Yuan")
    );
    for (pair, key) in [(("BTC", "USD"), ""), (("BTC", "XYZ"), "key")] {
        assert!(ask(&bank, pair, key).await.1.contains("Error Message"));
    }
    let (status, _) = bank
        .ask("/control/alphavantage", json!({"allways": "note"}))
        .await;
    assert_eq!(status, 400, "what the face does not know is refused");
}
