//! Every answer there is, and the key, which is in none of what we say.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    http::{Response, Uri},
};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::providers::rates::RateFault::{
    self, DailyLimit, Empty, Key, Malformed, Pair as NoPair, TooFast, Unanswered,
};

const CANARY: &str = "CANARY7KEY8OF9OURS";

/// A source that answers every call the same.
async fn saying(status: u16, body: impl Into<Vec<u8>>) -> (AlphaVantage, Arc<Mutex<Vec<Uri>>>) {
    let (asked, body) = (Arc::<Mutex<Vec<Uri>>>::default(), body.into());
    let seen = asked.clone();
    let handler = move |uri: Uri| async move {
        seen.lock().unwrap().push(uri);
        let answer = Response::builder()
            .status(status)
            .header("location", "/elsewhere");
        answer.body(Body::from(body)).unwrap()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/face/", listener.local_addr().unwrap());
    let router = Router::new().fallback(handler);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (source(base_url), asked)
}

fn source(base_url: String) -> AlphaVantage {
    let settings = AlphaVantageSettings {
        base_url,
        api_key: Some(CANARY.into()),
        name: "Alpha Vantage".to_owned(),
    };
    AlphaVantage::new(settings, Clock::default()).unwrap()
}

fn btc_usd() -> Pair {
    Pair::new("BTC", "USD")
}

fn good() -> Value {
    json!({"Realtime Currency Exchange Rate": {
        "1. From_Currency Code": "BTC",
        "2. From_Currency Name": "Bitcoin",
        "3. To_Currency Code": "USD",
        "4. To_Currency Name": "United States Dollar",
        "5. Exchange Rate": "10347.92000000",
        "6. Last Refreshed": "2020-02-12 19:05:01",
        "7. Time Zone": "UTC",
        "8. Bid Price": "10347.91000000",
        "9. Ask Price": "10348.63000001",
    }})
}

/// The good answer with one field changed.
fn with(field: &str, value: Value) -> String {
    let mut answer = good();
    answer["Realtime Currency Exchange Rate"][field] = value;
    answer.to_string()
}

async fn refused(status: u16, body: &str) -> RateError {
    let (source, asked) = saying(status, body).await;
    let error = source.quote(&btc_usd()).await.unwrap_err();
    assert!(
        !format!("{error} {error:?}").contains("CANARY"),
        "{error:?}"
    );
    let calls = asked.lock().unwrap().len();
    assert_eq!(calls, 1, "{status}: the key goes nowhere else");
    error
}

async fn fault(status: u16, body: &str) -> RateFault {
    refused(status, body).await.fault
}

#[tokio::test]
async fn a_source_that_never_answers_is_not_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = source(format!("http://{}", listener.local_addr().unwrap()));
    let silent = async {
        let mut open = Vec::new();
        loop {
            open.push(listener.accept().await.unwrap());
        }
    };
    let pair = btc_usd();
    let told = tokio::select! {
        told = source.quote(&pair) => told,
        () = tokio::time::sleep(Duration::from_mins(1)) => panic!("it is waited for"),
        () = silent => unreachable!(),
    };
    let error = told.unwrap_err();
    assert_eq!(
        (error.fault, error.detail.as_str()),
        (Unanswered, "no answer in time")
    );
}

#[tokio::test]
async fn a_rate_is_taken_exactly_as_it_was_written() {
    let (source, asked) = saying(200, good().to_string()).await;
    let quote = source.quote(&btc_usd()).await.unwrap();
    let text = |number: Option<rust_decimal::Decimal>| number.map(|n| n.to_string());
    assert_eq!(text(Some(quote.rate)).unwrap(), "10347.92");
    assert_eq!(text(quote.bid).unwrap(), "10347.91");
    assert_eq!(text(quote.ask).unwrap(), "10348.63000001");
    assert_eq!(quote.at.to_rfc3339(), "2020-02-12T19:05:01+00:00");
    let asked = asked.lock().unwrap()[0].to_string();
    let wanted = format!(
        "/face/query?function=CURRENCY_EXCHANGE_RATE&from_currency=BTC&to_currency=USD&apikey={CANARY}"
    );
    assert_eq!(asked, wanted);
}

#[tokio::test]
async fn bid_and_ask_may_be_missing_or_no_numbers() {
    for value in [json!("-"), Value::Null, json!(""), json!("0"), json!("-1")] {
        let (source, _) = saying(200, with("8. Bid Price", value)).await;
        let quote = source.quote(&btc_usd()).await.unwrap();
        assert!(quote.bid.is_none() && quote.ask.is_some());
    }
}

#[tokio::test]
async fn every_sort_of_trouble_is_told_from_the_others() {
    let limit = "rate limit is 25 requests per day";
    let (second, minute, hour) = (Some(2), Some(60), Some(3600));
    for (key, text, told, wait) in [
        (
            "Error Message",
            "Invalid API call. Please retry or visit the documentation",
            NoPair,
            None,
        ),
        (
            "Error Message",
            "the parameter apikey is invalid or missing. Please claim your free API key",
            Key,
            None,
        ),
        (
            "Note",
            "Our standard API call frequency is 5 calls per minute and 500 calls per day",
            TooFast,
            minute,
        ),
        (
            "Information",
            "Our standard API call frequency is 5 calls per minute and 500 calls per day",
            TooFast,
            minute,
        ),
        (
            "Information",
            &format!("We have detected your API key as {CANARY} and our standard API {limit}"),
            DailyLimit,
            None,
        ),
        (
            "Information",
            &format!("Thank you for using Alpha Vantage! Our standard API {limit}."),
            DailyLimit,
            None,
        ),
        (
            "Information",
            &format!(
                "Please consider spreading out your free API requests more sparingly (1 request per \
                                  second), to lift the free key {limit}"
            ),
            TooFast,
            second,
        ),
        (
            "Information",
            "The **demo** API key is for demo purposes only",
            Key,
            None,
        ),
        ("Information", "This is a premium endpoint", Key, None),
        (
            "Information",
            "Something nobody has heard of",
            TooFast,
            hour,
        ),
    ] {
        let error = refused(200, &json!({key: text}).to_string()).await;
        let waits = error.wait.map(|wait| wait.as_secs());
        assert_eq!((error.fault, waits), (told, wait), "{text}");
    }
}

#[tokio::test]
async fn what_is_no_answer_of_the_source_is_told_from_its_answers() {
    for (status, body, told) in [
        (200, "{}", Empty),
        (200, "[]", Malformed),
        (200, "<html>", Malformed),
        (200, "", Malformed),
        (200, "{\"What\": 1}", Malformed),
        (503, "<html>", Unanswered),
        (302, "{}", Unanswered),
        (429, "{}", TooFast),
    ] {
        assert_eq!(fault(status, body).await, told, "{status} {body}");
    }
    assert_eq!(fault(200, &" ".repeat(65 * 1024)).await, Malformed);
    let nobody = source("http://127.0.0.1:9".to_owned());
    let error = nobody.quote(&btc_usd()).await.unwrap_err();
    assert_eq!(error.fault, Unanswered);
    assert!(!error.detail.contains("CANARY"), "{error}");
}

#[tokio::test]
async fn a_rate_that_cannot_be_true_is_none() {
    let soon = Clock::default().now() + TimeDelta::hours(1);
    for (field, value) in [
        ("1. From_Currency Code", json!("ETH")),
        ("3. To_Currency Code", json!("EUR")),
        ("3. To_Currency Code", Value::Null),
        ("5. Exchange Rate", json!("0.00000000")),
        ("5. Exchange Rate", json!("-1")),
        ("5. Exchange Rate", json!("NaN")),
        ("5. Exchange Rate", json!("10,347.92")),
        ("5. Exchange Rate", json!("9999999999999999999")),
        ("5. Exchange Rate", Value::Null),
        ("6. Last Refreshed", json!("yesterday")),
        (
            "6. Last Refreshed",
            json!(soon.format("%Y-%m-%d %H:%M:%S").to_string()),
        ),
        ("7. Time Zone", json!("US/Eastern")),
        ("7. Time Zone", Value::Null),
    ] {
        assert_eq!(fault(200, &with(field, value)).await, Malformed, "{field}");
    }
}

/// Everything that is logged, in one text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_key_is_in_no_log_whatever_is_logged() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let (source, _) = saying(200, good().to_string()).await;
    source.quote(&btc_usd()).await.unwrap();
    let nobody = super::tests::source("http://127.0.0.1:9".to_owned());
    assert!(nobody.quote(&btc_usd()).await.is_err());
    tracing::info!(?source, account = source.account(), "told");
    drop(guard);
    let told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        told.contains("Alpha Vantage"),
        "the log is looked at: {told}"
    );
    assert!(!told.contains("CANARY"), "{told}");
}
