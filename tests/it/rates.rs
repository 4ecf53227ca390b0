//! Exchange rates: fetched, told, followed, listed and refreshed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Person, TestApp};

const NEWEST: &str = "{ exchangeRate(base: \"BTC\", quote: \"USD\") { id base quote rate bid ask providerTime \
                      fetchedAt source } }";
const FOLLOW: &str = "subscription { exchangeRateUpdated(base: \"BTC\", quote: \"USD\") { rate } }";
const REFRESH: &str = "mutation($base: CurrencyCode!, $quote: CurrencyCode!) { refreshExchangeRate(input: \
                       {base: $base, quote: $quote}) { exchangeRate { rate providerTime } userErrors { \
                       code message field retryable retryAfterSeconds } } }";

const MINUTE: Duration = Duration::from_mins(1);

/// Waits for the rate that a server fetches as it starts.
async fn first(app: &TestApp) {
    app.until("exchange_rates", "seq > 0").await;
}

/// Lets a minute pass, and waits for the rate that is fetched then.
async fn fetched(app: &TestApp, rate: &str) {
    app.bank.rates(pinned(rate)).await;
    app.rates_rest(MINUTE).await;
    app.until("exchange_rates", &format!("rate = '{rate}'"))
        .await;
}

async fn refresh(person: &Person, base: &str, quote: &str) -> Value {
    let variables = json!({"base": base, "quote": quote});
    let mut data = person.ask(REFRESH, variables).await;
    data["refreshExchangeRate"].take()
}

fn pinned(rate: &str) -> Value {
    json!({"rates": {"BTC/USD": {"rate": rate, "bid": "-", "ask": "50001.00000000"}}})
}

#[tokio::test]
async fn a_rate_is_fetched_at_its_interval_and_told_as_it_was_written() {
    let app = TestApp::start().await;
    first(&app).await;
    let ana = app.person("ana").await;
    let before = ana.ask(NEWEST, json!({})).await["exchangeRate"].take();
    fetched(&app, "50000.12345678").await;

    let rate = ana.ask(NEWEST, json!({})).await["exchangeRate"].take();
    let told = ["base", "quote", "rate", "bid", "ask", "source"].map(|field| rate[field].clone());
    let wanted = json!(["BTC", "USD", "50000.12345678", null, "50001", "the sandbox"]);
    assert_eq!(Value::from(told.to_vec()), wanted);
    let moment = |rate: &Value, field: &str| -> DateTime<chrono::Utc> {
        rate[field].as_str().unwrap().parse().unwrap()
    };
    assert!(moment(&rate, "fetchedAt") - moment(&before, "fetchedAt") >= TimeDelta::minutes(1));
    assert!(moment(&rate, "providerTime") >= moment(&before, "providerTime"));
    let node = "query($id: ID!) { node(id: $id) { ... on ExchangeRate { rate } } }";
    let node = ana.ask(node, json!({"id": rate["id"]})).await;
    assert_eq!(node["node"]["rate"], "50000.12345678");
    let other = "{ exchangeRate(base: \"USD\", quote: \"BTC\") { rate } exchangeRatePairs { base quote \
                 intervalSeconds latest { rate } } }";
    let pair = json!({"base": "BTC", "quote": "USD", "intervalSeconds": 60, "latest": {"rate": "50000.12345678"}});
    let told = ana.ask(other, json!({})).await;
    assert_eq!(
        told,
        json!({"exchangeRate": null, "exchangeRatePairs": [pair]})
    );
    assert_eq!(
        ana.stranger().error(NEWEST, json!({})).await,
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn a_pair_that_is_not_followed_any_more_has_a_past_and_no_newest_rate() {
    let app = TestApp::start().await;
    first(&app).await;
    let ana = app.person("ana").await;
    assert!(ana.ask(NEWEST, json!({})).await["exchangeRate"]["rate"].is_string());
    let app = app.restart_with(&[("RATE_PAIRS", "EUR/USD")]).await;
    app.becomes("SELECT count(*) FROM exchange_rates WHERE base = 'EUR'", 1)
        .await;
    assert!(ana.ask(NEWEST, json!({})).await["exchangeRate"].is_null());
    let past = "{ exchangeRates(base: \"BTC\", quote: \"USD\") { nodes { rate } } }";
    let past = ana.ask(past, json!({})).await;
    assert!(past["exchangeRates"]["nodes"][0]["rate"].is_string());
    assert_eq!(
        ana.stranger().error(NEWEST, json!({})).await,
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn who_follows_a_rate_gets_the_newest_first_and_then_each_new_one() {
    let app = TestApp::start().await;
    first(&app).await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    fetched(&app, "50000").await;
    let mut watches = [
        ana.watch(FOLLOW, json!({})).await,
        ana.watch(FOLLOW, json!({})).await,
        bob.watch(FOLLOW, json!({})).await,
    ];
    for rate in ["50000", "50001.5", "49999.00000001"] {
        if rate != "50000" {
            fetched(&app, rate).await;
        }
        for watch in &mut watches {
            assert_eq!(watch.next().await["exchangeRateUpdated"]["rate"], rate);
        }
    }
    // What was told before is no news.
    let same =
        json!({"rates": {"BTC/USD": {"rate": "49999.00000001", "at": "2026-01-01T00:00:00Z"}}});
    app.bank.rates(same).await;
    app.rates_rest(MINUTE).await;
    app.until("exchange_rates", "seq = 0").await;
    for watch in &mut watches {
        watch.silent().await;
    }
    let unknown = "subscription { exchangeRateUpdated(base: \"EUR\", quote: \"USD\") { rate } }";
    let refused = ana.watch(unknown, json!({})).await.message().await;
    let error = &refused["payload"][0];
    assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT");
    assert!(
        error["message"].as_str().unwrap().contains("BTC/USD"),
        "{error}"
    );
    let refused = ana
        .stranger()
        .watch(FOLLOW, json!({}))
        .await
        .message()
        .await;
    assert_eq!(
        refused["payload"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn the_rates_of_a_pair_are_listed_page_by_page() {
    let app = TestApp::with(&[("RATE_PAIRS", "BTC/USD,ETH/USD")]).await;
    app.becomes("SELECT count(*) FROM exchange_rates", 2).await;
    let ana = app.person("ana").await;
    let start = DateTime::from_timestamp(1_771_000_000, 0).unwrap();
    for n in 0..44 {
        let at = (start + TimeDelta::minutes(n)).to_rfc3339();
        let rate = json!({"rate": format!("{}", 50_000 + n), "at": at});
        app.bank.rates(json!({"rates": {"BTC/USD": rate}})).await;
        assert_eq!(refresh(&ana, "BTC", "USD").await["userErrors"], json!([]));
    }
    let document = "query($first: Int, $after: String, $last: Int, $before: String, $base: CurrencyCode!) { \
                    exchangeRates(base: $base, quote: \"USD\", first: $first, after: $after, last: $last, \
                    before: $before) { totalCount pageInfo { hasNextPage endCursor } nodes { rate } } }";
    let page = async |variables: Value| {
        let mut variables = variables;
        variables["base"] = json!("BTC");
        ana.ask(document, variables).await["exchangeRates"].take()
    };
    let texts = |page: &Value| -> Vec<String> {
        let nodes = page["nodes"].as_array().unwrap().iter();
        nodes
            .map(|node| node["rate"].as_str().unwrap().to_owned())
            .collect()
    };
    let down = |from: u32, count: u32| -> Vec<String> {
        (0..count).map(|n| (from - n).to_string()).collect()
    };
    let ten = page(json!({"first": 10})).await;
    assert_eq!(ten["totalCount"], 45);
    assert_eq!(
        texts(&ten)[1..],
        down(50_043, 9),
        "the one of now is the newest"
    );
    let thirty = page(json!({"first": 30, "after": ten["pageInfo"]["endCursor"]})).await;
    assert_eq!(texts(&thirty), down(50_034, 30));
    let rest = page(json!({"after": thirty["pageInfo"]["endCursor"]})).await;
    assert_eq!(
        (texts(&rest), rest["pageInfo"]["hasNextPage"] == false),
        (down(50_004, 5), true)
    );
    let back = page(json!({"last": 2, "before": thirty["pageInfo"]["endCursor"]})).await;
    assert_eq!(texts(&back), down(50_007, 2));
    assert_eq!(
        page(json!({"first": 100})).await["nodes"]
            .as_array()
            .unwrap()
            .len(),
        45
    );

    let cursor = &ten["pageInfo"]["endCursor"];
    let bob = app.person("bob").await;
    for (person, base) in [(&bob, "BTC"), (&ana, "ETH")] {
        let foreign = json!({"after": cursor, "base": base});
        assert_eq!(person.error(document, foreign).await, "BAD_USER_INPUT");
    }
    let stranger = json!({"base": "BTC"});
    assert_eq!(
        ana.stranger().error(document, stranger).await,
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn those_who_refresh_a_rate_at_once_share_one_call() {
    let app = TestApp::start().await;
    first(&app).await;
    let (ana, bob) = (app.person("ana").await, app.person("bob").await);
    let mut watch = bob.watch(FOLLOW, json!({})).await;
    watch.next().await;
    let mut rules = pinned("61234.50000000");
    rules["latency_ms"] = json!(500);
    app.bank.rates(rules).await;
    let before = app.bank.rate_calls().await;

    let asked = (0..10).map(|n| refresh(if n % 2 == 0 { &ana } else { &bob }, "BTC", "USD"));
    for told in join_all(asked).await {
        assert_eq!(told["exchangeRate"]["rate"], "61234.5", "{told}");
    }
    assert_eq!(app.bank.rate_calls().await, before + 1);
    assert_eq!(watch.next().await["exchangeRateUpdated"]["rate"], "61234.5");
    watch.silent().await;
    let refused = refresh(&ana, "USD", "BTC").await;
    let error = &refused["userErrors"][0];
    assert_eq!(
        (&error["code"], &error["field"]),
        (&json!("INVALID_INPUT"), &json!(["base"]))
    );
    assert!(
        error["message"].as_str().unwrap().contains("BTC/USD"),
        "{error}"
    );
    let variables = json!({"base": "BTC", "quote": "USD"});
    assert_eq!(
        ana.stranger().error(REFRESH, variables).await,
        "UNAUTHENTICATED"
    );
    assert_eq!(app.bank.rate_calls().await, before + 1);
}

#[tokio::test]
async fn two_servers_ask_once_and_both_tell_their_followers() {
    let app = TestApp::start().await;
    first(&app).await;
    let Some(other) = app.replica().await else {
        return;
    };
    let (ana, bob) = (app.person("ana").await, other.person("bob").await);
    let (mut here, mut there) = (
        ana.watch(FOLLOW, json!({})).await,
        bob.watch(FOLLOW, json!({})).await,
    );
    let newest = here.next().await;
    assert_eq!(there.next().await, newest);
    for n in 1..4 {
        let rate = format!("{n}.5");
        app.bank.rates(pinned(&rate)).await;
        // Time passes for both; the one that is first takes the job.
        other.rates_rest(MINUTE).await;
        app.clock.advance(MINUTE);
        for watch in [&mut here, &mut there] {
            assert_eq!(watch.next().await["exchangeRateUpdated"]["rate"], rate);
        }
        app.bank.rates_asked(1 + n).await;
    }
    here.silent().await;
    there.silent().await;
}
